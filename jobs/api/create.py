"""``POST jobs/``: what each answer of ``dispatch`` is in HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from rest_framework.response import Response

from jobs import rest_dispatch
from jobs.api.access import OPERATOR
from jobs.api.body import JobBody, Options, invalid, utterance_of
from jobs.api.problems import Problem
from jobs.failures import Failure
from jobs.principal import Principal
from jobs.specs import Origin
from jobs.wishes import Unsupported
from lua import scripts, views
from lua.client import Cells
from lua.errors import StoreUnavailable
from lua.states import JobState
from parley.codes import ErrorCode
from parley.frames import FrameError
from pools.snapshot import Snapshot
from pools.store import call, process_of

KEY_HEADER = "Idempotency-Key"
LONGEST_KEY = 200


def create(request: HttpRequest, body: JobBody, principal: Principal) -> Response:
    """Place a job. Raises Problem and StoreError."""
    process = process_of(request)
    if process is not None and process.draining:
        raise StoreUnavailable("this process is leaving")
    wish = wish_of(body, principal, request.headers.get(KEY_HEADER, ""))

    async def place(cells: Cells) -> tuple[rest_dispatch.Answer, str]:
        bound = await _bound(cells, wish)
        answer = await rest_dispatch.dispatch(cells, await snapshot_of(cells, request), bound)
        return answer, await _pool(cells, answer)

    with faults():
        answer, pool = call(place, request)
    return respond(answer, pool)


@contextmanager
def faults() -> Iterator[None]:
    """What can't be meant or done, as a Problem."""
    try:
        yield
    except FrameError as error:
        raise invalid(error) from error
    except Unsupported as error:
        raise Problem(422, error.code, str(error)) from error


async def snapshot_of(cells: Cells, request: HttpRequest) -> Snapshot:
    """What the process knows of all pools, or else what the cells say now."""
    process = process_of(request)
    return process.snapshot if process is not None else await _read(cells)


def respond(answer: rest_dispatch.Answer, pool: str) -> Response:
    """201, 202, 200; or a Problem."""
    match answer:
        case scripts.Reserved():
            return _placed(201, answer, JobState.RESERVED, node=answer.node, pool=pool)
        case scripts.Waiting():
            return _placed(202, answer, JobState.WAITING)
        case scripts.Repeat():
            return _placed(200, answer, answer.state, node=answer.node, pool=pool)
        case scripts.Conflict():
            detail = "This Idempotency-Key was used with another body."
            raise Problem(422, ErrorCode.INVALID_MESSAGE, detail, job_id=answer.job)
        case scripts.NoSession():
            raise _no_session()
        case rest_dispatch.NotPlaced():
            raise _not_placed(answer.failure, answer.job)


def _not_placed(failure: Failure, job: str) -> Problem:
    status = 422 if failure.code == ErrorCode.UNSUPPORTED_FEATURE else 503
    members: dict[str, Any] = {"job_id": job}
    if failure.breakdown:
        members["breakdown"] = failure.breakdown
    if failure.retry_after_ms:
        members["retry_after_ms"] = failure.retry_after_ms
    return Problem(status, failure.code, failure.message, reason=failure.reason, **members)


def _placed(status: int, answer: Any, state: str, *, node: str = "", pool: str = "") -> Response:
    body = {
        "job_id": answer.job,
        "node_id": node,
        "attempt_id": getattr(answer, "attempt", 0),
        "state": state,
        "pool": pool,
    }
    return Response(body, status=status)


def wish_of(body: JobBody, principal: Principal, key: str) -> rest_dispatch.Request:
    """What a principal asks for."""
    if len(key) > LONGEST_KEY:
        detail = f"{KEY_HEADER} is longer than {LONGEST_KEY} characters."
        raise Problem(422, ErrorCode.INVALID_MESSAGE, detail)
    options = body.options or Options()
    if options.strict and not options.preferred_node_id:
        detail = "options.strict needs options.preferred_node_id."
        raise Problem(422, ErrorCode.INVALID_MESSAGE, detail, field="options.preferred_node_id")
    tenant = principal.tenant
    if principal.kind == OPERATOR:
        tenant = body.tenant_id or principal.tenant
    return rest_dispatch.Request(
        frame=utterance_of(body, key=key),
        origin=Origin(
            session=body.session_id or "", tenant=tenant, scope=f"{tenant}/{principal.credential}"
        ),
        strict=bool(options.strict),
        exclude=options.exclude_node_id or "",
        spread=bool(options.spread_nodes),
        retries=settings.PARLEY_JOBS.max_retries,
    )


async def _pool(cells: Cells, answer: rest_dispatch.Answer) -> str:
    """The pool that a job was placed in, also by an earlier request; empty: in none."""
    if isinstance(answer, scripts.Reserved):
        return answer.pool
    job = await views.job_now(cells, answer.job) if isinstance(answer, scripts.Repeat) else None
    return job.pool if job else ""


async def _bound(cells: Cells, wish: rest_dispatch.Request) -> rest_dispatch.Request:
    """A session takes only jobs of its own tenant; those of a paired one go to its node alone."""
    origin = wish.origin
    if not origin.session:
        return wish
    session = await views.session_now(cells, origin.session)
    if session is None or session.tenant != origin.tenant:
        raise _no_session()
    if not session.pin:
        return wish
    wish.frame.preferred_node_id = session.pin
    return replace(wish, strict=True)


def _no_session() -> Problem:
    detail = "There is no such live session: leave session_id out, or open it first."
    return Problem(422, ErrorCode.INVALID_SESSION, detail, field="session_id")


async def _read(cells: Cells) -> Snapshot:
    snapshot = Snapshot(cells.count, settings.PARLEY_POOLS)
    await snapshot.reload(cells)
    return snapshot
