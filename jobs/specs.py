"""What Redis is told of a job that is to be made: of an utterance, or of a request by REST.

The next stop of a job is :func:`lua.scripts.dispatch`.
"""

from dataclasses import dataclass

from jobs.payload import digest_of
from jobs.speech import Speech
from lua.scripts import Need, NewJob
from parley.frames import Utterance

NO_DEADLINE = -1
USUAL_PRIORITY = 3


@dataclass(frozen=True)
class Origin:
    """Where utterances come from. ``session`` is empty for a job without a live session; ``scope``
    is that of its request ids.
    """

    session: str
    tenant: str
    scope: str


def deadline_of(frame: Utterance) -> int:
    """How long it may wait, in ms, as the scripts are told."""
    return NO_DEADLINE if frame.deadline_ms is None else frame.deadline_ms


def spec_of(
    job: str,
    frame: Utterance,
    speech: Speech,
    need: Need,
    origin: Origin,
    *,
    index: int,
    size: int,
    retries: int,
    trace: str,
    turn: str = "",
    avoid: tuple[str, ...] = (),
    asked: tuple[object, ...] = (),
) -> NewJob:
    """All as :class:`NewJob` says it. ``asked``: in what else a repeat of its request is alike."""
    request = f"{origin.scope}/{frame.request_id}" if frame.request_id else ""
    return NewJob(
        job=job,
        session=origin.session,
        index=index,
        request=request,
        digest=digest_of(frame, speech, *asked) if request else "",
        tenant=origin.tenant,
        src=speech.src,
        tgt=speech.tgt,
        need=need.text,
        sig=need.sig,
        preferred=frame.preferred_node_id or "",
        avoid=list(avoid),
        deadline_ms=deadline_of(frame),
        priority=frame.priority or USUAL_PRIORITY,
        size=size,
        retries=retries,
        trace=trace,
        turn=turn,
    )
