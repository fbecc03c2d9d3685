"""What becomes of a session's utterances until they are answered.

The scripts' replies and the mailbox's words come here, and are told through :mod:`jobs.telling`.
"""

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from jobs.answers import Told
from jobs.failures import Failure, failure_from
from jobs.unfinished import Unfinished, Work
from jobs.wording import Found
from lua import scripts
from lua.errors import StoreError
from lua.mailbox import Accepted, Outcome, Partial, Placed
from lua.states import JobState, Level
from parley.codes import ErrorCode
from parley.frames import NodeAsrPartial

if TYPE_CHECKING:
    from jobs.session import LiveSession

_decode_partial = msgspec.json.Decoder(NodeAsrPartial).decode


class Progress:
    """Of one session. ``returns``: it was at another process before, and is not whole until its
    jobs are taken in.
    """

    def __init__(self, session: "LiveSession", *, returns: bool) -> None:
        self.unfinished = Unfinished()
        self._session = session
        self._ended_early: list[Outcome] | None = [] if returns else None

    @property
    def is_whole(self) -> bool:
        """Whether it knows all its jobs."""
        return self._ended_early is None

    def becomes_whole(self) -> list[Outcome]:
        """All its jobs are taken in, but for these, which have ended meanwhile."""
        early, self._ended_early = self._ended_early or (), None
        return [outcome for outcome in early if not self.settle(outcome)]

    def dispatched(self, work: Work, node: str) -> None:
        """A node has it, or will in a moment."""
        work.went_to(node)
        if work.id not in self.unfinished:
            return
        self.unfinished.waiting.discard(work.id)
        self._relieve()
        if not work.dispatched:
            work.dispatched = True
            self._session.telling.event(work.told, "DISPATCHED", node=node)

    def waits(self, work: Work, level: Level) -> None:
        """No node is ready for it; ``level``: how crowded its queue is."""
        if work.id in self.unfinished:
            self.unfinished.waiting.add(work.id)
            self._session.telling.waiting(work.told)
            self._session.telling.pressure.waits(level)

    def merge(self, work: Work, earlier: str) -> bool:
        """The work is that of an earlier job. True when that is known here as unfinished."""
        known = self.unfinished.merge(work, earlier)
        self._relieve()
        return known

    def fail(self, work: Work, failure: Failure) -> None:
        """It has ended without a result."""
        if self._forget(work):
            self._session.telling.failed(work.told, failure)

    def refuse(self, work: Work, failure: Failure) -> None:
        """The same of one that Redis made no job of, as far as is known here."""
        if self._forget(work):
            for told in work.told:
                self.refuse_unheard(told, failure)

    def refuse_unheard(self, told: Told, failure: Failure) -> None:
        """An utterance ends before anything was made of it."""
        self._session.refusals.add(told, failure)
        self._session.telling.failed((told,), failure)

    def settle(self, outcome: Outcome) -> bool:
        """Its job has ended. False for one that is not unfinished: it was answered before."""
        work = self.unfinished.get(outcome.job)
        if work is None:
            if self._ended_early is None:
                return False
            self._ended_early.append(outcome)
        elif outcome.state != JobState.DONE:
            self.fail(work, failure_from(outcome))
        else:
            self._forget(work)
            self._session.telling.event(work.told, "NMT_DONE")
            self._session.telling.result(work.told, Found(outcome.job, outcome.size))
        return True

    def placed(self, message: Placed) -> None:
        """It waited or was tried again; now it is reserved on a node, or waits."""
        work = self.unfinished.get(message.job)
        if work and message.state == JobState.RESERVED:
            self._session.telling.waiting(work.told)
            self.dispatched(work, message.node)
        elif work:
            self.waits(work, Level(message.level))

    def accepted(self, message: Accepted) -> None:
        """The node works on it."""
        work = self.unfinished.get(message.job)
        if work and not work.accepted:
            work.accepted, work.roundabout = True, False
            self.dispatched(work, message.node)
            self._session.telling.event(work.told, "NODE_ACCEPTED", node=message.node)

    def partial(self, message: Partial) -> None:
        """A partial text; an empty body was only a sign of work."""
        work = self.unfinished.get(message.job)
        if work is None or not message.body:
            return
        heard = _decode_partial(message.body)
        if heard.is_final or not work.heard:
            self._session.telling.event(work.told, "ASR_FINAL" if heard.is_final else "ASR_PARTIAL")
        work.heard = True
        self._session.telling.partial(work.told, heard)

    def give_up(self, index: int) -> None:
        """Those behind an utterance are told: it need not wait for a node any more."""
        for job in self.unfinished.of(index):
            self._session.start(self.call_off(job, ErrorCode.QUEUE_TIMEOUT, only_idle=True))

    async def call_off(self, job: str, code: ErrorCode, *, only_idle: bool = False) -> None:
        """Cancel a job whose outcome nobody wants; ``only_idle``: if it waits for a node.

        Without Redis a waiting job comes to the end of its wait, and for others it is left to the
        replay, which names the jobs that are still wanted.
        """
        with suppress(StoreError):
            await scripts.cancel(
                self._session.cells,
                cell=self._session.cell,
                job=job,
                code=code,
                process=self._session.process.id,
                only_idle=only_idle,
            )

    def _forget(self, work: Work) -> bool:
        if not self.unfinished.remove(work):
            return False
        self._relieve()
        return True

    def _relieve(self) -> None:
        if not self.unfinished.waiting:
            self._session.telling.pressure.relieved()
