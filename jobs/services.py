"""What people do with jobs: look at one as it is now, and cancel it."""

import asyncio
from collections.abc import Iterable
from itertools import islice

from jobs.history import fitted, when
from jobs.models import Job
from lua import ids, scripts, views
from lua.client import Cells
from lua.states import JobState
from lua.views import JobView
from pools.store import store

AT_ONCE = 64


def current_job(name: str) -> Job | None:
    """The job as Redis has it now, completed by the history; from the history alone later.

    Not saved, never to be saved. Raises redis-py's RedisError, unless the job has ended in SQL.
    """
    row = Job.objects.filter(pk=name).first()
    if row is not None and row.finished_at is not None:
        return row
    live = views.job(store(), name)
    return row if live is None else overlaid(row, live)


def overlaid(row: Job | None, live: JobView) -> Job:
    """A row brought up to what Redis says."""
    job = row or Job(job_id=live.job, created_at=when(live.created_ms))
    values = {
        "state": live.state.value,
        "session": live.session,
        "index": live.index,
        "tenant": live.tenant,
        "src": live.src,
        "tgt": live.tgt,
        "node": live.node,
        "pool": live.pool,
        "attempt": live.attempt,
        "tries": live.tries,
        "code": "" if live.state == JobState.DONE else live.code,
        "reason": live.reason,
        "breakdown": live.breakdown or None,
        "trace": live.trace,
    }
    for name, value in fitted(Job, **values).items():
        setattr(job, name, value)
    if live.ended_ms:
        job.finished_at = when(live.ended_ms)
        job.duration_ms = live.ended_ms - live.created_ms
    job.updated_at = job.finished_at or job.updated_at or job.created_at
    return job


async def cancel(cells: Cells, job: str) -> JobState | None:
    """Cancel a live job; returns its state then. None: Redis does not know it (any more).

    Raises ValueError for what is no job id, and StoreError.
    """
    cell = ids.cell_of(job, cells.count)
    reply = await scripts.cancel(cells, cell=cell, job=job, code="CANCELLED")
    match reply:
        case scripts.Cancelled():
            if reply.more and (view := await views.job_now(cells, job)):
                await hand_out(cells, cell, view.node)
            return JobState.CANCELLED
        case scripts.Final():
            return reply.state
    return None


async def cancel_all(cells: Cells, jobs: Iterable[str]) -> dict[str, JobState | None]:
    """As :meth:`cancel`, for many: the state of each, None for what is no live job. Raises
    StoreError; then some are cancelled and some are not.
    """
    states: dict[str, JobState | None] = {}
    left = iter(dict.fromkeys(jobs))
    while some := list(islice(left, AT_ONCE)):
        states |= zip(
            some, await asyncio.gather(*(_cancel(cells, job) for job in some)), strict=True
        )
    return states


async def _cancel(cells: Cells, job: str) -> JobState | None:
    try:
        return await cancel(cells, job)
    except ValueError:
        return None


async def hand_out(cells: Cells, cell: int, node: str) -> None:
    """Give the node's free slots to waiting jobs, until there is no more to give."""
    while True:
        reply = await scripts.offer(cells, cell=cell, node=node)
        if not isinstance(reply, scripts.Ok) or not reply.more:
            return
