"""Frames of the session socket, `/ws/session`: what a client sends and what it is told."""

from __future__ import annotations

from typing import Any, ClassVar, TypeAlias

import msgspec

from parley.frames.common import ABSENT, Base64, Count, Error, Frame, Id, Number, Part
from parley.frames.node import Features, ServiceTimings


class SessionInit(Frame, tag="session_init"):
    """First message of a session. `sample_rate` is that of its audio chunks."""

    client_version: str
    platform: str
    src_lang: str
    tgt_lang: str
    dialect: str | None = None
    features: Features | None = None
    pairing_code: str | None = None
    tenant_id: Id | None = None
    mode: str | None = None
    lang_a: str | None = None
    lang_b: str | None = None
    auto_langs: list[str] | None = None
    enable_streaming_asr: bool | None = None
    partial_update_interval_ms: Count | None = None
    trace_id: Id | None = None
    resume_token: str | None = None
    audio_format: str | None = None
    sample_rate: Count | None = None
    accepts: list[str] | None = None
    last_utterance_index: Count | None = None
    pairing_required: bool | None = None


class PipelineWish(Part):
    """The steps that a client asks for or forbids; what it leaves out has its default."""

    use_asr: bool | None = None
    use_nmt: bool | None = None
    use_tts: bool | None = None
    use_semantic: bool | None = None
    use_tone: bool | None = None


class Utterance(Frame, tag="utterance"):
    """One utterance, one job. Its sound is in `audio` (base64 as it came) or at `audio_ref`."""

    base64_fields: ClassVar = ("audio",)

    session_id: Id
    utterance_index: Count
    manual_cut: bool
    src_lang: str
    tgt_lang: str
    audio_format: str
    sample_rate: Count
    audio: Base64 = ABSENT
    dialect: str | None = None
    features: Features | None = None
    mode: str | None = None
    lang_a: str | None = None
    lang_b: str | None = None
    auto_langs: list[str] | None = None
    enable_streaming_asr: bool | None = None
    partial_update_interval_ms: Count | None = None
    trace_id: Id | None = None
    pipeline: PipelineWish | None = None
    request_id: Id | None = None
    preferred_node_id: Id | None = None
    audio_ref: str | None = None
    deadline_ms: Count | None = None
    priority: int | None = None


class AudioChunk(Frame, tag="audio_chunk"):
    """A piece of a stream of audio; `payload` may be absent or empty in the final one."""

    base64_fields: ClassVar = ("payload",)

    session_id: Id
    seq: Count
    is_final: bool
    payload: Base64 = ABSENT
    client_timestamp_ms: Number | None = None


class ClientHeartbeat(Frame, tag="client_heartbeat"):
    session_id: Id
    timestamp: Count


class SessionClose(Frame, tag="session_close"):
    session_id: Id
    reason: str


class TtsStarted(Frame, tag="tts_started"):
    """The client has begun to play an answer."""

    session_id: Id
    trace_id: Id
    group_id: Id
    ts_start_ms: Number


class TtsPlayEnded(Frame, tag="tts_play_ended"):
    """The client has played an answer to its end."""

    session_id: Id
    trace_id: Id
    group_id: Id
    ts_end_ms: Number


class RoomCreate(Frame, tag="room_create"):
    """Rooms are known by name only: whatever else they say, they get `room_error`."""


class RoomJoin(Frame, tag="room_join"):
    """As `RoomCreate`."""


class RoomLeave(Frame, tag="room_leave"):
    """As `RoomCreate`."""


class RoomRawVoicePreference(Frame, tag="room_raw_voice_preference"):
    """As `RoomCreate`."""


class WebrtcOffer(Frame, tag="webrtc_offer"):
    """Ignored, like the other frames of WebRTC."""


class WebrtcAnswer(Frame, tag="webrtc_answer"):
    """Ignored."""


class WebrtcIce(Frame, tag="webrtc_ice"):
    """Ignored."""


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
    """Milliseconds that the frames were on their way."""

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


RoomFrame: TypeAlias = RoomCreate | RoomJoin | RoomLeave | RoomRawVoicePreference
WebrtcFrame: TypeAlias = WebrtcOffer | WebrtcAnswer | WebrtcIce

SessionFrame: TypeAlias = (
    SessionInit
    | Utterance
    | AudioChunk
    | ClientHeartbeat
    | SessionClose
    | TtsStarted
    | TtsPlayEnded
    | RoomFrame
    | WebrtcFrame
)
"""What a client may send."""

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
