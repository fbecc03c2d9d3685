"""The utterances of a session: which are unanswered, who waits for which, and what has come."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

from parley.codes import ErrorCode
from parley.frames import AsrPartial, Utterance
from parley.outcome import Answer, Event, Missing, Outcome, SessionError

KEPT_EVENTS = 1_000
"""Events that nobody reads: older ones are dropped."""


class Ledger:
    """Filled by the session's connection, read by its user."""

    def __init__(self) -> None:
        self.unanswered: dict[int, Utterance] = {}
        self.streamed: dict[int, bool] = {}
        """Utterances of streams without an outcome: whether all of it was heard."""
        self.torn: set[int] = set()
        """Those that the connection was lost in: nobody waits for an answer, but one may come."""
        self.last_answered: int | None = None
        self.added = asyncio.Event()
        self._next_index = 0
        self._awaited: dict[int, asyncio.Future[Outcome]] = {}
        self._events: deque[Event] = deque(maxlen=KEPT_EVENTS)
        self._news = asyncio.Event()
        self._finished = False
        self._ended: SessionError | None = None

    def add(self, utterance: Utterance) -> int:
        """Gives the utterance its index. Raises `SessionError` when the session has ended."""
        if self._ended is not None:
            raise self._ended
        index = self._next_index
        self._next_index += 1
        utterance.utterance_index = index
        self.unanswered[index] = utterance
        self.added.set()
        return index

    async def outcome(self, index: int) -> Outcome:
        """The outcome of this utterance, which is then not among the events.

        Raises `LookupError` if it has been read already or was never sent, and `SessionError` when
        the session has ended without it.
        """
        for event in self._events:
            if not isinstance(event, AsrPartial) and event.index == index:
                self._events.remove(event)
                return event
        if index not in self.unanswered:
            raise LookupError(f"no outcome of utterance {index} is to come")
        if self._ended is not None:
            raise self._ended
        waiting: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._awaited[index] = waiting
        try:
            return await waiting
        finally:
            del self._awaited[index]

    def hears(self, index: int, *, whole: bool) -> None:
        """The server hears an utterance of a stream, or has heard the `whole` of it."""
        if index not in self.unanswered:
            self.streamed[index] = whole
            self._next_index = max(self._next_index, index + 1)

    def interrupted(self) -> None:
        """The connection is lost: what was just being said is not heard to its end."""
        self.torn |= {index for index, whole in self.streamed.items() if not whole}
        self.streamed = {index: whole for index, whole in self.streamed.items() if whole}
        self.wake()

    def lose(self, lost: Missing) -> None:
        """The server knows nothing of an utterance of a stream: no answer will come."""
        if self.streamed.pop(lost.index, None) is not None:
            self.show(lost)

    def settle(self, outcome: Outcome) -> None:
        """An outcome has come. A second one of an utterance counts only when it is late, the first
        also where word that the utterance began was lost with a connection.
        """
        sent = self.unanswered.pop(outcome.index, None) is not None
        known = self.streamed.pop(outcome.index, None) is not None or sent
        known = known or outcome.index in self.torn or outcome.index >= self._next_index
        self._next_index = max(self._next_index, outcome.index + 1)
        self.torn.discard(outcome.index)
        if not known and not (isinstance(outcome, Answer) and outcome.late):
            return
        self.last_answered = max(outcome.index, self.last_answered or 0)
        waiting = self._awaited.get(outcome.index)
        if waiting is not None and not waiting.done():
            waiting.set_result(outcome)
            self._news.set()
        else:
            self.show(outcome)

    def show(self, event: Event) -> None:
        """Puts it among the events."""
        self._events.append(event)
        self._news.set()

    def finish(self) -> None:
        """No more utterances: the events end when all are answered."""
        self._finished = True
        self._news.set()

    def end(self, error: SessionError) -> None:
        """Nothing more will come: whoever waits for an outcome gets the error. The first counts."""
        self._ended = self._ended or error
        for waiting in self._awaited.values():
            if not waiting.done():
                waiting.set_exception(error)
        self._news.set()

    def wake(self) -> None:
        """Who waits for events is to look whether they are over."""
        self._news.set()

    def is_over(self) -> bool:
        """Whether nothing more is to come, as far as `finish` was called."""
        return self._finished and not self.unanswered and not self.streamed

    async def events(self, is_over: Callable[[], bool] | None = None) -> AsyncIterator[Event]:
        """Everything in the order in which it came, until it is over or the session is closed.

        Raises `SessionError` when it ends for another reason.
        """
        is_over = is_over or self.is_over
        while True:
            while self._events:
                yield self._events.popleft()
            if self._ended is not None and self._ended.code != ErrorCode.SESSION_CLOSED:
                raise self._ended
            if self._ended is not None or is_over():
                return
            self._news.clear()
            await self._news.wait()
