"""The sessions whose sockets this process holds: where the mailbox's words for them arrive, and
those of nodes of the same process.

The next stop of a job's end is :meth:`jobs.progress.Progress.settle`.
"""

import asyncio
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

import structlog

from jobs.away import Away
from jobs.restoring import restore
from jobs.reviving import adopt
from jobs.session import LiveSession
from lua import scripts
from lua.errors import StoreError
from lua.mailbox import Accepted, Moved, Outcome, Partial, Placed, Pressure
from lua.states import Level

if TYPE_CHECKING:
    from jobs.process import Process

log = structlog.get_logger(__name__)

AT_ONCE = 64
STOP_S = 1.0
AGAIN_S = 0.25


class Sessions:
    """One a process."""

    def __init__(self, process: "Process") -> None:
        self._process = process
        self._live: dict[str, LiveSession] = {}
        self._left: dict[str, int] = {}  # ended, but not in Redis yet: session → cell
        self.away = Away(process, self)
        process.handle(Outcome, self._settle)
        process.handle(Placed, self._placed)
        process.handle(Accepted, lambda cell, message: self.accepted(message))
        process.handle(Partial, lambda cell, message: self.partial(message))
        process.handle(Pressure, self._pressure)
        process.handle(Moved, self._moved)

    def __len__(self) -> int:
        return len(self._live)

    def get(self, name: str) -> LiveSession | None:
        """A session whose socket is here."""
        return self._live.get(name)

    def unfinished(self) -> int:
        """Utterances without an answer; a session with answers on their way counts as one more.
        Not of those whose clients are away: they find them at another process.
        """
        here = (one for one in self._live.values() if not one.away)
        return sum(len(one.unfinished) + one.telling.is_busy for one in here)

    def is_over(self, name: str) -> bool:
        """Whether it has ended, though its socket is open still or Redis does not know."""
        session = self._live.get(name)
        return name in self._left or (session is not None and session.ended)

    def add(self, session: LiveSession) -> None:
        """Hand it what is told of it from now on."""
        self._live[session.id] = session

    def drop(self, session: LiveSession) -> bool:
        """Have nothing more to do with it; False when that was so before."""
        session.end()
        if self._live.get(session.id) is not session:
            return False  # what is known of its name may be another one's by now
        del self._live[session.id]
        self.away.stay(session)
        self._process.results.forget(session.id)
        return True

    async def open(self, session: LiveSession) -> bool:
        """A session begins; False where its name is another's. Raises StoreError; then it has not
        begun.
        """
        if session.id in self._live or session.id in self._left:
            return False
        self.add(session)
        try:
            begun = await session.open(begins=True)
        except StoreError:
            await self.close(session)
            raise
        if not begun:
            self.drop(session)
        return begun

    async def close(self, session: LiveSession) -> None:
        """A session is over: what waits or runs for it is cancelled, at the latest by a replay."""
        if self.drop(session):
            session.unfinished.clear()  # who waits for garbage to be found keeps no sound
            self._left[session.id] = session.cell
            try:
                await self._close(session.id, session.cell)
            except StoreError as error:
                log.info("a session is closed later", session=session.id, why=str(error))

    async def replay(self, cell: int) -> None:
        """Tell a cell again which sessions are here and what they wait for. Raises StoreError."""
        for name, its_cell in list(self._left.items()):
            if its_cell == cell:
                await self._close(name, cell)
        sessions = iter([one for one in self._live.values() if one.cell == cell])
        while some := list(islice(sessions, AT_ONCE)):
            await asyncio.gather(*map(restore, some))

    def accepted(self, message: Accepted) -> None:
        """A node has accepted a job of a session that is, or was, here."""
        if session := self._live.get(message.session):
            session.progress.accepted(message)

    def partial(self, message: Partial) -> None:
        """A node has understood part of what such a session said."""
        if session := self._live.get(message.session):
            session.progress.partial(message)

    def answered(self, session: str, outcome: Outcome, body: bytes) -> None:
        """A node of this process has ended a job of a session that is, or was, here."""
        if live := self._live.get(session):
            if body and outcome.job in live.unfinished:
                self._process.results.keep(session, outcome.job, body)
            self._end(live, outcome)

    def adopt(self, session: LiveSession, outcome: Outcome) -> None:
        """A session is to answer for a job that it does not know, if it should."""
        session.start(self._adopt(session, outcome))

    async def stop(self) -> None:
        """End those that are left, or leave them to the process that their clients come back to."""
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await asyncio.gather(*map(self._leave, list(self._live.values())))

    async def _leave(self, session: LiveSession) -> None:
        if session.may_return:
            await session.refusals.tell_now()
            await self.away.leave(session)
        else:
            await self.close(session)

    async def _adopt(self, session: LiveSession, outcome: Outcome) -> None:
        while not session.ended:
            with suppress(StoreError):
                await adopt(session, outcome)
                return
            await asyncio.sleep(AGAIN_S)  # nobody else tells of it

    async def _close(self, name: str, cell: int) -> None:
        process = self._process
        while (
            await scripts.close_session(process.cells, cell=cell, session=name, process=process.id)
        ).more:
            pass
        self._left.pop(name, None)

    def _moved(self, cell: int, message: Moved) -> None:
        session = self._live.get(message.session)
        if session and session.generation < message.generation:
            self.away.let_go(session)

    def _pressure(self, cell: int, message: Pressure) -> None:
        """It is told to all who use the queue, whether anything of theirs waits there or not."""
        level = Level(message.level)
        for session in self._live.values():
            if session.cell == cell and message.sig in ("", session.sig):
                session.telling.pressure.changed(level)

    def _settle(self, cell: int, message: Outcome) -> None:
        if session := self._live.get(message.session):
            self._end(session, message)

    def _end(self, session: LiveSession, outcome: Outcome) -> None:
        if not session.progress.settle(outcome) and session.generation:
            self.adopt(session, outcome)

    def _placed(self, cell: int, message: Placed) -> None:
        if session := self._live.get(message.session):
            session.progress.placed(message)
