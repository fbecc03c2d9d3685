"""What the service may send (2.2, 2.4, 2.8, 3.1, 3.6 to 3.9, 1.4): checked in every test."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.conformance.kinds import Json

Check = Callable[[Any], bool]


def text(value: Any) -> bool:
    return isinstance(value, str)


def named(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def flag(value: Any) -> bool:
    return isinstance(value, bool)


def thing(value: Any) -> bool:
    return isinstance(value, dict)


def texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(text, value))


def anything(value: Any) -> bool:
    return True


def one_of(*words: Any) -> Check:
    return lambda value: value in words and type(value) in map(type, words)


def like(pattern: str) -> Check:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def pong(value: Any) -> bool:
    """The only binary frame that the service sends (3.5)."""
    return isinstance(value, bytes) and value[0] == 0x11 and len(value) == 10 + value[1]


def or_null(check: Check) -> Check:
    return lambda value: value is None or check(value)


def made_of(**parts: Check) -> Check:
    """An object with exactly these fields."""
    return lambda value: (
        thing(value) and parts.keys() == value.keys() and all(parts[n](value[n]) for n in parts)
    )


def some_of(**parts: Check) -> Check:
    """An object with some of these fields."""
    return lambda value: thing(value) and all(n in parts and parts[n](value[n]) for n in value)


MS = number
STEPS = made_of(use_asr=flag, use_nmt=flag, use_tts=flag, use_semantic=flag, use_tone=flag)
TIMINGS = some_of(asr_ms=MS, nmt_ms=MS, tts_ms=MS, total_ms=MS)
WAYS = some_of(
    web_to_scheduler_ms=MS,
    scheduler_to_node_ms=MS,
    node_to_scheduler_ms=MS,
    scheduler_to_web_ms=MS,
)
EVENTS = (
    "INPUT_STARTED",
    "INPUT_ENDED",
    "ASR_PARTIAL",
    "ASR_FINAL",
    "DISPATCHED",
    "NODE_ACCEPTED",
    "NMT_DONE",
    "TTS_PLAY_STARTED",
    "TTS_PLAY_ENDED",
    "ERROR",
)
MISSING = ("gap_timeout", "pending_overflow_evict", "job_failed", "silence_detected")

# type → what is always there, and what may be
ALWAYS: dict[str, dict[str, Check]] = {
    "binary": {"data": pong},
    "error": {"code": named, "message": named},
    "node_register_ack": {
        "node_id": named,
        "message": text,
        "status": one_of("registering", "ready", "degraded", "draining", "offline"),
    },
    "job_assign": {
        "job_id": named,
        "attempt_id": count,
        "session_id": text,
        "utterance_index": count,
        "src_lang": named,
        "tgt_lang": named,
        "dialect": or_null(text),
        "pipeline": STEPS,
        "audio_format": named,
        "sample_rate": count,
        "trace_id": named,
        "is_manual_cut": flag,
        "is_timeout_triggered": flag,
        "is_max_duration_triggered": flag,
    },
    "job_cancel": {"job_id": named},
    "node_control": {"command": one_of("drain", "resume", "shutdown", "refresh")},
    "session_init_ack": {
        "session_id": like(r"s-[0-9A-F]{8}"),
        "assigned_node_id": or_null(named),
        "message": text,
        "trace_id": named,
        "protocol_version": one_of("1.0"),
        "use_binary_frame": flag,
        "negotiated_codec": one_of("opus"),
        "negotiated_audio_format": text,
        "negotiated_sample_rate": one_of(16_000),
        "negotiated_channel_count": one_of(1),
    },
    "translation_result": {
        "session_id": named,
        "utterance_index": count,
        "job_id": named,
        "text_asr": text,
        "text_translated": text,
        "tts_audio": text,
        "tts_format": named,
        "trace_id": named,
        "group_id": named,
        "scheduler_sent_at_ms": count,
    },
    "missing_result": {
        "session_id": named,
        "utterance_index": count,
        "reason": one_of(*MISSING),
        "created_at_ms": count,
    },
    "asr_partial": {
        "job_id": named,
        "session_id": named,
        "utterance_index": count,
        "text": text,
        "is_final": flag,
        "trace_id": named,
    },
    "ui_event": {
        "trace_id": named,
        "session_id": named,
        "job_id": named,
        "utterance_index": count,
        "event": one_of(*EVENTS),
        "status": one_of("ok", "error"),
    },
    "backpressure": {"action": one_of("PAUSE", "BUSY", "SLOW_DOWN")},
    "server_heartbeat": {"session_id": named, "timestamp": count},
    "session_close_ack": {"session_id": named},
    "room_error": {"code": one_of("UNSUPPORTED_FEATURE"), "message": named},
}
SOMETIMES: dict[str, dict[str, Check]] = {
    "error": {"details": thing, "trace_id": named},
    "job_assign": {
        "audio": named,
        "audio_ref": named,
        "session_utterance_index": count,
        "features": thing,
        "mode": text,
        "lang_a": text,
        "lang_b": text,
        "auto_langs": texts,
        "enable_streaming_asr": flag,
        "partial_update_interval_ms": count,
        "group_id": named,
        "part_index": count,
        "context_text": text,
        "padding_ms": count,
        "turn_id": named,
    },
    "job_cancel": {"trace_id": named, "reason": text},
    "node_control": {"reason": text},
    "session_init_ack": {"resume_token": named},
    "translation_result": {
        "extra": anything,
        "part_index": count,
        "service_timings": TIMINGS,
        "network_timings": WAYS,
        "asr_quality_level": text,
        "reason_codes": texts,
        "quality_score": number,
        "rerun_count": count,
        "segments_meta": anything,
        "late": one_of(True),
    },
    "missing_result": {"trace_id": named, "code": named, "message": named, "details": thing},
    "ui_event": {"elapsed_ms": count, "error_code": named, "hint": named},
    "backpressure": {"resume_after_ms": count, "message": text},
}


def faults(frame: Json) -> list[str]:
    """What is wrong with a frame that the service sent."""
    kind = frame.get("type")
    if kind not in ALWAYS:
        return [f"no message is called {kind!r}"]
    always, sometimes = ALWAYS[kind], SOMETIMES.get(kind, {})
    known = {"type": text} | always | sometimes
    found = [f"{kind}: {name} is missing" for name in always if name not in frame]
    for name, value in frame.items():
        if name not in known:
            found.append(f"{kind}: nobody knows {name}")
        elif not known[name](value):
            found.append(f"{kind}: {name} is {value!r:.200}")
    if kind == "backpressure" and frame["action"] == "PAUSE" and "resume_after_ms" not in frame:
        found.append("PAUSE without resume_after_ms")
    if kind == "job_assign" and ("audio" in frame) == ("audio_ref" in frame):
        found.append("job_assign: audio or audio_ref, one of them")
    return found
