"""A job that came by REST: from its request to the one script call that places it.

Its result is fetched by whoever asked (:mod:`jobs.api.result`), so it needs no session; one that
names a live session ends with it.
"""

from dataclasses import dataclass
from random import choice, randrange
from uuid import uuid4
from zlib import crc32

from jobs.answers import Told, now_ms
from jobs.failures import Failure, failure_of
from jobs.payload import payload_of
from jobs.refusing import refused
from jobs.specs import Origin, spec_of
from jobs.speech import Speech, languages_of, speech_of
from lua import ids, scripts
from lua.client import Cells
from lua.scripts import (
    NO_UTTERANCE,
    Conflict,
    Need,
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
    """Why not. The ``job`` is in the history all the same."""

    failure: Failure
    job: str


Answer = Reserved | Waiting | NotPlaced | Repeat | Conflict | NoSession


@dataclass(frozen=True)
class Request:
    """Who asks for what. ``strict``: on the preferred node or nowhere. ``exclude``: a node to pass
    over, or empty; ``spread``: so is the one that the session had last.
    """

    frame: Utterance
    origin: Origin
    strict: bool
    exclude: str
    spread: bool
    retries: int

    @property
    def avoid(self) -> tuple[str, ...]:
        """Nodes to pass over while others can be found."""
        return (self.exclude,) if self.exclude else ()

    @property
    def asked(self) -> tuple[object, ...]:
        """All but what is asked of every utterance."""
        frame = self.frame
        return (
            frame.preferred_node_id,
            self.strict,
            self.exclude,
            self.spread,
            frame.deadline_ms,
            frame.priority,
            self.origin.session,
        )


async def dispatch(cells: Cells, snapshot: Snapshot, request: Request) -> Answer:
    """Place it. Raises FrameError or Unsupported for what cannot be meant or done; StoreError."""
    frame = request.frame
    speech, cell, need = await compiled(cells, snapshot, request)
    if isinstance(need, Refusal):
        return await _refused(cells, cell, request, failure_of(need, speech=speech))
    job = ids.new_job(cell, cells.count)
    # Agents run a session strictly index by index: a job without one is a session of its own.
    frame.session_id = request.origin.session or job
    trace = frame.trace_id or uuid4().hex
    payload = payload_of(frame, speech, trace=trace)
    spec = spec_of(
        job,
        frame,
        speech,
        need,
        request.origin,
        index=NO_UTTERANCE,
        size=len(payload),
        retries=request.retries,
        trace=trace,
        avoid=request.avoid,
        asked=request.asked,
    )
    reply = await scripts.dispatch(
        cells, cell=cell, job=spec, payload=payload, passed=need.passed, spread=request.spread
    )
    assert not isinstance(reply, scripts.Dispatched)  # which wants a process
    if isinstance(reply, Refused):
        failure = failure_of(reply, speech=speech)
        return NotPlaced(failure, reply.job)
    return reply


async def _refused(cells: Cells, cell: int, request: Request, failure: Failure) -> Answer:
    """No pool serves it: then it is in the history only."""
    frame, origin = request.frame, request.origin
    src, tgt = languages_of(frame)
    told = Told(
        session=origin.session,
        index=NO_UTTERANCE,
        job=ids.new_job(cell, cells.count),
        trace=frame.trace_id or uuid4().hex,
        lang=src,
        received_ms=now_ms(),
        src=src,
        tgt=tgt,
    )
    reply = await scripts.refuse_job(
        cells, cell=cell, job=refused(told, failure, tenant=origin.tenant), process=""
    )
    return reply if isinstance(reply, NoSession) else NotPlaced(failure, told.job)


async def compiled(
    cells: Cells, snapshot: Snapshot, request: Request
) -> tuple[Speech, int, Need | Refusal]:
    """What is asked for, the cell to ask, and where in it. Raises as :func:`dispatch`."""
    speech = speech_of(request.frame)
    cell = cell_of(request, cells.count, list(snapshot.cells_serving(speech.ask.route)))
    pin = (request.frame.preferred_node_id or "") if request.strict else ""
    caller = Caller(request.origin.tenant, request.origin.session)
    need = await snapshot.need(cells, cell, speech.ask, caller=caller, pin=pin)
    return speech, cell, need


def cell_of(request: Request, cells: int, serving: list[int]) -> int:
    """Of its session; else of the node asked for; else of its request id; else any that serves."""
    if request.origin.session:
        return ids.cell_of(request.origin.session, cells)
    if request.frame.preferred_node_id:
        return ids.cell_of_node(request.frame.preferred_node_id, cells)
    if request.frame.request_id:
        return crc32(f"{request.origin.scope}/{request.frame.request_id}".encode()) % cells
    return choice(serving) if serving else randrange(cells)
