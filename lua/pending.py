"""The calls of one connection that have no reply yet: their order, and the room they take."""

import asyncio
from collections import deque
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from redis.exceptions import ResponseError

from lua.errors import StoreBusy, StoreUnavailable

Future = asyncio.Future[Any]


@dataclass(slots=True, eq=False)
class _Call:
    packed: bytes
    deadline_s: float
    future: Future | None  # None: nobody wants to know how it ends

    @property
    def is_over(self) -> bool:
        return self.future is not None and self.future.done()

    def fail(self, reason: str) -> None:
        if self.future is not None and not self.future.done():
            self.future.set_exception(StoreUnavailable(reason))


class Pending:
    """First the calls that were sent, each the place of one reply to come, then the unsent.

    All have the same timeout, so both queues are in order of their deadlines, too. A sent call
    that timed out or was cancelled keeps its place: nobody gets a reply meant for another. At most
    ``max_calls`` calls and ``max_bytes`` of packed commands are held.
    """

    def __init__(self, *, max_calls: int, max_bytes: int) -> None:
        self._max_calls = max_calls
        self._max_bytes = max_bytes
        self._bytes = 0
        self._sent: deque[_Call] = deque()
        self._unsent: deque[_Call] = deque()

    def __len__(self) -> int:
        return len(self._sent) + len(self._unsent)

    @property
    def next_deadline_s(self) -> float | None:
        """When the next reply is due; None when none is to come."""
        return self._sent[0].deadline_s if self._sent else None

    def add(self, packed: bytes, deadline_s: float, future: Future | None = None) -> None:
        """Append a call. Raises StoreBusy when there is no room."""
        if len(self) >= self._max_calls or self._bytes + len(packed) > self._max_bytes:
            raise StoreBusy("too many calls wait for Redis")
        self._bytes += len(packed)
        self._unsent.append(_Call(packed, deadline_s, future))

    def send(self) -> list[bytes]:
        """The unsent commands, now taken as sent; cancelled ones are dropped."""
        batch = []
        while self._unsent:
            call = self._unsent.popleft()
            if call.is_over:
                self._bytes -= len(call.packed)
            else:
                self._sent.append(call)
                batch.append(call.packed)
        return batch

    def answer(self, reply: Any) -> None:
        """Give the next reply to its call. Raises IndexError when no reply was to come."""
        future = self._pop(self._sent).future
        if future is None or future.done():
            return
        if isinstance(reply, ResponseError):
            future.set_exception(reply)
        else:
            future.set_result(reply)

    def expire(self, now_s: float, reason: str) -> None:
        """End the calls whose deadline has passed with StoreUnavailable."""
        for call in takewhile(lambda call: call.deadline_s <= now_s, self._sent):
            call.fail(reason)
        while self._unsent and self._unsent[0].deadline_s <= now_s:
            self._pop(self._unsent).fail(reason)

    def unsend(self) -> None:
        """The replies to come are lost: their calls are to be sent again, before all others."""
        self._unsent.extendleft(reversed(self._sent))
        self._sent.clear()

    def fail(self, reason: str) -> None:
        """End all calls with StoreUnavailable."""
        self.unsend()
        self.expire(float("inf"), reason)

    def _pop(self, queue: deque[_Call]) -> _Call:
        call = queue.popleft()
        self._bytes -= len(call.packed)
        return call
