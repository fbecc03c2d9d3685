"""One live session, over whichever socket its client has now.

Its utterances come by way of :mod:`jobs.intake`; what becomes of them comes back from the mailbox,
by way of :mod:`jobs.sessions`, to :mod:`jobs.progress`, and is told through :mod:`jobs.telling`.
"""

from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING

from jobs.failures import Failure
from jobs.intake import Intake
from jobs.line import Line, Wire
from jobs.progress import Progress
from jobs.refusing import Refusals
from jobs.resuming import Ticket, Tickets
from jobs.specs import Origin
from jobs.speech import Speech
from jobs.telling import Telling
from lua import scripts
from lua.errors import StoreError
from parley.codes import ErrorCode
from parley.frames import SessionInit
from pools.order import Caller
from pools.routes import Route

if TYPE_CHECKING:
    from jobs.process import Process
    from jobs.streams.stream import Stream


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
        self.progress = Progress(self, returns=returns)
        self.unfinished = self.progress.unfinished
        self.generation = 0
        self.away = self.ended = self.elsewhere = False
        self.sig = ""  # the queue that its last utterance would wait in
        self.stream: Stream | None = None
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
            on_gap=self.progress.give_up,
            may_return=self.may_return or returns,
        )

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
            known=list(self.unfinished) if forgets and self.progress.is_whole else None,
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

    def end(self) -> None:
        """Nobody listens any more."""
        self.ended = True
        self.telling.stop()

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

    async def _forget_former(self) -> None:
        with suppress(StoreError):  # then a replay says it
            await self.open(forgets=False)
