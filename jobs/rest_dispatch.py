"""A job that came by REST: from its request to the one script call that places it.

Its result is fetched by whoever asked (:mod:`jobs.api.result`), so it needs no session; one that
names a live session ends with it.
"""

from dataclasses import dataclass
from hashlib import sha1
from random import choice, randrange
from uuid import uuid4
from zlib import crc32

from jobs.dispatch import NO_DEADLINE, USUAL_PRIORITY
from jobs.failures import Failure, failure_of
from jobs.payload import Speech, digest_of, payload_of, speech_of
from lua import ids, scripts
from lua.client import Cells
from lua.scripts import (
    NO_UTTERANCE,
    Conflict,
    Need,
    NewJob,
    NoSession,
    Refused,
    Repeat,
    Reserved,
    Waiting,
)
from parley.frames import Utterance
from pools.order import Caller
from pools.routes import Refusal
from pools.snapshot import Snapshot


@dataclass(frozen=True)
class NotPlaced:
    """Why not. ``job`` is empty when it never came to Redis."""

    failure: Failure
    job: str = ""


Answer = Reserved | Waiting | NotPlaced | Repeat | Conflict | NoSession


@dataclass(frozen=True)
class Request:
    """Who asks for what. ``scope`` is that of the request ids; ``session`` a live one, or empty.

    ``strict``: on the preferred node or nowhere. ``exclude``: a node to pass over, or empty;
    ``spread``: so is the one that the session had last.
    """

    frame: Utterance
    tenant: str
    scope: str
    session: str
    strict: bool
    exclude: str
    spread: bool
    retries: int

    @property
    def avoid(self) -> list[str]:
        """Nodes to pass over while others can be found."""
        return [self.exclude] if self.exclude else []

    @property
    def deadline_ms(self) -> int:
        """How long it may wait, as the scripts are told."""
        return NO_DEADLINE if self.frame.deadline_ms is None else self.frame.deadline_ms


async def dispatch(cells: Cells, snapshot: Snapshot, request: Request) -> Answer:
    """Place it. Raises FrameError or Unsupported for what cannot be meant or done; StoreError."""
    frame = request.frame
    speech, cell, need = await compiled(cells, snapshot, request)
    if isinstance(need, Refusal):
        return NotPlaced(failure_of(need, snapshot=snapshot, cell=cell, speech=speech))
    job = ids.new_job(cell, cells.count)
    # Agents run a session strictly index by index: a job without one is a session of its own.
    frame.session_id = request.session or job
    trace = frame.trace_id or uuid4().hex
    payload = payload_of(frame, speech, trace=trace)
    spec = _spec(job, request, speech, need, size=len(payload), trace=trace)
    reply = await scripts.dispatch(
        cells, cell=cell, job=spec, payload=payload, passed=need.passed, spread=request.spread
    )
    assert not isinstance(reply, scripts.Dispatched)  # which wants a process
    if isinstance(reply, Refused):
        failure = failure_of(reply, snapshot=snapshot, cell=cell, speech=speech)
        return NotPlaced(failure, reply.job)
    return reply


async def compiled(
    cells: Cells, snapshot: Snapshot, request: Request
) -> tuple[Speech, int, Need | Refusal]:
    """What is asked for, the cell to ask, and where in it. Raises as :func:`dispatch`."""
    speech = speech_of(request.frame)
    cell = cell_of(request, cells.count, list(snapshot.cells_serving(speech.ask.route)))
    pin = (request.frame.preferred_node_id or "") if request.strict else ""
    caller = Caller(request.tenant, request.session)
    need = await snapshot.need(cells, cell, speech.ask, caller=caller, pin=pin)
    return speech, cell, need


def cell_of(request: Request, cells: int, serving: list[int]) -> int:
    """Of its session; else of the node asked for; else of its request id; else any that serves."""
    if request.session:
        return ids.cell_of(request.session, cells)
    if request.frame.preferred_node_id:
        return ids.cell_of_node(request.frame.preferred_node_id, cells)
    if request.frame.request_id:
        return crc32(f"{request.scope}/{request.frame.request_id}".encode()) % cells
    return choice(serving) if serving else randrange(cells)


def _spec(
    job: str, request: Request, speech: Speech, need: Need, *, size: int, trace: str
) -> NewJob:
    frame = request.frame
    key = f"{request.scope}/{frame.request_id}" if frame.request_id else ""
    return NewJob(
        job=job,
        session=request.session,
        index=NO_UTTERANCE,
        request=key,
        digest=_digest(request, speech) if key else "",
        tenant=request.tenant,
        src=speech.src,
        tgt=speech.tgt,
        need=need.text,
        sig=need.sig,
        preferred=frame.preferred_node_id or "",
        avoid=request.avoid,
        deadline_ms=request.deadline_ms,
        priority=frame.priority or USUAL_PRIORITY,
        size=size,
        retries=request.retries,
        trace=trace,
    )


def _digest(request: Request, speech: Speech) -> str:
    """Equal for equal bodies; what the sound's own digest leaves out is added."""
    frame = request.frame
    asked = (
        digest_of(frame, speech),
        frame.preferred_node_id,
        request.strict,
        request.exclude,
        request.spread,
        frame.deadline_ms,
        frame.priority,
        request.session,
    )
    return sha1(repr(asked).encode(), usedforsecurity=False).hexdigest()
