"""``GET jobs/{id}/result/?wait=20``: the last stop of a job that came by REST.

A plain asynchronous view: nothing but a timer is held while it waits.
"""

import asyncio
import time
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse, JsonResponse

from jobs.api import problems
from jobs.api.access import OPERATOR, SESSION, principal_of, tenant_seen
from jobs.models import Job
from jobs.models.job import FINAL
from jobs.principal import Principal
from lua import ids, views
from lua.client import Cells
from lua.errors import StoreError
from lua.states import JobState
from lua.views import JobView
from parley.codes import ErrorCode, advice
from parley.frames import splice
from pools.store import cells_of, store

LONGEST_WAIT_S = 60.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.02, 0.25


class ResultHead(msgspec.Struct):
    """What stands before the node's answer."""

    job_id: str
    state: str
    node_id: str
    attempt_id: int


async def result(request: HttpRequest, job_id: str) -> HttpResponse:
    """200 once the job has ended: with its answer, or with ``code`` and ``message`` of a failure.
    404 when it has not ended after ``wait`` seconds (default 0), and when its answer is gone.
    """
    if request.method != "GET":
        return problems.response(405, detail="Only GET.")
    principal = principal_of(request)
    if principal is None:
        return problems.response(401)
    if principal.kind not in (OPERATOR, SESSION):
        return problems.response(403)
    wait_s = _wait_s(request)
    if wait_s is None:
        return problems.response(422, field="wait", detail="wait: a number of seconds, 0 to 60.")
    try:
        cells = cells_of(request)
        if cells is not None:
            return await _answer(cells, job_id, principal, wait_s)
        async with Cells(store()) as own:
            return await _answer(own, job_id, principal, wait_s)
    except StoreError as error:
        return problems.response(503, code=error.code)


def _wait_s(request: HttpRequest) -> float | None:
    try:
        wait_s = float(request.GET.get("wait", "0"))
    except ValueError:
        return None
    return min(wait_s, LONGEST_WAIT_S) if wait_s >= 0 else None


async def _answer(cells: Cells, job_id: str, principal: Principal, wait_s: float) -> HttpResponse:
    job = await _ended(cells, job_id, principal, wait_s)
    if job is None:
        return await _from_history(job_id, principal)
    if not _may_see(principal, job):
        return _unknown(job_id)
    if not job.is_final:
        detail = f"The job has not ended: it is {job.state}."
        return problems.response(404, code=ErrorCode.NO_RESULT, detail=detail, state=job.state)
    if job.state is not JobState.DONE:
        return _failure(job_id, job.state, job.node, job.attempt, job.code, job.message)
    body = await cells.result(ids.cell_of(job_id, cells.count), job_id, size=job.size)
    if body is None:
        return _gone(job.state)
    head = ResultHead(job_id, job.state, job.node, job.attempt)
    return HttpResponse(splice(head, body), content_type="application/json")


async def _ended(cells: Cells, job_id: str, principal: Principal, wait_s: float) -> JobView | None:
    """The job once it has ended, or as it is when the time is over; None: not in Redis."""
    until_s, pause_s = time.monotonic() + wait_s, FIRST_PAUSE_S
    while True:
        try:
            job = await views.job_now(cells, job_id)
        except ValueError:
            return None
        left_s = until_s - time.monotonic()
        if job is None or job.is_final or left_s <= 0 or not _may_see(principal, job):
            return job
        await asyncio.sleep(min(pause_s, left_s))
        pause_s = min(pause_s * 1.5, LONGEST_PAUSE_S)


async def _from_history(job_id: str, principal: Principal) -> HttpResponse:
    """Redis forgets a job 10 min after its end, its answer sooner."""
    job = await Job.objects.filter(pk=job_id).afirst()
    if job is None or not _may_see(principal, job):
        return _unknown(job_id)
    if job.state == JobState.DONE or job.state not in FINAL:
        return _gone(job.state)
    return _failure(job_id, job.state, job.node, job.attempt, job.code, "")


def _may_see(principal: Principal, job: Job | JobView) -> bool:
    return tenant_seen(principal) in (None, job.tenant)


def _failure(
    job_id: str, state: str, node: str, attempt: int, code: str, message: str
) -> HttpResponse:
    body: dict[str, Any] = {
        "job_id": job_id,
        "state": state,
        "node_id": node,
        "attempt_id": attempt,
        "code": code,
        "message": message or advice(code),
    }
    return JsonResponse(body)


def _unknown(job_id: str) -> HttpResponse:
    return problems.response(404, detail=f"There is no job {job_id[:64]}.")


def _gone(state: str) -> HttpResponse:
    detail = "The answer is not kept any more: fetch it within minutes of its end."
    return problems.response(404, code=ErrorCode.STATE_LOST, detail=detail, state=state)
