"""What a node was sent, and which of it has not been answered: what a replay after a loss of Redis
tells.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice

LOOK_AT = 16

SESSIONS = 1_024  # with the latest utterances; each is one more read in a replay


@dataclass
class Holding:
    """One job on a node. ``taken``: it is the node's; until then ``take`` has not answered.

    ``trace``: its trace id, once it was taken. ``called_off``: nobody waits for its result.
    ``sent_s``: when its frame was written; ``acked_in_ms``: how soon that was acknowledged.
    """

    attempt: int
    since_s: float
    taken: bool = False
    trace: str = ""
    called_off: bool = False
    sent_s: float = 0.0
    acked_in_ms: int | None = None

    def sent(self, trace: str) -> None:
        """Its frame is written now."""
        self.taken, self.trace, self.sent_s = True, trace, time.monotonic()

    def acked(self) -> None:
        """The node has it; only the first word of that counts."""
        if self.sent_s and self.acked_in_ms is None:
            self.acked_in_ms = round(1000 * (time.monotonic() - self.sent_s))


class Held:
    """Jobs by id. Those older than ``life_ms`` are over, whatever the node does, and forgotten."""

    def __init__(self, *, life_ms: int) -> None:
        self._life_s = life_ms / 1000
        self._jobs: dict[str, Holding] = {}
        self._sent: dict[str, int] = {}  # session → last index, the latest at the end

    def __len__(self) -> int:
        return len(self._jobs)

    @property
    def wanted(self) -> int:
        """How many jobs are still to be answered."""
        self._forget_old()
        return sum(not known.called_off for known in self._jobs.values())

    def call_off(self, job: str) -> None:
        """The node was told that the job is not wanted; it may answer all the same."""
        if known := self._jobs.get(job):
            known.called_off = True

    def add(self, job: str, attempt: int) -> Holding | None:
        """None when this attempt, or a later one, is here already: it must not be sent again."""
        self._forget_old()
        known = self._jobs.pop(job, None)
        if known and known.attempt >= attempt:
            self._jobs[job] = known
            return None
        holding = self._jobs[job] = Holding(attempt, time.monotonic())
        return holding

    def remove(self, job: str, attempt: int | None = None) -> None:
        """Forget a job, or only this attempt of it."""
        known = self._jobs.get(job)
        if known and attempt in (None, known.attempt):
            del self._jobs[job]

    def get(self, job: str) -> Holding | None:
        """None when the job is not here."""
        return self._jobs.get(job)

    def trace(self, job: str) -> str:
        """The trace id of a job; empty when it is not here."""
        known = self._jobs.get(job)
        return known.trace if known else ""

    def keep_only(self, jobs: Collection[str]) -> None:
        """The node says that it works on these and no others."""
        self._jobs = {job: known for job, known in self._jobs.items() if job in jobs}

    def pairs(self) -> list[tuple[str, int]]:
        """Job and attempt of all that were taken and may still be worked on."""
        self._forget_old()
        return [(job, known.attempt) for job, known in self._jobs.items() if known.taken]

    def number(self, session: str, index: int) -> int:
        """The index of the utterance that is sent now: as Redis has it, unless that was used.

        An older copy of Redis counts on from where it was. Agents refuse what they have seen.
        """
        if not session:
            return index
        index = max(index, self._sent.pop(session, -1) + 1)
        self._sent[session] = index
        if len(self._sent) > SESSIONS:
            del self._sent[next(iter(self._sent))]
        return index

    def numbers(self) -> list[tuple[str, int]]:
        """Sessions and the last index of each."""
        return list(self._sent.items())

    def coming(self) -> list[str]:
        """Jobs that are being taken: a replay must neither claim nor lose them."""
        return [job for job, known in self._jobs.items() if not known.taken]

    def _forget_old(self) -> None:
        """A few at a time: the oldest come first, so mostly one is looked at."""
        over_s = time.monotonic() - self._life_s
        for job, known in list(islice(self._jobs.items(), LOOK_AT)):
            if known.since_s > over_s:
                break
            del self._jobs[job]
