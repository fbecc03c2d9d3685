"""REST of nodes without sockets: they register, send heartbeats, fetch their jobs and answer them.

ASGI applications beside Django, because a request for jobs waits. What happens is in
:mod:`nodes.polled`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from django.conf import settings
from django.http import HttpResponse, JsonResponse

from jobs.api import problems
from jobs.api.asgi import Left, Receive, Send, TooLarge, at_once, bad_wait, body_of, serve, wait_of
from jobs.keeping import Reply
from jobs.principal import Principal
from lua.errors import StoreError
from lua.script import word_of
from nodes.api.body import frame_from
from nodes.polled import NotHere, PolledNode, find, register
from nodes.polling import Work
from nodes.registry import Registry, registry_of
from parley.codes import ErrorCode
from parley.frames import FrameError, JobAck, JobResult, NodeHeartbeat, NodeRegister

Scope = dict[str, Any]
NODE = "node"
KEPT = "KEPT"
_STATUS = {ErrorCode.INVALID_CAPABILITY_SCHEMA: 422}


@dataclass(frozen=True)
class Asked:
    """One request: by whom, of which process, with which body, and what its path says."""

    who: Principal
    registry: Registry
    body: bytes
    path: dict[str, str]
    scope: Scope


Handler = Callable[[Asked], Awaitable[HttpResponse]]


class Agents:
    """One path of nodes: ``handler`` answers ``method``."""

    def __init__(self, method: str, handler: Handler) -> None:
        self.method = method
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = settings.PARLEY_JOBS.socket.max_frame_bytes
        try:
            body = await body_of(receive, limit=limit)
        except Left:
            return
        except TooLarge:
            detail = f"The body is over {limit} bytes."
            refusal = problems.response(413, code=ErrorCode.INVALID_MESSAGE, detail=detail)
            await serve(at_once(refusal), receive, send)
            return
        await serve(self._respond(scope, body), receive, send)

    async def _respond(self, scope: Scope, body: bytes) -> HttpResponse:
        if scope["method"] != self.method:
            return problems.response(405, detail=f"Only {self.method}.")
        who: Principal | None = scope["principal"]
        if who is None:
            return problems.unauthorized(shown=b"authorization" in dict(scope["headers"]))
        if who.kind != NODE:
            return problems.response(403)
        path, registry = scope["url_route"]["kwargs"], registry_of(scope["parley"])
        response = await self._answer(Asked(who, registry, body, path, scope))
        if registry.resting:  # the next request is for another process
            response["Connection"] = "close"
        return response

    async def _answer(self, asked: Asked) -> HttpResponse:
        try:
            return await self._handler(asked)
        except FrameError as error:
            told = {"field": error.field, "expected": error.expected}
            return problems.response(422, code=error.code, detail=error.message, **told)
        except NotHere as error:
            status = _STATUS.get(error.code, 409)
            return problems.response(status, code=error.code, detail=str(error))
        except StoreError as error:
            return problems.response(503, code=error.code)


async def _register(asked: Asked) -> HttpResponse:
    if asked.registry.resting:
        return problems.response(503, detail="This process is leaving: try again.")
    frame = cast(NodeRegister, frame_from(asked.body, "node_register"))
    standing = await register(asked.registry, frame, asked.who)
    state = standing.state.value
    return JsonResponse({"node_id": standing.node, "message": "registered", "status": state})


async def _heartbeat(asked: Asked) -> HttpResponse:
    node = asked.path["node_id"]
    frame = cast(NodeHeartbeat, frame_from(asked.body, "node_heartbeat", node_id=node))
    state = await (await find(asked.registry, node, asked.who)).beat(frame)
    return JsonResponse({"node_id": node, "status": state.value})


async def _jobs(asked: Asked) -> HttpResponse:
    wait_s = wait_of(asked.scope)
    if wait_s is None:
        return bad_wait()
    node = asked.path["node_id"]
    work = await (await find(asked.registry, node, asked.who)).work(wait_s)
    return HttpResponse(_listed(node, work), content_type="application/json")


def _listed(node: str, work: Work) -> bytes:
    """The frames stay as they are: their sound is not encoded again."""
    unwanted = [{"job_id": job} for job in work.unwanted]
    jobs = [msgspec.Raw(frame) for frame in work.jobs]
    body = {"node_id": node, "status": work.state, "jobs": jobs, "cancelled": unwanted}
    return msgspec.json.encode(body)


async def _ack(asked: Asked) -> HttpResponse:
    job = asked.path["job_id"]
    frame = cast(JobAck, frame_from(asked.body, "job_ack", job_id=job))
    node = await find(asked.registry, frame.node_id, asked.who)
    if not node.may_have(job):
        return _unknown(job)
    if not await node.acked(frame):
        detail = "The job is not this node's, or not any more: it need not work on it."
        return problems.response(409, code=ErrorCode.CANCELLED, detail=detail)
    return JsonResponse({"job_id": job, "answer": "ACKED"})


async def _done(asked: Asked) -> HttpResponse:
    return await _result(asked, success=True)


async def _fail(asked: Asked) -> HttpResponse:
    return await _result(asked, success=False)


async def _result(asked: Asked, *, success: bool) -> HttpResponse:
    job = asked.path["job_id"]
    frame = cast(JobResult, frame_from(asked.body, "job_result", job_id=job, success=success))
    node: PolledNode = await find(asked.registry, frame.node_id, asked.who)
    if not node.may_have(job):
        return _unknown(job)
    reply: Reply | None = await node.finished(frame)
    answer = word_of(type(reply)) if reply is not None else KEPT
    return JsonResponse({"job_id": job, "answer": answer}, status=202 if answer == KEPT else 200)


def _unknown(job: str) -> HttpResponse:
    return problems.response(404, detail=f"There is no job {job[:64]}.")


PATHS = {
    "nodes/register/": Agents("POST", _register),
    "nodes/<str:node_id>/heartbeat/": Agents("POST", _heartbeat),
    "nodes/<str:node_id>/jobs/": Agents("GET", _jobs),
    "jobs/<str:job_id>/ack/": Agents("POST", _ack),
    "jobs/<str:job_id>/done/": Agents("POST", _done),
    "jobs/<str:job_id>/fail/": Agents("POST", _fail),
}
"""Below ``/api/v1/``."""
