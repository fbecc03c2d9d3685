"""A session that goes on at another process: what it waits for, and what it may not have been told.

All of it is read from Redis: the process that had the session may be no more.
"""

from jobs.answers import Told
from jobs.ended import outcome_in
from jobs.failures import failure_in
from jobs.session import LiveSession
from jobs.unfinished import Work
from lua import views
from lua.mailbox import Outcome
from lua.states import JobState, Level
from lua.views import JobView, LiveJob, SessionJobs


async def revive(session: LiveSession, last: int | None) -> None:
    """Take in the session's jobs. What ends meanwhile is taken in after it. Raises StoreError, and
    then nothing is changed.

    ``last``: its client has all answers up to this index. Where it does not say so, it gets those
    of the last while once more.
    """
    past = await views.session_jobs(session.cells, session.id)
    if session.progress.is_whole:
        return  # its client has come back twice
    ended = _untold(session, past, last)
    indexes = [*(view.index for view in ended), *(job.view.index for job in past.live)]
    session.go_on(indexes, last, past.newest)
    for job in past.live:
        _go_on(session, job, last)
    for view in ended:
        _settle(session, view)
    for outcome in session.progress.becomes_whole():
        session.process.sessions.adopt(session, outcome)


async def adopt(session: LiveSession, outcome: Outcome) -> None:
    """A job has ended that the session does not know: the process that had the session before may
    have been about to send it. Raises StoreError.
    """
    view = await views.job_now(session.cells, outcome.job)
    if view is not None and view.is_final and view.is_utterance:
        _settle(session, view)


def _untold(session: LiveSession, past: SessionJobs, last: int | None) -> list[JobView]:
    if last is not None:
        return [view for view in past.ended if view.index > last]
    since_ms = past.now_ms - session.process.settings.resend_ms
    return [view for view in past.ended if view.ended_ms > since_ms]


def _go_on(session: LiveSession, job: LiveJob, last: int | None) -> None:
    told = _told(session, job.view)
    waits = job.view.state == JobState.WAITING
    if last is None or told.index > last:
        session.intake.announce(told)
    work = Work(job.view.job, [told], job.payload, job=job.spec, dispatched=not waits)
    session.unfinished.add(work)
    if waits:
        session.progress.waits(work, Level.NONE)


def _settle(session: LiveSession, view: JobView) -> None:
    told, outcome = _told(session, view), outcome_in(view)
    if not session.intake.announce(told):
        return
    work = Work(view.job, [told], b"")
    session.unfinished.add(work)
    if view.state == JobState.DONE:
        session.progress.settle(outcome)
    else:
        session.progress.fail(work, failure_in(view, outcome))


def _told(session: LiveSession, view: JobView) -> Told:
    return Told(
        session=session.id,
        index=view.index,
        job=view.job,
        trace=view.trace,
        lang=session.lang,
        received_ms=view.created_ms,
    )
