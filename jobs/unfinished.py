"""What a session waits for: its utterances without an answer, by their jobs."""

from dataclasses import dataclass

from msgspec.structs import replace

from jobs.answers import Told
from jobs.streams.endings import WHOLE, Ending
from lua.scripts import NewJob


@dataclass(eq=False)
class Work:
    """An utterance without an answer. ``told``: whom the answer is for; more than one when its
    request was repeated. ``job`` is None until it was sent to Redis. ``passed``: what its receipt
    says of what was left out before. ``ending``: how it was cut off from what follows.
    ``roundabout``: it goes by a mailbox, where what is dispatched after it must not overtake it.
    """

    id: str
    told: list[Told]
    payload: bytes
    job: NewJob | None = None
    dispatched: bool = False
    heard: bool = False
    passed: str = ""
    accepted: bool = False
    ending: Ending = WHOLE
    roundabout: bool = False

    def went_to(self, node: str) -> None:
        """A node has it, or will in a moment: the rest of its turn is to follow it there."""
        if self.ending.turn is not None and node:
            self.ending.turn.node = node


class Unfinished(dict[str, Work]):
    """Their sound is kept for a replay, ``sound_bytes`` in all. ``waiting``: no node is ready for
    them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sound_bytes = 0
        self.waiting: set[str] = set()

    @property
    def is_straight(self) -> bool:
        """Whether a job may go to a node of this process at once, and overtake none of these."""
        return not any(work.roundabout for work in self.values())

    def has_asked(self, job: NewJob) -> bool:
        """Whether another one has the same request id."""
        others = (work.job for work in self.values() if work.id != job.job)
        return bool(job.request) and any(one and one.request == job.request for one in others)

    def of(self, index: int) -> list[str]:
        """Jobs that only the utterance of this index waits for."""
        return [
            work.id
            for work in self.values()
            if work.job is not None and all(told.index == index for told in work.told)
        ]

    def add(self, work: Work) -> None:
        """One more."""
        self[work.id] = work
        self.sound_bytes += len(work.payload)

    def remove(self, work: Work) -> bool:
        """It has ended. False when it had before."""
        if self.pop(work.id, None) is None:
            return False
        self.sound_bytes -= len(work.payload)
        self.waiting.discard(work.id)
        return True

    def merge(self, work: Work, earlier: str) -> bool:
        """The work is that of an earlier job. True when that is one of these, and answers both."""
        self.remove(work)
        work.told = [replace(told, job=earlier) for told in work.told]
        if known := self.get(earlier):
            known.told += work.told
            return True
        work.id = earlier
        if work.job is not None:
            work.job = replace(work.job, job=earlier)
        self.add(work)
        return False

    def clear(self) -> None:
        """Nobody wants an answer any more."""
        super().clear()
        self.waiting.clear()
        self.sound_bytes = 0
