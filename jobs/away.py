"""Sessions whose clients have gone, and those whose clients return: here, or from elsewhere.

Meanwhile their jobs go on. Redis ends those that nobody returns to, whatever becomes of this
process.
"""

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import structlog

from jobs.chores import Chores
from jobs.line import Wire
from jobs.resuming import Ticket, new_ticket
from jobs.reviving import revive
from jobs.session import LiveSession
from lua import ids, scripts
from lua.errors import StoreError, StoreUnavailable
from parley.frames import SessionInit

if TYPE_CHECKING:
    from jobs.process import Process
    from jobs.sessions import Sessions

log = structlog.get_logger(__name__)

REPLACED = 4409
ASKED_AGAIN_S = 1.0


class Away:
    """One a process."""

    def __init__(self, process: "Process", sessions: "Sessions") -> None:
        self._process = process
        self._sessions = sessions
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._ending = Chores()
        self._asked_for: Counter[str] = Counter()  # by clients; Redis has not answered yet

    async def gone(self, session: LiveSession, wire: Wire) -> None:
        """A socket of a session is gone. Its client may come back for a while, where it can."""
        if not session.line.detach(wire):
            return  # it has, already
        full = len(self._timers) >= self._process.settings.max_sessions
        if full or not session.may_return:
            await self._sessions.close(session)
            return
        self._expect(session)
        await self._tell(session)

    async def back(
        self, ticket: Ticket, wire: Wire, init: SessionInit, *, tenant: str, credential: str
    ) -> LiveSession | None:
        """The session of a client that is back with its ticket; its socket is not used yet.

        None where the ticket is not, or no more, good for anything. Raises StoreError; then it is
        as good as before.
        """
        name = ticket.session
        if name is None or self._sessions.is_over(name):
            return None
        cell = ids.cell_of(name, self._process.cells.count)
        next_ticket = new_ticket(name)
        back = scripts.Return(
            session=name,
            process=self._process.id,
            tenant=tenant,
            credential=credential,
            proof=ticket.proof,
            next_proof=next_ticket.proof,
        )
        reply = await self._ask(cell, back)
        if self._sessions.is_over(name):
            return None
        session = self._sessions.get(name)
        if isinstance(reply, scripts.Denied):
            here = session is not None and session.is_for(ticket, tenant, credential)
            self._believe(cell, here=here)
            return None
        if session is not None and session.generation < reply.since:
            self.let_go(session)  # it was elsewhere meanwhile
            session = None
        if session is None:
            session = LiveSession(
                self._process,
                wire,
                init,
                id=name,
                cell=cell,
                tenant=tenant,
                credential=credential,
                pin=reply.pin,
                returns=True,
            )
            self._sessions.add(session)
        await self._take_back(session, init, next_ticket, reply)
        return session

    def let_go(self, session: LiveSession) -> None:
        """Its client has resumed it at another process. That adopts what was being said here."""
        session.elsewhere = True
        session.line.close(REPLACED, "the session was resumed")
        session.cut_short()
        self._sessions.drop(session)
        session.start(session.refusals.tell_now())  # no replay comes to them any more

    async def leave(self, session: LiveSession) -> None:
        """This process ends: it is left to the one that its client comes back to."""
        was_away, session.away = session.away, True
        self._sessions.drop(session)
        if not was_away:
            await self._tell(session)

    def stay(self, session: LiveSession) -> None:
        """It does not end by itself."""
        if timer := self._timers.pop(session.id, None):
            timer.cancel()

    async def _ask(self, cell: int, back: scripts.Return) -> scripts.Resumed | scripts.Denied:
        self._asked_for[back.session] += 1
        try:
            return await scripts.resume_session(self._process.cells, cell=cell, back=back)
        finally:
            self._asked_for[back.session] -= 1
            self._asked_for += Counter()  # forget those that are 0

    def _believe(self, cell: int, *, here: bool) -> None:
        """That Redis denies a return. Raises StoreUnavailable where it may have lost the session;
        ``here``: it has, as it is known here.
        """
        if here:
            self._process.suspect(cell)
            raise StoreUnavailable("Redis has lost the session")
        if self._process.snapshot.is_doubted(cell):
            raise StoreUnavailable("its process may not have told Redis of it again")

    async def _take_back(
        self, session: LiveSession, init: SessionInit, ticket: Ticket, reply: scripts.Resumed
    ) -> None:
        self.stay(session)
        session.line.close(REPLACED, "the session was resumed")
        session.taken_back(ticket, reply)
        session.agree(init)
        if session.progress.is_whole:
            return
        try:
            await revive(session, init.last_utterance_index)
        except StoreError:  # its client comes back once more
            if session.generation == reply.generation and not session.ended:
                self._expect(session)
                session.start(self._tell(session))
            raise
        except Exception:
            await self._sessions.close(session)
            raise
        if session.generation != reply.generation or session.ended:
            raise StoreUnavailable("the client has come back once more")

    def _expect(self, session: LiveSession) -> None:
        """Its client may come back for a while."""
        session.away = True
        self._wait(session, session.cells.limits.resume_window_ms / 1000)

    def _wait(self, session: LiveSession, for_s: float) -> None:
        loop = asyncio.get_running_loop()
        self._timers[session.id] = loop.call_later(for_s, self._end, session)

    def _end(self, session: LiveSession) -> None:
        if session.id in self._asked_for:
            self._wait(session, ASKED_AGAIN_S)
            return
        self._ending.start(self._sessions.close(session))

    async def _tell(self, session: LiveSession) -> None:
        try:
            await session.open(forgets=False)
        except StoreError as error:
            log.info("a session waits for its client", session=session.id, why=str(error))
