"""One live session, and its utterances until they are answered.

They come by way of :mod:`jobs.intake`; what becomes of them comes back from the mailbox, by way of
:mod:`jobs.sessions`, and is told through :mod:`jobs.telling`.
"""

from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from jobs.answers import Told
from jobs.dispatch import Origin, call_off
from jobs.failures import Failure, failure_from
from jobs.intake import Intake
from jobs.line import Line, Wire
from jobs.payload import Speech
from jobs.refusing import Refusals
from jobs.resuming import Ticket, Tickets
from jobs.telling import Telling
from jobs.unfinished import Unfinished, Work
from jobs.wording import Found
from lua import scripts
from lua.errors import StoreError
from lua.mailbox import Accepted, Outcome, Partial, Placed
from lua.states import JobState, Level
from parley.codes import ErrorCode
from parley.frames import NodeAsrPartial, SessionInit
from pools.order import Caller
from pools.routes import Route

if TYPE_CHECKING:
    from jobs.process import Process
    from jobs.streams.stream import Stream

_decode_partial = msgspec.json.Decoder(NodeAsrPartial).decode


class LiveSession:
    """``unfinished``: utterances without an answer.
    ``pin``: the node that it is paired with, or empty: nobody else gets its jobs.

    ``away``: its client has gone, and may come back with its ``tickets``; ``generation``: how often
    it did. ``returns``: it was at another process before, and is not whole until its jobs are taken
    in. ``ended``: nobody listens here any more; ``elsewhere``: because another process has it.
    ``stream``: the speech of its present socket.
    """

    def __init__(
        self,
        process: "Process",
        wire: Wire,
        init: SessionInit,
        *,
        id: str,
        cell: int,
        tenant: str,
        credential: str = "",
        pin: str = "",
        returns: bool = False,
    ) -> None:
        self.id = id
        self.cell = cell
        self.pin = pin
        self.process = process
        self.cells = process.cells
        self.origin = Origin(session=id, tenant=tenant, scope=f"{tenant}/{id}")
        self.credential = credential
        self.line = Line(wire)
        self.start = self.line.start
        self.unfinished = Unfinished()
        self.generation = 0
        self.away = self.ended = self.elsewhere = False
        self.sig = ""  # the queue that its last utterance would wait in
        self.stream: Stream | None = None
        self._ended_early: list[Outcome] | None = [] if returns else None
        self._present: tuple[Route | None, str] = (None, "")
        self.tickets = Tickets(id)
        self.intake = Intake(self)
        self.refusals = Refusals(self)
        self.agree(init)
        self.telling = Telling(
            self.line,
            process.results,
            cell,
            session=id,
            accepts=init.accepts or (),
            settings=process.settings,
            on_gap=self._give_up,
            may_return=self.may_return or returns,
        )

    @property
    def is_whole(self) -> bool:
        """Whether it knows all its jobs."""
        return self._ended_early is None

    @property
    def may_return(self) -> bool:
        """Whether its client may come back over another socket."""
        return self.tickets.present is not None and not self.ended

    def is_for(self, ticket: Ticket, tenant: str, credential: str) -> bool:
        """Whether its client may come back with this ticket."""
        owner = self.origin.tenant, self.credential
        return owner == (tenant, credential) and self.tickets.fit(ticket)

    async def open(self, *, begins: bool = False, forgets: bool = True) -> bool:
        """Make it known to its cell, again after a loss: where it ``forgets`` its other jobs are
        then cancelled. False where it ``begins`` and its name is another's.
        """
        told = scripts.NewSession(
            session=self.id,
            process=self.process.id,
            tenant=self.origin.tenant,
            credential=self.credential,
            proof=self.tickets.present.proof if self.tickets.present else "",
            former=self.tickets.former,
            generation=self.generation,
            away=self.away,
            begins=begins,
            known=list(self.unfinished) if forgets and self.is_whole else None,
            pin=self.pin,
            newest=self.intake.next_index - 1,
        )
        reply = await scripts.open_session(self.cells, cell=self.cell, session=told)
        if isinstance(reply, scripts.Elsewhere) and told.generation == self.generation:
            self.process.sessions.away.let_go(self)
        return not isinstance(reply, scripts.NameTaken)

    def agree(self, init: SessionInit) -> None:
        """What its client says of itself, and of utterances that say less."""
        self.intake.agree(init)
        self.lang = init.src_lang
        self.tickets.agree(init.accepts or ())

    def talk(self, wire: Wire, init: SessionInit) -> None:
        """Talk over a socket, its first or another one."""
        self.line.attach(wire)
        self.telling.resume(init.accepts or (), init.last_utterance_index)

    def taken_back(self, ticket: Ticket, reply: scripts.Resumed) -> None:
        """Its client is back, and may come back once more with this ticket. What it was saying over
        its last socket is numbered before anything that comes over the new one.
        """
        self.cut_short()
        self.tickets.renew(ticket, reply.former)
        self.generation, self.away = reply.generation, False

    def cut_short(self) -> None:
        """What was being said over its last socket is an utterance."""
        if self.stream is not None:
            self.stream.close(goes_on=True)
            self.stream = None

    def heard(self) -> None:
        """Its client is there, and has the acknowledgement of its return."""
        self.tickets.heard()
        self.start(self._forget_former())

    def go_on(self, indexes: Collection[int], last: int | None, newest: int) -> None:
        """Another process had it before. ``indexes``: of the utterances that are to be taken in;
        up to ``last`` all is told. ``newest``: the highest so far, however long ago it was.
        """
        self.intake.next_index = max(newest, -1 if last is None else last) + 1
        self.telling.go_on(indexes, last=last, newest=newest)

    def becomes_whole(self) -> list[Outcome]:
        """All its jobs are taken in, but for these, which have ended meanwhile."""
        early, self._ended_early = self._ended_early or (), None
        return [outcome for outcome in early if not self.settle(outcome)]

    def end(self) -> None:
        """Nobody listens any more."""
        self.ended = True
        self.telling.stop()

    def dispatched(self, work: Work, node: str) -> None:
        """A node has it, or will in a moment."""
        work.went_to(node)
        if work.id not in self.unfinished:
            return
        self.unfinished.waiting.discard(work.id)
        self._relieve()
        if not work.dispatched:
            work.dispatched = True
            self.telling.event(work.told, "DISPATCHED", node=node)

    def full(self) -> Failure | None:
        """Why no further utterance is taken, if none is."""
        settings = self.process.settings
        if self.process.draining:
            return Failure(ErrorCode.SCHEDULER_DEPENDENCY_DOWN)
        if (
            len(self.unfinished) >= settings.unfinished_jobs
            or self.unfinished.sound_bytes >= settings.unfinished_bytes
        ):
            return Failure(ErrorCode.NODE_OVERLOADED, "Too many utterances have no answer yet.")
        return None

    def caller(self, speech: Speech) -> Caller:
        """As the order of pools sees it."""
        same = self._present[0] == speech.ask.route
        return Caller(self.origin.tenant, self.id, self._present[1] if same else "")

    def went_to(self, pool: str, speech: Speech) -> None:
        """An utterance was placed in a pool."""
        self._present = (speech.ask.route, pool)

    def waits(self, work: Work, level: Level) -> None:
        """No node is ready for it; ``level``: how crowded its queue is."""
        if work.id in self.unfinished:
            self.unfinished.waiting.add(work.id)
            self.telling.waiting(work.told)
            self.telling.pressure.waits(level)

    def merge(self, work: Work, earlier: str) -> bool:
        """The work is that of an earlier job. True when that is known here as unfinished."""
        known = self.unfinished.merge(work, earlier)
        self._relieve()
        return known

    def fail(self, work: Work, failure: Failure) -> None:
        """It has ended without a result."""
        if self._forget(work):
            self.telling.failed(work.told, failure)

    def refuse(self, work: Work, failure: Failure) -> None:
        """The same of one that Redis made no job of, as far as is known here."""
        if self._forget(work):
            for told in work.told:
                self.refuse_unheard(told, failure)

    def refuse_unheard(self, told: Told, failure: Failure) -> None:
        """An utterance ends before anything was made of it."""
        self.refusals.add(told, failure)
        self.telling.failed((told,), failure)

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
            self.telling.event(work.told, "NMT_DONE")
            self.telling.result(work.told, Found(outcome.job, outcome.size))
        return True

    def placed(self, message: Placed) -> None:
        """It waited or was tried again; now it is reserved on a node, or waits."""
        work = self.unfinished.get(message.job)
        if work and message.state == JobState.RESERVED:
            self.telling.waiting(work.told)
            self.dispatched(work, message.node)
        elif work:
            self.waits(work, Level(message.level))

    def accepted(self, message: Accepted) -> None:
        """The node works on it."""
        work = self.unfinished.get(message.job)
        if work and not work.accepted:
            work.accepted, work.roundabout = True, False
            self.dispatched(work, message.node)
            self.telling.event(work.told, "NODE_ACCEPTED", node=message.node)

    def partial(self, message: Partial) -> None:
        """A partial text; an empty body was only a sign of work."""
        work = self.unfinished.get(message.job)
        if work is None or not message.body:
            return
        heard = _decode_partial(message.body)
        if heard.is_final or not work.heard:
            self.telling.event(work.told, "ASR_FINAL" if heard.is_final else "ASR_PARTIAL")
        work.heard = True
        self.telling.partial(work.told, heard)

    async def _forget_former(self) -> None:
        with suppress(StoreError):  # then a replay says it
            await self.open(forgets=False)

    def _give_up(self, index: int) -> None:
        """Those behind it are told: it need not wait for a node any more."""
        for job in self.unfinished.of(index):
            self.start(call_off(self, job, ErrorCode.QUEUE_TIMEOUT, only_idle=True))

    def _forget(self, work: Work) -> bool:
        if not self.unfinished.remove(work):
            return False
        self._relieve()
        return True

    def _relieve(self) -> None:
        if not self.unfinished.waiting:
            self.telling.pressure.relieved()
