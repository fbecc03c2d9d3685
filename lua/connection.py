"""The multiplexed connection: carries the script calls of a whole process to one cell.

A job passes here on each of its moves; its next stop is the script that the call names. A call
of a redis-py client writes, waits and reads alone, and costs about 150 µs of CPU. Here the calls
of one loop tick leave in one write, and the replies find theirs by their order.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from redis.exceptions import RedisError

from lua.errors import StoreUnavailable
from lua.pending import Future, Pending
from lua.wire import Argument, Wire

log = logging.getLogger(__name__)

Send = Callable[..., Awaitable[Any]]

SHORTEST_BACKOFF_S = 0.02
LONGEST_BACKOFF_S = 1.0
STEADY_S = 1.0  # a connection that held so long was good: the back-off starts anew
SWEEPS_PER_TIMEOUT = 20


class Multiplexed:
    """One connection to Redis that all tasks of an event loop share.

    **Calls must be idempotent.** A call whose reply was lost with the connection is sent again
    after the reconnect, in the old order and before newer ones. The server may still find the
    first copy in the old connection later, so a call can run twice, and out of its order; one
    that ended with StoreUnavailable may have run, or may yet run.

    - A call ends with StoreUnavailable after ``call_timeout_ms`` (up to a twentieth later),
      whether the connection stands or not. When a reply is due for as long again, the connection
      is cut and made again.
    - At most ``max_pending`` calls, and ``max_pending_bytes`` of them, wait for their replies.
    - ``on_connect(send)`` is awaited on each new connection before any call goes out; what it
      sends is run at once and alone. When it raises, the connection is made again.
    - The hooks in ``reconnected`` are called each time the connection was lost and is back.
    - A connection silent for ``idle_ms`` is checked with a PING; without a reply to it the
      connection is cut.
    """

    def __init__(
        self,
        url: str,
        *,
        call_timeout_ms: int = 2_000,
        max_pending: int = 10_000,
        max_pending_bytes: int = 64 * 2**20,
        idle_ms: int = 10_000,
        on_connect: Callable[[Send], Awaitable[None]] | None = None,
    ) -> None:
        self.connected = False
        self.reconnected: list[Callable[[], None]] = []
        self._call_timeout_s = call_timeout_ms / 1000
        self._idle_s = idle_ms / 1000
        self._on_connect = on_connect
        self._pending = Pending(max_calls=max_pending, max_bytes=max_pending_bytes)
        self._wire = Wire(url, timeout_s=self._call_timeout_s)
        self._tasks: list[asyncio.Task[None]] = []
        self._flush_is_due = False
        self._was_connected = False
        self._failures = 0  # connections in a row that could not be made, or did not hold
        self._heard_s = 0.0
        self._trouble = "not connected yet"

    async def start(self) -> None:
        """Begin to connect in the background. Redis may be away."""
        self._loop = asyncio.get_running_loop()
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._watch())]

    async def close(self) -> None:
        """Disconnect. Pending calls end with StoreUnavailable."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._pending.fail("the connection to Redis was closed")

    def call(self, *command: Argument) -> "asyncio.Future[Any]":
        """Issue a command now, after all that were issued before; replies are not decoded.

        The future ends with the reply, or with the ResponseError of redis-py when the server
        refuses the command, or with StoreUnavailable. It may be cancelled at any time. Raises
        StoreBusy when too many calls are pending, and StoreUnavailable once closed.
        """
        if not self._tasks:
            raise StoreUnavailable("the connection to Redis is closed")
        future = self._loop.create_future()
        self._issue(command, future)
        return future

    def tell(self, *command: Argument) -> None:
        """The same where nobody wants to know how it ends."""
        if not self._tasks:
            raise StoreUnavailable("the connection to Redis is closed")
        self._issue(command)

    def _issue(self, command: Sequence[Argument], future: Future | None = None) -> None:
        deadline_s = self._loop.time() + self._call_timeout_s
        self._pending.add(self._wire.pack(command), deadline_s, future)
        if self.connected and not self._flush_is_due:
            self._flush_is_due = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_is_due = False
        if self.connected:
            self._wire.write(self._pending.send())

    async def _run(self) -> None:
        while True:
            connected_s = None
            try:
                await self._connect()
                connected_s = self._loop.time()
                await self._wire.listen(self._take)
            except Exception as error:
                self._note(error)
            finally:
                self.connected = False
                self._pending.unsend()
                await self._wire.close()
            held = connected_s is not None and self._loop.time() - connected_s > STEADY_S
            self._failures = 1 if held else self._failures + 1
            await asyncio.sleep(_backoff_s(self._failures))

    async def _connect(self) -> None:
        await self._wire.open()
        if self._on_connect is not None:
            await self._on_connect(self._wire.command)
        self.connected = True
        self._heard_s = self._loop.time()
        self._flush()
        if self._was_connected:
            log.info("connected to Redis again")
            for hook in self.reconnected:
                self._loop.call_soon(hook)
        self._was_connected = True

    def _take(self, reply: Any) -> None:
        self._heard_s = self._loop.time()
        self._pending.answer(reply)

    def _note(self, error: Exception) -> None:
        first = self.connected or not self._failures
        log.log(
            logging.WARNING if first else logging.DEBUG,
            "no connection to Redis: %s",
            error,
            exc_info=not isinstance(error, RedisError | OSError),
        )
        self._trouble = str(error)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._call_timeout_s / SWEEPS_PER_TIMEOUT)
            self._sweep(self._loop.time())

    def _sweep(self, now_s: float) -> None:
        trouble = "" if self.connected else f": {self._trouble}"
        self._pending.expire(now_s, f"no answer from Redis in {self._call_timeout_s} s{trouble}")
        due_s = self._pending.next_deadline_s
        if due_s is not None and now_s > due_s + self._call_timeout_s:
            self._wire.cut()
        elif self.connected and not self._pending and now_s > self._heard_s + self._idle_s:
            self.tell("PING")


def _backoff_s(failures: int) -> float:
    """Doubles from 20 ms to 1 s, with jitter, so that processes do not come back in step."""
    ceiling = min(SHORTEST_BACKOFF_S * 2 ** min(failures, 10), LONGEST_BACKOFF_S)
    return random.uniform(SHORTEST_BACKOFF_S, ceiling)
