"""``GET jobs/{id}/result/?wait=20``: the last stop of a job that came by REST.

An ASGI application beside Django, whose every request keeps a thread: here nothing but a timer is
held by those who wait.
"""

import asyncio
import time
from contextlib import suppress
from typing import Any

import msgspec
from channels.db import database_sync_to_async
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse, JsonResponse

from jobs.api import problems
from jobs.api.access import OPERATOR, SESSION, tenant_seen
from jobs.api.asgi import Receive, Send, bad_wait, serve, wait_of
from jobs.models import Job
from jobs.models.job import FINAL
from jobs.pauses import pauses
from jobs.principal import Principal
from lua import ids, views
from lua.client import Cells
from lua.errors import StoreError
from lua.states import JobState
from lua.views import JobView
from parley.codes import ErrorCode, advice
from parley.frames import splice


class ResultHead(msgspec.Struct):
    """What stands before the node's answer."""

    job_id: str
    state: str
    node_id: str
    attempt_id: int


async def result(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """200 once the job has ended: with its answer, or with ``code`` and ``message`` of a failure.
    404 when it has not ended after ``wait`` seconds (default 0), and when its answer is gone.

    Finds who asks in ``scope["principal"]`` and the process in ``scope["parley"]``.
    """
    await serve(_respond(scope), receive, send)


async def _respond(scope: dict[str, Any]) -> HttpResponse:
    principal: Principal | None = scope["principal"]
    if scope["method"] != "GET":
        return problems.response(405, detail="Only GET.")
    if principal is None:
        return problems.unauthorized(shown=b"authorization" in dict(scope["headers"]))
    if principal.kind not in (OPERATOR, SESSION):
        return problems.response(403)
    wait_s = wait_of(scope)
    if wait_s is None:
        return bad_wait()
    job_id = scope["url_route"]["kwargs"]["job_id"]
    try:
        return await _answer(scope["parley"].cells, job_id, principal, wait_s)
    except StoreError as error:
        return problems.response(503, code=error.code)
    except (InterfaceError, OperationalError):
        return problems.response(503)


async def _answer(cells: Cells, job_id: str, principal: Principal, wait_s: float) -> HttpResponse:
    job = await _ended(cells, job_id, principal, wait_s)
    if job is None:
        return _of_row(job_id, principal, await _row(job_id))
    if not _may_see(principal, job):
        return _unknown(job_id)
    if job.state is not JobState.DONE and (row := await _ended_otherwise(job)):
        return _of_row(job_id, principal, row)
    if not job.is_final:
        return _not_yet(job.state)
    if job.state is not JobState.DONE:
        return _failure(job_id, job.state, job.node, job.attempt, job.code, job.message)
    body: bytes | None = b"{}"  # part of a turn, answered with the last one
    if job.size:
        body = await cells.result(ids.cell_of(job_id, cells.count), job_id, size=job.size)
    if body is None:
        return _gone(job.state)
    head = ResultHead(job_id, job.state, job.node, job.attempt)
    return HttpResponse(splice(head, body), content_type="application/json")


async def _ended(cells: Cells, job_id: str, principal: Principal, wait_s: float) -> JobView | None:
    """The job once it has ended, or as it is when the time is over; None: not in Redis."""
    until_s = time.monotonic() + wait_s
    pause_s = pauses(first_s=0.02, longest_s=0.25, factor=1.5)
    while True:
        try:
            job = await views.job_now(cells, job_id)
        except ValueError:
            return None
        left_s = until_s - time.monotonic()
        if job is None or job.is_final or left_s <= 0 or not _may_see(principal, job):
            return job
        await asyncio.sleep(min(next(pause_s), left_s))


async def _ended_otherwise(live: JobView) -> Job | None:
    """The job as SQL has it, when it has ended there: Redis may be an older copy of itself."""
    with suppress(InterfaceError, OperationalError):
        row = await _row(live.job)
        return row if row and row.state in FINAL and row.state != live.state else None
    return None


def _of_row(job_id: str, principal: Principal, job: Job | None) -> HttpResponse:
    """Redis forgets a job 10 min after its end, its answer sooner."""
    if job is None or not _may_see(principal, job):
        return _unknown(job_id)
    if job.state == JobState.DONE or job.state not in FINAL:
        return _gone(job.state)
    return _failure(job_id, job.state, job.node, job.attempt, job.code, "")


async def _row(job_id: str) -> Job | None:
    query = database_sync_to_async(
        lambda: Job.objects.filter(pk=job_id).first(), thread_sensitive=False
    )
    job: Job | None = await query()
    return job


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


def _not_yet(state: str) -> HttpResponse:
    detail = f"The job is not finished yet: it is {state}."
    wait = "Ask again later, or with ?wait=20 to wait for it."
    return problems.response(404, code=ErrorCode.NO_RESULT, detail=detail, advice=wait, state=state)


def _gone(state: str) -> HttpResponse:
    detail = "The answer is not kept any more: fetch it within minutes of its end."
    return problems.response(404, code=ErrorCode.STATE_LOST, detail=detail, state=state)
