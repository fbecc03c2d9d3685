"""Utterances and requests by REST that make no job: Redis is told, as it is of those that do.

So they are in the history, and a session that goes on at another process answers them there
(:mod:`jobs.reviving`).
"""

from contextlib import suppress
from typing import TYPE_CHECKING

from jobs.answers import Told
from jobs.failures import Failure
from lua import scripts
from lua.errors import StoreError
from lua.states import TERMINAL
from parley.codes import ErrorCode

if TYPE_CHECKING:
    from jobs.session import LiveSession


def refused(told: Told, failure: Failure, *, tenant: str) -> scripts.RefusedJob:
    """What Redis is told of it."""
    return scripts.RefusedJob(
        job=told.job,
        session=told.session,
        index=told.index,
        tenant=tenant,
        src=told.src,
        tgt=told.tgt,
        trace=told.trace,
        code=failure.code,
        message=failure.message,
        reason=failure.reason,
        counts=failure.counts,
        field=failure.field,
        expected=failure.expected,
    )


class Refusals:
    """Of one session. What Redis does not take is told again by a replay, of each session the
    latest: so many as Redis keeps. What this process is killed with is lost, like an utterance that
    had not come to Redis.
    """

    def __init__(self, session: "LiveSession") -> None:
        self._session = session
        self._untold: dict[str, scripts.RefusedJob] = {}

    def __len__(self) -> int:
        return len(self._untold)

    def add(self, told: Told, failure: Failure) -> None:
        """The utterance has ended."""
        self.keep(told, failure)
        self._session.start(self._tell_now(told.job))

    def keep(self, told: Told, failure: Failure) -> None:
        """It is to be told by the next replay."""
        session = self._session
        self._untold[told.job] = refused(told, failure, tenant=session.origin.tenant)
        if len(self._untold) > session.cells.limits.kept_answers:
            del self._untold[next(iter(self._untold))]

    async def tell(self) -> None:
        """Tell Redis what it does not know yet. Raises StoreError."""
        for job in list(self._untold):
            await self._tell(job)

    async def tell_now(self) -> None:
        """The same, if Redis can be reached."""
        with suppress(StoreError):
            await self.tell()

    async def _tell_now(self, job: str) -> None:
        with suppress(StoreError):
            await self._tell(job)

    async def _tell(self, job: str) -> None:
        session, refused = self._session, self._untold.get(job)
        if refused is None:
            return
        told = await scripts.refuse_job(
            session.cells, cell=session.cell, job=refused, process=session.process.id
        )
        match told:
            case scripts.NoSession() if not session.ended:
                session.process.suspect(session.cell)  # the replay opens it again
                return
            case scripts.Known() if told.state not in TERMINAL and not session.elsewhere:
                # Its dispatch had run, and nobody wants its outcome any more.
                await session.progress.call_off(job, ErrorCode.SCHEDULER_DEPENDENCY_DOWN)
        self._untold.pop(job, None)
