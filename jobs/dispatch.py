"""From an utterance to a job: where it may go, and the one script call that places it.

The next stop of a job is :func:`lua.scripts.dispatch`; the node's process finds it in its mailbox,
unless it is this process: then it is handed over here.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from jobs.failures import Failure, failure_of
from jobs.payload import Speech, digest_of
from jobs.settings import JobSettings
from jobs.unfinished import Work
from lua import ids, scripts, views
from lua.errors import StoreError, StoreUnavailable
from lua.mailbox import Outcome
from lua.scripts import Conflict, Need, NewJob, Refused, Repeat, Reserved, Waiting
from lua.states import TERMINAL, JobState
from lua.views import JobView
from parley.codes import ErrorCode
from parley.frames import Utterance
from pools.routes import Refusal

if TYPE_CHECKING:
    from jobs.session import LiveSession

Reply = scripts.Dispatched | Reserved | Waiting | Refused | Repeat | Conflict | scripts.Held
NO_DEADLINE = -1
OTHER_CELL = "other_cell"  # why a preferred node is not even looked at
USUAL_PRIORITY = 3


@dataclass(frozen=True)
class Origin:
    """Where utterances come from. ``session`` is empty for a job without a live session; ``scope``
    is that of its request ids.
    """

    session: str
    tenant: str
    scope: str


def new_job(
    work: Work, frame: Utterance, speech: Speech, need: Need, origin: Origin, settings: JobSettings
) -> NewJob:
    """What ``dispatch`` is told."""
    request = f"{origin.scope}/{frame.request_id}" if frame.request_id else ""
    return NewJob(
        job=work.id,
        session=origin.session,
        index=frame.utterance_index,
        request=request,
        digest=digest_of(frame, speech) if request else "",
        tenant=origin.tenant,
        src=speech.src,
        tgt=speech.tgt,
        need=need.text,
        sig=need.sig,
        preferred=frame.preferred_node_id or "",
        avoid=[],
        deadline_ms=NO_DEADLINE if frame.deadline_ms is None else frame.deadline_ms,
        priority=frame.priority or USUAL_PRIORITY,
        size=len(work.payload),
        retries=settings.max_retries,
        trace=work.told[0].trace,
        turn=work.ending.mark,
    )


def outcome_of(view: JobView) -> Outcome:
    """How a job has ended, for whom the mailbox's word of it did not reach."""
    return Outcome(
        job=view.job,
        session=view.session,
        state=view.state,
        code=view.code,
        message=view.message,
        details=msgspec.json.encode(view.breakdown).decode(),
        node=view.node,
        attempt=view.attempt,
        size=view.size,
        by_node=bool(view.message and view.attempt),
    )


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
            session.refuse(work, _failure(session, need, speech))
            return
        session.sig = need.sig
        work.passed = need.passed
        preferred = frame.preferred_node_id
        if preferred and ids.cell_of_node(preferred, session.cells.count) != session.cell:
            frame.preferred_node_id = None
            work.passed = f"{work.passed} {preferred}:{OTHER_CELL}".strip()
        work.job = new_job(work, frame, speech, need, session.origin, process.settings)
        asked = work.id
        process.asking.add(asked)
        reply = await _place(session, work, work.job)
        await _take_in(session, work, reply, speech)
    except StoreError as error:
        # The call may have run, or may yet run; nobody wants its outcome any more.
        session.refuse(work, Failure(error.code))
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
            session.dispatched(work, reply.node)
            session.went_to(reply.pool, speech)
        case Reserved():
            work.roundabout = True
            session.dispatched(work, reply.node)
            session.went_to(reply.pool, speech)
        case Waiting():
            work.roundabout = True
            session.waits(work, reply.level)
        case scripts.Held():
            session.telling.waiting(work.told)  # not for long: no reason to hold speech back
        case Refused():
            session.fail(work, _failure(session, reply, speech))
        case Conflict():
            session.refuse(work, _failure(session, reply, speech))
        case Repeat() if reply.job != work.id:
            await _join(session, work, reply.job)
        case Repeat() if reply.state not in TERMINAL:
            session.dispatched(work, reply.node)


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
    snapshot = session.process.snapshot
    return failure_of(refusal, snapshot=snapshot, cell=session.cell, speech=speech, pin=session.pin)


async def _join(session: "LiveSession", work: Work, earlier: str) -> None:
    """The same request was made before: its answer is also this one's."""
    if session.merge(work, earlier):
        return
    view = await views.job_now(session.cells, earlier)
    if view is None:
        session.fail(work, Failure(ErrorCode.STATE_LOST))
    elif view.is_final:
        session.settle(outcome_of(view))


async def call_off(
    session: "LiveSession", job: str, code: ErrorCode, *, only_idle: bool = False
) -> None:
    """Cancel a job whose outcome nobody wants; ``only_idle``: if it waits for a node.

    Without Redis a waiting job comes to the end of its wait, and for others it is left to the
    replay, which names the jobs that are still wanted.
    """
    with suppress(StoreError):
        await scripts.cancel(
            session.cells,
            cell=session.cell,
            job=job,
            code=code,
            process=session.process.id,
            only_idle=only_idle,
        )
