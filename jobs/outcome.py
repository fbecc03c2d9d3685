"""From a node's ``job_result`` to the end of the attempt: the way back of a job.

The next stop is :func:`lua.scripts.finish`, called through :mod:`jobs.keeping`; what it decides
reaches the session's process through the mailbox, or at once where that is the node's own.
"""

import re
import time
from collections.abc import Container
from typing import Any

import msgspec

from lua import ids
from lua.scripts import Finish, Verdict
from parley.codes import ErrorCode
from parley.frames import ABSENT, JobResult, ResultBody, ServiceTimings, encode, present, read_extra
from parley.frames.common import Number

LONGEST_CODE, LONGEST_MESSAGE = 64, 500
LARGEST_EXTRA = 4_096  # bytes of the free-form part that are passed on
LARGEST_SEGMENTS = 65_536
NO_AUDIO = msgspec.Raw(b'""')
DEFAULT_TTS_FORMAT = "pcm16"

# Codes of a node that say that the input is at fault: no other node would do better.
INPUT_FAULTS = frozenset({"UNSUPPORTED_AUDIO", "UNSUPPORTED_AUDIO_FORMAT", "UNSUPPORTED_FEATURE"})
INPUT_FAULT_PREFIX = "INVALID_"
# Codes that say nothing against the node: it is full, or lacks a model (its service is left out).
BLAMELESS = frozenset({"NODE_OVERLOADED", "MODEL_NOT_AVAILABLE"})
# In ``extra.reason``: nothing was said, or none of it is this job's. That is an answer.
WITHOUT_TEXT = frozenset({"ASR_EMPTY", "NO_TEXT_ASSIGNED"})
SERVICE_ID = re.compile(r"[A-Za-z0-9._:@/+-]{1,128}")
# In the message of an agent that has seen the job, or its utterance, before.
DUPLICATE = "DUPLICATE_"


class StoredResult(ResultBody, kw_only=True):
    """What is kept as a job's result: the session's process puts its own fields in front.

    ``received_at_ms``: when the result reached the dispatcher, Unix ms. It and what follows are
    encoded last, so that they can be found, and left out, without reading the rest.
    ``acked_in_ms``: how soon after it was sent the job was acknowledged.
    """

    received_at_ms: int
    node_completed_at_ms: Number | None = None
    acked_in_ms: int | None = None


class Ready(msgspec.Struct, frozen=True):
    """A result as ``finish`` takes it. ``body`` is empty for a failure. ``attempt``: which one the
    node says it answers; that decides nothing, because agents mix them up.
    """

    outcome: Finish
    body: bytes
    attempt: int


def verdict_of(result: JobResult) -> tuple[Verdict, str, str]:
    """What a result means for its job: the verdict, its code and its message.

    A full node, a duplicate and a missing model are no fault of the job, nor is any failure that
    another node may not have.
    """
    if result.success or _is_without_text(result):
        return Verdict.DONE, "", ""
    if result.error is None:
        return Verdict.RETRY, ErrorCode.PROCESSING_ERROR, "The node gave no reason."
    code = result.error.code[:LONGEST_CODE] or ErrorCode.PROCESSING_ERROR
    message = result.error.message[:LONGEST_MESSAGE]
    verdict = Verdict.FAIL if _input_is_at_fault(code, message) else Verdict.RETRY
    return verdict, code, message


def _is_without_text(result: JobResult) -> bool:
    return present(result.extra) and read_extra(result.extra).reason in WITHOUT_TEXT


def _input_is_at_fault(code: str, message: str) -> bool:
    if DUPLICATE in message:
        return False
    return code.startswith(INPUT_FAULT_PREFIX) or code in INPUT_FAULTS


def _blame(result: JobResult, code: str, message: str, services: Container[str]) -> str:
    """Whose fault a failure that is worth a retry may be, as :class:`Finish` says it."""
    if code in BLAMELESS or DUPLICATE in message:
        return ""
    details = result.error.details if result.error else None
    service = service_of(details)
    return service if service in services else "*"


def service_of(details: Any) -> str:
    """The service that an error's details name, if it can be one's id; else nothing."""
    service = details.get("service_id") if isinstance(details, dict) else None
    return service if isinstance(service, str) and SERVICE_ID.fullmatch(service) else ""


def prepare(
    result: JobResult,
    *,
    node: str,
    trace: str = "",
    acked_in_ms: int | None = None,
    services: Container[str] = (),
) -> Ready:
    """The result ready to be finished; ``trace`` stands in where the node gives none.
    ``acked_in_ms``: how soon the node said that it has the job, if it did.

    ``services``: ids of the node's, so that a failure of one is not the node's.

    Texts and timings are encoded anew; audio is copied as it came.
    """
    verdict, code, message = verdict_of(result)
    timings = _timings(result)
    body = encode(_stored(result, timings, trace, acked_in_ms)) if verdict is Verdict.DONE else b""
    outcome = Finish(
        job=result.job_id,
        node=node,
        verdict=verdict,
        blame=_blame(result, code, message, services) if verdict is Verdict.RETRY else "",
        code=code,
        message=message,
        size=len(body),
        brief=encode(timings).decode() if timings else "",
        token=ids.new_token(),
    )
    return Ready(outcome, body, result.attempt_id)


def _stored(
    result: JobResult, timings: ServiceTimings | None, trace: str, acked_in_ms: int | None
) -> StoredResult:
    silent = _is_without_text(result)
    return StoredResult(
        text_asr="" if silent else result.text_asr or "",
        text_translated="" if silent else result.text_translated or "",
        tts_audio=result.tts_audio if present(result.tts_audio) and not silent else NO_AUDIO,
        trace_id=result.trace_id or trace,
        group_id=result.group_id or f"g-{result.job_id}",
        tts_format=result.tts_format or DEFAULT_TTS_FORMAT,
        part_index=result.part_index,
        service_timings=timings,
        extra=_small(result.extra, LARGEST_EXTRA),
        asr_quality_level=result.asr_quality_level,
        reason_codes=result.reason_codes,
        quality_score=result.quality_score,
        rerun_count=result.rerun_count,
        segments_meta=_small(result.segments_meta, LARGEST_SEGMENTS),
        received_at_ms=time.time_ns() // 1_000_000,
        node_completed_at_ms=result.node_completed_at_ms,
        acked_in_ms=acked_in_ms,
    )


def _timings(result: JobResult) -> ServiceTimings | None:
    timings = read_extra(result.extra).service_timings if present(result.extra) else None
    if timings is None and result.processing_time_ms is not None:
        return ServiceTimings(total_ms=result.processing_time_ms)
    return timings


def _small(raw: msgspec.Raw, limit: int) -> msgspec.Raw:
    """The raw value, or nothing where it is absent or too large to pass on."""
    return raw if present(raw) and len(memoryview(raw)) <= limit else ABSENT
