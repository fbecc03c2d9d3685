"""A session's answers on their way out: in order, each fetched when it is its turn.

An answer comes from :mod:`jobs.progress`; the session's socket is the last stop of a job.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence

from jobs.alarm import Alarm
from jobs.answers import Told
from jobs.failures import Failure
from jobs.line import Line
from jobs.ordering import Ordering, Release
from jobs.results import Results
from jobs.sent import Entry, Sent
from jobs.settings import OrderSettings
from jobs.wording import Answer, Found, Wording, size_of
from parley.codes import ErrorCode

BATCH_BYTES = 2**20


class Delivery:
    """One a session. ``on_gap`` is called with the index of what nobody waits for any more;
    ``keep_ms``: how long an answer that was sent may have to be sent again, over
    another socket; 0 where there won't be one.
    """

    def __init__(
        self,
        results: Results,
        cell: int,
        *,
        session: str,
        settings: OrderSettings,
        line: Line,
        on_gap: Callable[[int], None],
        keep_ms: int,
    ) -> None:
        self._wording = Wording(
            results, cell, session=session, patience_s=settings.patient_gap_ms / 1000
        )
        self._line = line
        self._on_gap = on_gap
        self._ordering: Ordering[Answer] = Ordering(settings)
        self._sent: Sent[Answer] = Sent(keep_ms=keep_ms)
        self._told: dict[int, Told] = {}
        self._alarm = Alarm(self._expire)
        self._queue: list[Release[Answer]] = []
        self._pump: asyncio.Task[None] | None = None
        self._is_over = False

    @property
    def is_busy(self) -> bool:
        """Whether an answer is on its way, or held back for those before it."""
        return self._pump is not None or self._alarm.is_set

    def announce(self, told: Told) -> bool:
        """An utterance came; False when its index was used before."""
        if not self._ordering.announce(told.index):
            return False
        self._told[told.index] = told
        return True

    def put(self, told: Told, answer: Found | Failure) -> None:
        """The utterance has ended."""
        self._told.pop(told.index, None)
        is_result = isinstance(answer, Found)
        releases = self._ordering.put(
            told.index, (told, answer), self._alarm.now_ms(), is_result=is_result
        )
        self._release(releases)

    def be_patient(self, told: Told) -> None:
        """The utterance waits for a node, or is tried again."""
        self._ordering.be_patient(told.index)
        self._arm()

    def go_on(self, indexes: Collection[int], *, last: int | None, newest: int) -> None:
        """In place of another one: see :meth:`jobs.ordering.Ordering.go_on`."""
        self._ordering.go_on(indexes, last=last, newest=newest)

    def resume(self, last: int | None) -> None:
        """There is another socket: tell again what may not have arrived over the one before.

        ``last``: the client has everything up to this index.
        """
        self._stop_pump()
        self._queue[:0] = self._sent.again(last)
        self._release([])

    def unsent(self) -> list[tuple[Told, Failure]]:
        """Utterances that have ended and wait for their turn, or for a socket: what another process
        would say of them if Redis had lost their end.
        """
        waiting = [*self._ordering.held(), *self._queue, *self._sent.unsent()]
        answers = [release.answer for release in waiting if release.answer is not None]
        return [
            (told, Failure(ErrorCode.STATE_LOST) if isinstance(answer, Found) else answer)
            for told, answer in answers
        ]

    def stop(self) -> None:
        """The session is over: nothing more is told, whatever may end still."""
        self._is_over = True
        self._alarm.set(None)
        self._stop_pump()

    def _stop_pump(self) -> None:
        if self._pump is not None:
            self._pump.cancel()
            self._pump = None

    def _release(self, releases: list[Release[Answer]]) -> None:
        if self._is_over:
            return
        for release in releases:
            if release.reason is not None:
                self._on_gap(release.index)
        self._queue += releases
        if self._pump is None:
            self._tell_at_once()
            if self._queue:
                self._pump = self._line.start(self._run())
        self._arm()

    def _arm(self) -> None:
        self._alarm.set(None if self._is_over else self._ordering.due_ms())

    def _expire(self, now_ms: float) -> None:
        self._release(self._ordering.expire(now_ms))

    def _tell_at_once(self) -> None:
        """All up to the first that must wait: for its result, or for the client to read."""
        while self._queue and self._line.has_room(size_of(self._queue[0])):
            release = self._queue[0]
            frame = self._wording.frame_at_once(release, self._told.get(release.index))
            if frame is None:
                return
            del self._queue[0]
            self._send(self._sent.begin(release), frame)

    def _send(self, entry: Entry[Answer], frame: bytes) -> None:
        if not frame or self._line.send_frame(frame):
            entry.sent()

    async def _run(self) -> None:
        try:
            while batch := self._next_batch():
                await self._line.room(sum(size_of(entry.release) for entry in batch))
                for entry, frame in zip(batch, await self._frames(batch), strict=True):
                    self._send(entry, frame)
        finally:
            if self._pump is asyncio.current_task():
                self._pump = None

    def _next_batch(self) -> list[Entry[Answer]]:
        """What may be fetched together: one, or as many as are small."""
        batch, left = self._queue[:1], BATCH_BYTES - sum(map(size_of, self._queue[:1]))
        for release in self._queue[1:]:
            left -= size_of(release)
            if left < 0:
                break
            batch.append(release)
        del self._queue[: len(batch)]
        return [self._sent.begin(release) for release in batch]

    async def _frames(self, batch: Sequence[Entry[Answer]]) -> Sequence[bytes]:
        if len(batch) == 1:
            return (await self._frame(batch[0].release),)
        return await asyncio.gather(*(self._frame(entry.release) for entry in batch))

    async def _frame(self, release: Release[Answer]) -> bytes:
        return await self._wording.frame(release, self._told.get(release.index))
