"""The sessions whose sockets this process holds: where the mailbox's words for them arrive, and
those of nodes of the same process.

The next stop of a job's end is :meth:`jobs.session.LiveSession.settle`.
"""

import asyncio
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

import structlog

from jobs.dispatch import Work, outcome_of
from jobs.session import LiveSession
from lua import scripts, views
from lua.errors import StoreError, StoreUnavailable
from lua.mailbox import Accepted, Outcome, Partial, Placed, Pressure
from lua.states import TERMINAL, Level

if TYPE_CHECKING:
    from jobs.process import Process

log = structlog.get_logger(__name__)

AT_ONCE = 64
STOP_S = 1.0


class Sessions:
    """One a process."""

    def __init__(self, process: "Process") -> None:
        self._process = process
        self._live: dict[str, LiveSession] = {}
        self._left: dict[str, int] = {}  # ended, but not in Redis yet: session → cell
        process.handle(Outcome, self._settle)
        process.handle(Placed, self._placed)
        process.handle(Accepted, lambda cell, message: self.accepted(message))
        process.handle(Partial, lambda cell, message: self.partial(message))
        process.handle(Pressure, self._pressure)

    def __len__(self) -> int:
        return len(self._live)

    def get(self, name: str) -> LiveSession | None:
        """A session whose socket is here."""
        return self._live.get(name)

    def unfinished(self) -> int:
        """Utterances without an answer; a session with answers on their way counts as one more."""
        return sum(len(one.unfinished) + one.telling.is_busy for one in self._live.values())

    async def open(self, session: LiveSession) -> None:
        """A session begins. Raises StoreError; then it has not."""
        self._live[session.id] = session
        try:
            await session.open()
        except StoreError:
            await self.close(session)
            raise

    async def close(self, session: LiveSession) -> None:
        """A session is over: what waits or runs for it is cancelled, at the latest by a replay."""
        session.end()
        self._process.results.forget(session.id)
        if self._live.pop(session.id, None) is not None:
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
            session.accepted(message)

    def partial(self, message: Partial) -> None:
        """A node has understood part of what such a session said."""
        if session := self._live.get(message.session):
            session.partial(message)

    def answered(self, session: str, outcome: Outcome, body: bytes) -> None:
        """A node of this process has ended a job of a session that is, or was, here."""
        if live := self._live.get(session):
            if body and outcome.job in live.unfinished:
                self._process.results.keep(session, outcome.job, body)
            live.settle(outcome)

    async def stop(self) -> None:
        """End those that are left."""
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await asyncio.gather(*map(self.close, list(self._live.values())))

    async def _close(self, name: str, cell: int) -> None:
        process = self._process
        while (
            await scripts.close_session(process.cells, cell=cell, session=name, process=process.id)
        ).more:
            pass
        self._left.pop(name, None)

    def _pressure(self, cell: int, message: Pressure) -> None:
        """It is told to all who use the queue, whether anything of theirs waits there or not."""
        level = Level(message.level)
        for session in self._live.values():
            if session.cell == cell and message.sig in ("", session.sig):
                session.telling.pressure.changed(level)

    def _settle(self, cell: int, message: Outcome) -> None:
        if session := self._live.get(message.session):
            session.settle(message)

    def _placed(self, cell: int, message: Placed) -> None:
        if session := self._live.get(message.session):
            session.placed(message)


async def restore(session: LiveSession) -> None:
    """Make a session and its unfinished jobs known again, under the same ids. Raises StoreError."""
    if session.ended:
        return
    await session.open()
    for work in list(session.unfinished.values()):
        if work.job is not None and work.id in session.unfinished and not session.ended:
            await _restore_job(session, work)


async def _restore_job(session: LiveSession, work: Work) -> None:
    assert work.job is not None
    reply = await scripts.restore_job(
        session.cells, cell=session.cell, job=work.job, payload=work.payload
    )
    match reply:
        case scripts.Known() if reply.state in TERMINAL:
            # Its outcome may have been told to a mailbox that is no more.
            view = await views.job_now(session.cells, work.id)
            if view is not None:
                session.settle(outcome_of(view))
        case scripts.NoSession() if not session.ended:
            raise StoreUnavailable("the session was lost again")
