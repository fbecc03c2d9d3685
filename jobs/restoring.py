"""A session that Redis may have lost: it and what it waits for are told again."""

from jobs.ended import outcome_in
from jobs.session import LiveSession
from jobs.unfinished import Work
from lua import scripts, views
from lua.errors import StoreUnavailable
from lua.states import TERMINAL


async def restore(session: LiveSession) -> None:
    """Make a session and its unfinished jobs known again, under the same ids. Raises StoreError."""
    if session.ended:
        return
    await session.open()
    for work in list(session.unfinished.values()):
        if work.job is not None and work.id in session.unfinished and not session.ended:
            await _restore_job(session, work)
    if session.may_return:
        for told, failure in session.telling.unsent():
            session.refusals.keep(told, failure)
    await session.refusals.tell()


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
                session.progress.settle(outcome_in(view))
        case scripts.NoSession() if not session.ended:
            raise StoreUnavailable("the session was lost again")
