"""The order of a session's answers: by ``utterance_index``, with limits to how long one waits.

Pure: it knows no socket and no timer. Its owner (:mod:`jobs.delivery`) says what time it is and
asks again at :meth:`Ordering.due_ms`.
"""

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Generic, TypeVar

import msgspec

from jobs.settings import OrderSettings

T = TypeVar("T")


class Missing(StrEnum):
    """Why no result comes, as ``missing_result`` says it."""

    GAP_TIMEOUT = "gap_timeout"
    OVERFLOW = "pending_overflow_evict"
    JOB_FAILED = "job_failed"
    SILENCE = "silence_detected"


class Release(msgspec.Struct, Generic[T], frozen=True):
    """What may be told now. ``answer`` None: nothing came in time, for this ``reason``.

    ``late``: a ``gap_timeout`` was told for it before.
    """

    index: int
    answer: T | None
    reason: Missing | None = None
    late: bool = False


class _Held(msgspec.Struct, Generic[T], frozen=True):
    answer: T
    since_ms: float


class Ordering(Generic[T]):
    """Every index that was announced is released exactly once; after a gap's timeout its result
    may follow, late.

    The first index that is announced is the first one expected. Indexes that are never announced
    count as missing, too, unless there are more of them than results may wait.
    """

    def __init__(self, settings: OrderSettings) -> None:
        self._settings = settings
        self._first: int | None = None
        self._next = 0
        self._pending: set[int] = set()  # announced, without an answer
        self._patient: set[int] = set()  # of these: they wait for a node, or are tried again
        self._held: dict[int, _Held[T]] = {}  # answered, but not their turn; oldest answer first
        self._timed_out: set[int] = set()  # pending, but a gap_timeout was told
        # Never announced, but a gap_timeout was told: the latest of them.
        self._unseen: set[int] = set()
        self._early: set[int] = set()  # announced though nobody waited for them
        # Of another one: the highest index that it had, and those up to it that are waited for.
        self._newest = -1
        self._awaited: frozenset[int] = frozenset()

    def go_on(self, indexes: Collection[int], *, last: int | None, newest: int) -> None:
        """In place of another one, which had indexes up to ``newest``. ``indexes``: of these, what
        is to be answered. All up to ``last`` is told; where that was a gap_timeout, a result may
        follow. Without ``last`` it is not known which of the others are: none is waited for.
        """
        if last is not None:
            self._first, self._next = 0, last + 1
            self._timed_out.update(index for index in indexes if index <= last)
            self._pending.update(self._timed_out)
        elif indexes:
            self._first = self._next = min(indexes)
            self._newest, self._awaited = newest, frozenset(indexes)

    def announce(self, index: int) -> bool:
        """An utterance came. False when its index was used before."""
        if self._first is None:
            self._first = self._next = index
        if not self._is_new(index):
            return False
        if index in self._unseen:
            self._unseen.remove(index)
            self._timed_out.add(index)
        elif not self._is_awaited(index):
            self._early.add(index)
        self._pending.add(index)
        return True

    def put(self, index: int, answer: T, now_ms: float, *, is_result: bool) -> list[Release[T]]:
        """An answer came: a result, or word that there will be none. Doubled ones are dropped."""
        if index not in self._pending:
            return []
        self._pending.remove(index)
        self._patient.discard(index)
        if index in self._timed_out:
            self._timed_out.remove(index)
            return [Release(index, answer, late=True)] if is_result else []
        if index < self._next:
            return [Release(index, answer)]
        self._held[index] = _Held(answer, now_ms)
        releases = self._advance()
        while len(self._held) > self._settings.max_held:
            releases += self._give_up(Missing.OVERFLOW)
        return releases

    def be_patient(self, index: int) -> None:
        """The utterance waits for a node, or is tried again: a gap at it may last longer."""
        if index in self._pending:
            self._patient.add(index)

    def held(self) -> list[Release[T]]:
        """What is answered, and waits for others."""
        return [Release(index, held.answer) for index, held in self._held.items()]

    def due_ms(self) -> float | None:
        """When to call :meth:`expire`; None while nothing is held back."""
        if not self._held:
            return None
        lowest = min(self._held)
        patient = any(self._next <= index < lowest for index in self._patient)
        gap_ms = self._settings.patient_gap_ms if patient else self._settings.gap_ms
        return next(iter(self._held.values())).since_ms + gap_ms

    def expire(self, now_ms: float) -> list[Release[T]]:
        """Give up what has held others back for too long."""
        releases: list[Release[T]] = []
        while (due_ms := self.due_ms()) is not None and due_ms <= now_ms:
            releases += self._give_up(Missing.GAP_TIMEOUT)
        return releases

    def _is_new(self, index: int) -> bool:
        if index in self._pending:
            return False
        if index >= self._next:
            return index not in self._held
        return index in self._unseen or not (self._is_awaited(index) or index in self._early)

    def _is_awaited(self, index: int) -> bool:
        """Whether those behind it wait for it, though it is not announced yet."""
        assert self._first is not None
        if index > self._newest:
            return index >= self._first
        return index in self._awaited

    def _advance(self) -> list[Release[T]]:
        releases = []
        while self._pass_over() in self._held:
            releases.append(Release(self._next, self._held.pop(self._next).answer))
            self._next += 1
        return releases

    def _pass_over(self) -> int:
        """The next index that is waited for."""
        if self._next <= self._newest:
            known = (*self._awaited, *self._pending, *self._held, self._newest + 1)
            self._next = min(index for index in known if index >= self._next)
        return self._next

    def _give_up(self, reason: Missing) -> list[Release[T]]:
        """Release stand-ins for the gap, then what it held back."""
        lowest = min(self._held)
        releases: list[Release[T]] = []
        for index in self._gap(lowest):
            releases.append(Release(index, None, reason))
            if reason is Missing.GAP_TIMEOUT:
                (self._timed_out if index in self._pending else self._unseen).add(index)
            else:
                self._pending.discard(index)
            self._patient.discard(index)
        for index in sorted(self._unseen)[: -self._settings.max_held]:
            self._unseen.remove(index)
        self._next = lowest
        return releases + self._advance()

    def _gap(self, lowest: int) -> Iterable[int]:
        if lowest - self._next <= self._settings.max_held:
            between = range(self._next, lowest)
            return [one for one in between if one in self._pending or self._is_awaited(one)]
        return sorted(index for index in self._pending if self._next <= index < lowest)
