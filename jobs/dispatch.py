"""From an utterance to a job: where it may go, and the one script call that places it.

The next stop of a job is :func:`lua.scripts.dispatch`; the node's process finds it in its mailbox,
unless it is this process: then it is handed over here.
"""

import asyncio
from typing import TYPE_CHECKING

from jobs.ended import outcome_in
from jobs.failures import Failure, failure_of
from jobs.specs import spec_of
from jobs.speech import Speech
from jobs.unfinished import Work
from lua import ids, scripts, views
from lua.errors import StoreError, StoreUnavailable
from lua.scripts import Conflict, Need, NewJob, Refused, Repeat, Reserved, Waiting
from lua.states import TERMINAL, JobState
from parley.codes import ErrorCode
from parley.frames import Utterance
from pools.routes import Refusal

if TYPE_CHECKING:
    from jobs.session import LiveSession

Reply = scripts.Dispatched | Reserved | Waiting | Refused | Repeat | Conflict | scripts.Held
OTHER_CELL = "other_cell"  # why a preferred node is not even looked at


async def dispatch(
    session: "LiveSession", work: Work, frame: Utterance, speech: Speech, need: Need | Refusal
) -> None:
    """Place the work of a session and tell the session what came of it.

    The script is called before the first suspension, unless the sound is large, ``need`` is a
    refusal, or the session is paired: then Redis is asked whether somebody could do it.
    """
    process, asked = session.process, ""
    try:
        if isinstance(need, Refusal) or session.pin:
            need = await process.snapshot.need(
                session.cells,
                session.cell,
                speech.ask,
                caller=session.caller(speech),
                pin=session.pin,
            )
        if isinstance(need, Refusal):
            session.progress.refuse(work, _failure(session, need, speech))
            return
        session.sig = need.sig
        work.job = _spec(session, work, frame, speech, need)
        asked = work.id
        process.asking.add(asked)
        reply = await _place(session, work, work.job)
        await _take_in(session, work, reply, speech)
    except StoreError as error:
        # The call may have run, or may yet run; nobody wants its outcome any more.
        session.progress.refuse(work, Failure(error.code))
    finally:
        process.asking.discard(asked)  # the work may be that of an earlier job by now


async def dispatch_in_turn(
    session: "LiveSession",
    work: Work,
    frame: Utterance,
    speech: Speech,
    need: Need | Refusal,
    *,
    after: "asyncio.Task[None] | None",
) -> None:
    """The same for part of a turn, once it is known where the part before it went."""
    if after is not None:
        await asyncio.wait((after,))
    if work.ending.turn is not None:
        frame.preferred_node_id = work.ending.turn.node or None
    await dispatch(session, work, frame, speech, need)


def _spec(
    session: "LiveSession", work: Work, frame: Utterance, speech: Speech, need: Need
) -> NewJob:
    """A preferred node of another cell is passed over."""
    work.passed = need.passed
    preferred = frame.preferred_node_id
    if preferred and ids.cell_of_node(preferred, session.cells.count) != session.cell:
        frame.preferred_node_id = None
        work.passed = f"{work.passed} {preferred}:{OTHER_CELL}".strip()
    return spec_of(
        work.id,
        frame,
        speech,
        need,
        session.origin,
        index=frame.utterance_index,
        size=len(work.payload),
        retries=session.process.settings.max_retries,
        trace=work.told[0].trace,
        turn=work.ending.mark,
    )


async def _place(session: "LiveSession", work: Work, job: NewJob) -> Reply:
    for _ in range(2):
        reply = await _call(session, work, job)
        if not isinstance(reply, scripts.NoSession):
            return reply
        if session.ended:
            break
        session.process.suspect(session.cell)
        await session.open()  # the replay has not come to it yet
    raise StoreUnavailable("the session is not known")


async def _call(session: "LiveSession", work: Work, job: NewJob) -> Reply | scripts.NoSession:
    """Right after a loss of Redis nobody is refused for want of nodes: they are about to be told
    again, and meanwhile a new job waits like those that were lost.
    """
    cells, cell = session.cells, session.cell
    if not session.process.snapshot.is_doubted(cell) or session.unfinished.has_asked(job):
        straight = session.process.bearer and session.unfinished.is_straight
        return await scripts.dispatch(
            cells,
            cell=cell,
            job=job,
            payload=work.payload,
            process=session.process.id if straight else "",
            passed=work.passed,
            asker=session.process.id,
        )
    reply = await scripts.restore_job(cells, cell=cell, job=job, payload=work.payload)
    match reply:
        case scripts.Claimed():
            return Repeat(job.job, JobState.DISPATCHED, 0, reply.node)
        case scripts.Known():
            return Repeat(job.job, reply.state, 0, "")
    return reply


async def _take_in(session: "LiveSession", work: Work, reply: Reply, speech: Speech) -> None:
    match reply:
        case scripts.Dispatched():
            _hand_over(session, work, reply)
            session.progress.dispatched(work, reply.node)
            session.went_to(reply.pool, speech)
        case Reserved():
            work.roundabout = True
            session.progress.dispatched(work, reply.node)
            session.went_to(reply.pool, speech)
        case Waiting():
            work.roundabout = True
            session.progress.waits(work, reply.level)
        case scripts.Held():
            session.telling.waiting(work.told)  # not for long: no reason to hold speech back
        case Refused():
            session.progress.fail(work, _failure(session, reply, speech))
        case Conflict():
            session.progress.refuse(work, _failure(session, reply, speech))
        case Repeat() if reply.job != work.id:
            await _join(session, work, reply.job)
        case Repeat() if reply.state not in TERMINAL:
            session.progress.dispatched(work, reply.node)


def _hand_over(session: "LiveSession", work: Work, reply: scripts.Dispatched) -> None:
    """To a node of this process; back, when the session has ended meanwhile."""
    job, bearer = work.job, session.process.bearer
    assert job is not None
    assert bearer is not None
    if session.ended and not session.elsewhere:
        bearer.decline(session.cell, reply)
        return
    taken = scripts.Taken(
        index=reply.index,
        session=job.session,
        src=job.src,
        tgt=job.tgt,
        trace=job.trace,
        big=False,
        payload=work.payload,
    )
    bearer.begin(session.cell, reply, taken)


def _failure(
    session: "LiveSession", refusal: Refusal | Refused | Conflict, speech: Speech
) -> Failure:
    return failure_of(refusal, speech=speech, pin=session.pin)


async def _join(session: "LiveSession", work: Work, earlier: str) -> None:
    """The same request was made before: its answer is also this one's."""
    if session.progress.merge(work, earlier):
        return
    view = await views.job_now(session.cells, earlier)
    if view is None:
        session.progress.fail(work, Failure(ErrorCode.STATE_LOST))
    elif view.is_final:
        session.progress.settle(outcome_in(view))
