"""What a client may send (section 3), one table a message."""

from __future__ import annotations

from tests.conformance.kinds import (
    COUNT,
    FLAG,
    ID,
    NUMBER,
    OBJECT,
    SOUND,
    TEXT,
    TEXTS,
    Kind,
    Message,
    only,
    table,
)

MUST, MAY = True, False
SWITCHES = Kind(({}, {"emotion_detection": True}, {"emotion_detection": None}), OBJECT.bad)
LANG = only("qaa", "qab-Hans")
CHANGED = "s-00000000"
"""Stands for the session's own id."""

WISHES = {
    "dialect": "x",
    "features": {"emotion_detection": False},
    "mode": "one_way",
    "lang_a": "qaa",
    "lang_b": "qab",
    "auto_langs": ["qaa", "qab"],
    "enable_streaming_asr": True,
    "partial_update_interval_ms": 200,
    "context_text": "x",
    "padding_ms": 200,
    "trace_id": "t-1",
}
WISH_ROWS = (
    ("dialect", TEXT, MAY),
    ("features", SWITCHES, MAY),
    ("mode", only("one_way", "two_way_auto"), MAY),
    ("lang_a", LANG, MAY),
    ("lang_b", LANG, MAY),
    ("auto_langs", TEXTS, MAY),
    ("enable_streaming_asr", FLAG, MAY),
    ("partial_update_interval_ms", COUNT, MAY),
    ("context_text", TEXT, MAY),
    ("padding_ms", COUNT, MAY),
    ("trace_id", ID, MAY),
)

# 3.1; what a resume token and a pairing code do is tested apart
SESSION_INIT: Message = table(
    {
        "type": "session_init",
        "client_version": "1.0",
        "platform": "web",
        "src_lang": "qaa",
        "tgt_lang": "qab",
        **WISHES,
        "tenant_id": "conformance",
        "audio_format": "opus",
        "sample_rate": 16_000,
        "accepts": ["errors"],
        "pairing_required": False,
    },
    ("client_version", TEXT, MUST),
    ("platform", only("android", "ios", "web", "api-gateway", "watch"), MUST),
    ("src_lang", LANG, MUST),
    ("tgt_lang", LANG, MUST),
    *WISH_ROWS,
    ("tenant_id", ID, MAY),
    ("pairing_code", Kind((), TEXT.bad), MAY),
    ("resume_token", Kind((), TEXT.bad), MAY),
    ("last_utterance_index", COUNT, MAY),
    ("audio_format", only("opus", "pcm16"), MAY),
    ("sample_rate", Kind((16_000,), COUNT.bad, COUNT.large), MAY),
    ("accepts", Kind(([], ["errors", "backpressure"], ["unheard"]), TEXTS.bad), MAY),
    ("pairing_required", Kind((False,), FLAG.bad), MAY),
)

# 3.2; nobody serves its languages here: each legal one ends as NO_CAPABLE_NODE
UTTERANCE: Message = table(
    {
        "type": "utterance",
        "session_id": CHANGED,
        "utterance_index": 0,
        "manual_cut": True,
        "src_lang": "qaa",
        "tgt_lang": "qab",
        "audio": "AAAA",
        "audio_format": "pcm16",
        "sample_rate": 16_000,
        **WISHES,
        "pipeline": {"use_tts": False},
        "request_id": "r-1",
        "preferred_node_id": "nobody",
        "deadline_ms": 1_000,
        "priority": 3,
    },
    ("session_id", Kind((), ID.bad, ID.large), MUST),
    ("utterance_index", Kind((), COUNT.bad, COUNT.large), MUST),
    ("manual_cut", FLAG, MUST),
    ("src_lang", LANG, MUST),
    ("tgt_lang", LANG, MUST),
    ("audio", Kind(("AAAA",), SOUND.bad), MUST),
    ("audio_format", only("pcm16", "opus"), MUST),
    ("sample_rate", Kind((16_000,), COUNT.bad, COUNT.large), MUST),
    *WISH_ROWS,
    ("pipeline", Kind(({}, {"use_asr": None}, {"use_nmt": True}), OBJECT.bad), MAY),
    ("request_id", ID, MAY),
    ("preferred_node_id", ID, MAY),
    ("audio_ref", Kind(("https://files.example/1",), TEXT.bad), MAY),
    ("deadline_ms", COUNT, MAY),
    ("priority", Kind((1, 2, 3, 4, 5), COUNT.bad, (0, 6, -1)), MAY),
)

# 3.3
AUDIO_CHUNK: Message = table(
    {
        "type": "audio_chunk",
        "session_id": CHANGED,
        "seq": 0,
        "is_final": False,
        "payload": "",
        "client_timestamp_ms": 1_700_000_000_000,
    },
    ("session_id", Kind((), ID.bad, ID.large), MUST),
    ("seq", COUNT, MUST),
    ("is_final", FLAG, MUST),
    ("payload", Kind(("",), SOUND.bad), MAY),
    ("client_timestamp_ms", NUMBER, MAY),
)

# 3.6
CLIENT_HEARTBEAT: Message = table(
    {"type": "client_heartbeat", "session_id": CHANGED, "timestamp": 1_700_000_000_000},
    ("session_id", Kind((), ID.bad, ID.large), MUST),
    ("timestamp", COUNT, MUST),
)
SESSION_CLOSE: Message = table(
    {"type": "session_close", "session_id": CHANGED, "reason": "done"},
    ("session_id", Kind((), ID.bad, ID.large), MUST),
    ("reason", Kind((), TEXT.bad), MUST),  # a good one ends the session: tested apart
)
PLAYED = {"session_id": CHANGED, "trace_id": "t-1", "group_id": "g-1"}
PLAYED_ROWS = (
    ("session_id", Kind((), ID.bad, ID.large), MUST),
    ("trace_id", ID, MUST),
    ("group_id", ID, MUST),
)
TTS_STARTED: Message = table(
    {"type": "tts_started", **PLAYED, "ts_start_ms": 1_700_000_000_000},
    *PLAYED_ROWS,
    ("ts_start_ms", NUMBER, MUST),
)
TTS_PLAY_ENDED: Message = table(
    {"type": "tts_play_ended", **PLAYED, "ts_end_ms": 1_700_000_000_000},
    *PLAYED_ROWS,
    ("ts_end_ms", NUMBER, MUST),
)

AFTER_INIT = (
    UTTERANCE,
    AUDIO_CHUNK,
    CLIENT_HEARTBEAT,
    SESSION_CLOSE,
    TTS_STARTED,
    TTS_PLAY_ENDED,
)
ROOMS = ("room_create", "room_join", "room_leave", "room_raw_voice_preference")
WEBRTC = ("webrtc_offer", "webrtc_answer", "webrtc_ice")
