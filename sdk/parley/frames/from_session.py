"""What a client sends over `/ws/session`."""

from __future__ import annotations

from typing import ClassVar, TypeAlias

from parley.frames.common import ABSENT, Base64, Count, Frame, Id, Number, Priority, Switches


class SessionInit(Frame, tag="session_init"):
    """First message of a session. `sample_rate` is that of its audio chunks."""

    client_version: str
    platform: str
    src_lang: str
    tgt_lang: str
    dialect: str | None = None
    features: Switches | None = None
    pairing_code: str | None = None
    tenant_id: Id | None = None
    mode: str | None = None
    lang_a: str | None = None
    lang_b: str | None = None
    auto_langs: list[str] | None = None
    enable_streaming_asr: bool | None = None
    partial_update_interval_ms: Count | None = None
    context_text: str | None = None
    padding_ms: Count | None = None
    trace_id: Id | None = None
    resume_token: str | None = None
    audio_format: str | None = None
    sample_rate: Count | None = None
    accepts: list[str] | None = None
    last_utterance_index: Count | None = None
    pairing_required: bool | None = None


class Utterance(Frame, tag="utterance"):
    """One utterance, one job. Its sound is in `audio` (base64 as it came) or at `audio_ref`.

    `deadline_ms`: how long it may wait for a node, 0 not at all.
    """

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
    features: Switches | None = None
    mode: str | None = None
    lang_a: str | None = None
    lang_b: str | None = None
    auto_langs: list[str] | None = None
    enable_streaming_asr: bool | None = None
    partial_update_interval_ms: Count | None = None
    context_text: str | None = None
    padding_ms: Count | None = None
    trace_id: Id | None = None
    pipeline: Switches | None = None
    request_id: Id | None = None
    preferred_node_id: Id | None = None
    audio_ref: str | None = None
    deadline_ms: Count | None = None
    priority: Priority | None = None


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
