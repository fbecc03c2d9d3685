"""What a client is sent over `/ws/session`."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from parley.frames.common import ABSENT, Base64, Error, Frame, Number, Part
from parley.frames.from_node import ServiceTimings


class SessionInitAck(Frame, tag="session_init_ack"):
    """The session exists. The audio fields have the values that deployed clients know."""

    session_id: str
    assigned_node_id: str | None
    message: str
    trace_id: str
    protocol_version: str
    use_binary_frame: bool
    negotiated_codec: str
    negotiated_audio_format: str
    negotiated_sample_rate: int
    negotiated_channel_count: int
    resume_token: str | None = None


class NetworkTimings(Part):
    """Milliseconds that the frames were on their way, each where it is known.

    From the client by the `client_timestamp_ms` of its last piece of sound, from the node by its
    `node_completed_at_ms` (both by their clocks), to the node by how soon it acknowledged the job.
    The way to the client is left out: it is the time from `scheduler_sent_at_ms` on.
    """

    web_to_scheduler_ms: Number | None = None
    scheduler_to_node_ms: Number | None = None
    node_to_scheduler_ms: Number | None = None
    scheduler_to_web_ms: Number | None = None


class ResultHead(Frame, tag="translation_result"):
    """The fields of `translation_result` that the session's process knows.

    `splice(ResultHead(…), body)` is the whole frame.
    """

    session_id: str
    utterance_index: int
    job_id: str
    scheduler_sent_at_ms: int
    network_timings: NetworkTimings | None = None
    late: bool | None = None


class ResultBody(Part):
    """The fields of `translation_result` that come from the node: kept encoded with the job."""

    text_asr: str
    text_translated: str
    tts_audio: Base64
    trace_id: str
    group_id: str
    tts_format: str
    part_index: int | None = None
    service_timings: ServiceTimings | None = None
    extra: msgspec.Raw = ABSENT
    asr_quality_level: str | None = None
    reason_codes: list[str] | None = None
    quality_score: Number | None = None
    rerun_count: int | None = None
    segments_meta: msgspec.Raw = ABSENT


class TranslationResult(ResultBody, tag_field="type", tag="translation_result", kw_only=True):
    """The answer to one utterance: `ResultHead` and `ResultBody` together, as a client reads it."""

    session_id: str
    utterance_index: int
    job_id: str
    scheduler_sent_at_ms: int
    network_timings: NetworkTimings | None = None
    late: bool | None = None


class MissingResult(Frame, tag="missing_result"):
    """Stands in for the answer to one utterance.

    `reason`: gap_timeout (the answer may still follow, marked late), pending_overflow_evict,
    job_failed or silence_detected.
    """

    session_id: str
    utterance_index: int
    reason: str
    created_at_ms: int
    trace_id: str | None = None
    code: str | None = None
    message: str | None = None
    details: dict[str, Any] | None = None


class AsrPartial(Frame, tag="asr_partial"):
    """What is recognised so far; `utterance_index` is the session's own."""

    job_id: str
    session_id: str
    utterance_index: int
    text: str
    is_final: bool
    trace_id: str


class UiEvent(Frame, tag="ui_event"):
    """A step of a job, for display. `status`: ok or error."""

    trace_id: str
    session_id: str
    job_id: str
    utterance_index: int
    event: str
    status: str
    elapsed_ms: int | None = None
    error_code: str | None = None
    hint: str | None = None


class Backpressure(Frame, tag="backpressure"):
    """`action`: PAUSE (hold audio back for `resume_after_ms`), BUSY or SLOW_DOWN."""

    action: str
    resume_after_ms: int | None = None
    message: str | None = None


class ServerHeartbeat(Frame, tag="server_heartbeat"):
    session_id: str
    timestamp: int


class SessionCloseAck(Frame, tag="session_close_ack"):
    session_id: str


class RoomError(Frame, tag="room_error"):
    code: str
    message: str


ToSession: TypeAlias = (
    SessionInitAck
    | TranslationResult
    | MissingResult
    | AsrPartial
    | UiEvent
    | Backpressure
    | ServerHeartbeat
    | SessionCloseAck
    | RoomError
    | Error
)
"""What a client may be sent."""
