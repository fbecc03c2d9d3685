"""One full example of every frame, and which of its fields a peer may leave out.

`?` behind a name marks an optional field; `strip` takes the marks away.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

ABOUT_JOB: Json = {
    "job_id": "c0-1",
    "attempt_id": 1,
    "node_id": "node-1",
    "session_id": "s-00000001",
    "trace_id": "t-1",
}
FEATURES: Json = {
    "emotion_detection?": False,
    "voice_style_detection?": False,
    "speech_rate_detection?": True,
    "speech_rate_control?": False,
    "speaker_identification?": False,
    "persona_adaptation?": False,
}
MODEL: Json = {
    "model_id": "m2m",
    "kind": "nmt",
    "src_lang?": "en",
    "tgt_lang?": "zh",
    "dialect?": "x",
    "version": "1",
    "enabled?": True,
}
SERVICE: Json = {
    "service_id": "asr-1",
    "type": "asr",
    "device": "gpu",
    "status": "running",
    "version?": "2",
    "model_id?": "whisper",
    "engine?": "torch",
    "mem_mb?": 12.5,
    "warmup_ms?": 9,
    "last_error?": "none",
}
CAPABILITY: Json = {
    "type": "asr",
    "ready": True,
    "reason?": "x",
    "ready_impl_ids?": ["asr-1"],
    "devices?": ["gpu"],
}
LANGUAGES: Json = {
    "asr_languages?": ["en"],
    "tts_languages?": ["zh"],
    "semantic_languages?": ["en", "zh"],
    "semantic_core_ready?": True,
}
LANGUAGE_WISHES: Json = {
    "dialect?": "yue",
    "features?": FEATURES,
    "mode?": "two_way_auto",
    "lang_a?": "en",
    "lang_b?": "zh",
    "auto_langs?": ["en", "zh"],
    "enable_streaming_asr?": True,
    "partial_update_interval_ms?": 500,
    "context_text?": "before",
    "padding_ms?": 0,
    "trace_id?": "t-1",
}
PLAYED: Json = {"session_id": "s-00000001", "trace_id": "t-1", "group_id": "g-1"}

FROM_NODE: dict[str, Json] = {
    "node_register": {
        "node_id?": "node-1",
        "version": "1.0",
        "capability_schema_version?": "2.0",
        "platform": "linux",
        "hardware": {
            "cpu_cores": 8,
            "memory_gb": 15.6,
            "gpus?": [{"name": "RTX", "memory_gb": 24}],
        },
        "installed_models": [MODEL],
        "installed_services?": [SERVICE],
        "capability_by_type": [CAPABILITY],
        "features_supported": FEATURES,
        "advanced_features?": ["x"],
        "accept_public_jobs": True,
        "language_capabilities?": LANGUAGES,
        "max_concurrent_jobs?": 2,
        "nmt_pairs?": [["en", "zh"]],
        "running_job_ids?": ["c0-1"],
        "audio_formats?": ["pcm16"],
        "audio_ref?": False,
    },
    "node_heartbeat": {
        "node_id": "node-1",
        "timestamp": 1_760_000_000_000,
        "resource_usage": {
            "cpu_percent": 10,
            "gpu_percent?": 20.5,
            "gpu_mem_percent?": 30,
            "mem_percent": 40.5,
            "running_jobs": 1,
            "gpu_queue_length?": 0,
        },
        "installed_models?": [MODEL],
        "installed_services": [SERVICE],
        "capability_by_type": [CAPABILITY],
        "language_capabilities?": LANGUAGES,
        "max_concurrent_jobs?": 2,
        "rerun_metrics?": {"total": 1},
        "processing_metrics?": {"serviceEfficiencies": {"asr-1": 0.5}},
        "asr_metrics?": [1, "x"],
    },
    "job_ack": ABOUT_JOB,
    "job_started": ABOUT_JOB,
    "asr_partial": {
        "job_id": "c0-1",
        "node_id": "node-1",
        "session_id": "s-00000001",
        "utterance_index": 3,
        "text": "hello",
        "is_final": False,
        "trace_id": "t-1",
    },
    "job_result": {
        **ABOUT_JOB,
        "utterance_index": 3,
        "success": True,
        "text_asr?": "hello",
        "text_translated?": "你好",
        "tts_audio?": "AAAA",
        "tts_format?": "pcm16",
        "extra?": {"service_timings": {"asr_ms": 3}},
        "processing_time_ms?": 12.5,
        "error?": {"code": "X", "message": "y", "details?": {"service_id": "asr-1"}},
        "group_id?": "g-1",
        "part_index?": 0,
        "node_completed_at_ms?": 1_760_000_000_000,
        "asr_quality_level?": "good",
        "reason_codes?": ["a"],
        "quality_score?": 0.9,
        "rerun_count?": 1,
        "segments_meta?": {"count": 2},
    },
    "node_error": {"node_id": "node-1", "code": "X", "message": "y", "details?": {"a": 1}},
}

FROM_SESSION: dict[str, Json] = {
    "session_init": {
        "client_version": "1.0",
        "platform": "web",
        "src_lang": "en",
        "tgt_lang": "zh",
        **LANGUAGE_WISHES,
        "pairing_code?": "123456",
        "tenant_id?": "acme",
        "resume_token?": "r",
        "audio_format?": "pcm16",
        "sample_rate?": 16000,
        "accepts?": ["errors"],
        "last_utterance_index?": 4,
        "pairing_required?": False,
    },
    "utterance": {
        "session_id": "s-00000001",
        "utterance_index": 3,
        "manual_cut": True,
        "src_lang": "en",
        "tgt_lang": "zh",
        **LANGUAGE_WISHES,
        "audio": "AAAA",
        "audio_format": "pcm16",
        "sample_rate": 16000,
        "pipeline?": {
            "use_asr?": True,
            "use_nmt?": True,
            "use_tts?": False,
            "use_semantic?": False,
            "use_tone?": False,
        },
        "request_id?": "q-1",
        "preferred_node_id?": "node-1",
        "deadline_ms?": 0,
        "priority?": 5,
    },
    "audio_chunk": {
        "session_id": "s-00000001",
        "seq": 7,
        "is_final": True,
        "payload?": "",
        "client_timestamp_ms?": 1_760_000_000_000,
    },
    "client_heartbeat": {"session_id": "s-00000001", "timestamp": 1_760_000_000_000},
    "session_close": {"session_id": "s-00000001", "reason": "done"},
    "tts_started": {**PLAYED, "ts_start_ms": 1_760_000_000_000},
    "tts_play_ended": {**PLAYED, "ts_end_ms": 1_760_000_000_000},
    "room_create": {},
    "room_join": {},
    "room_leave": {},
    "room_raw_voice_preference": {},
    "webrtc_offer": {},
    "webrtc_answer": {},
    "webrtc_ice": {},
}

TO_NODE: dict[str, Json] = {
    "node_register_ack": {"node_id": "node-1", "message": "", "status": "ready"},
    "job_assign": {
        "job_id": "c0-1",
        "attempt_id": 1,
        "session_id": "s-00000001",
        "utterance_index": 3,
        "src_lang": "en",
        "tgt_lang": "zh",
        "dialect": None,
        "features?": FEATURES,
        "pipeline": {
            "use_asr": True,
            "use_nmt": True,
            "use_tts": True,
            "use_semantic": False,
            "use_tone": False,
        },
        "audio?": "AAAA",
        "audio_format": "pcm16",
        "sample_rate": 16000,
        "mode?": "one_way",
        "lang_a?": "en",
        "lang_b?": "zh",
        "auto_langs?": ["en"],
        "enable_streaming_asr?": False,
        "partial_update_interval_ms?": 500,
        "trace_id": "t-1",
        "group_id?": "g-1",
        "part_index?": 0,
        "context_text?": "before",
        "padding_ms?": 0,
        "is_manual_cut": True,
        "is_timeout_triggered": False,
        "is_max_duration_triggered": False,
        "turn_id?": "u-1",
        "session_utterance_index?": 0,
        "audio_ref?": "ref",
    },
    "job_cancel": {"job_id": "c0-1", "trace_id?": "t-1", "reason?": "x"},
    "node_control": {"command": "drain", "reason?": "x"},
    "error": {"code": "INTERNAL_ERROR", "message": "y", "details?": {"a": 1}, "trace_id?": "t"},
}

ABOUT_UTTERANCE: Json = {
    "session_id": "s-00000001",
    "utterance_index": 3,
    "job_id": "c0-1",
    "trace_id": "t-1",
}
TO_SESSION: dict[str, Json] = {
    "session_init_ack": {
        "session_id": "s-00000001",
        "assigned_node_id": None,
        "message": "",
        "trace_id": "t-1",
        "protocol_version": "1.0",
        "use_binary_frame": False,
        "negotiated_codec": "opus",
        "negotiated_audio_format": "opus",
        "negotiated_sample_rate": 16000,
        "negotiated_channel_count": 1,
        "resume_token?": "r",
    },
    "translation_result": {
        **ABOUT_UTTERANCE,
        "text_asr": "hello",
        "text_translated": "你好",
        "tts_audio": "AAAA",
        "tts_format": "pcm16",
        "extra?": {"a": 1},
        "group_id": "g-1",
        "part_index?": 0,
        "service_timings?": {"asr_ms?": 1, "nmt_ms?": 2, "tts_ms?": 3.5, "total_ms?": 6.5},
        "network_timings?": {
            "web_to_scheduler_ms?": 1,
            "scheduler_to_node_ms?": 2,
            "node_to_scheduler_ms?": 3,
            "scheduler_to_web_ms?": 4,
        },
        "scheduler_sent_at_ms": 1_760_000_000_000,
        "asr_quality_level?": "good",
        "reason_codes?": ["a"],
        "quality_score?": 1,
        "rerun_count?": 1,
        "segments_meta?": {"count": 2},
        "late?": True,
    },
    "missing_result": {
        "session_id": "s-00000001",
        "utterance_index": 3,
        "reason": "job_failed",
        "created_at_ms": 1_760_000_000_000,
        "trace_id?": "t-1",
        "code?": "JOB_TIMEOUT",
        "message?": "y",
        "details?": {"job_id": "c0-1"},
    },
    "asr_partial": {**ABOUT_UTTERANCE, "text": "hel", "is_final": False},
    "ui_event": {
        **ABOUT_UTTERANCE,
        "event": "ERROR",
        "elapsed_ms?": 4,
        "status": "error",
        "error_code?": "JOB_TIMEOUT",
        "hint?": "again",
    },
    "backpressure": {"action": "PAUSE", "resume_after_ms?": 5000, "message?": "busy"},
    "server_heartbeat": {"session_id": "s-00000001", "timestamp": 1_760_000_000_000},
    "session_close_ack": {"session_id": "s-00000001"},
    "room_error": {"code": "UNSUPPORTED_FEATURE", "message": "no rooms"},
    "error": TO_NODE["error"],
}

FREE_FORM = {
    "rerun_metrics",
    "processing_metrics",
    "asr_metrics",
    "extra",
    "segments_meta",
    "error.details",
    "details",
}
"""Fields of peers' frames in which everything is accepted."""


def strip(example: Any) -> Any:
    """The example as JSON, without the marks."""
    if isinstance(example, dict):
        return {name.rstrip("?"): strip(value) for name, value in example.items()}
    return [strip(item) for item in example] if isinstance(example, list) else example


def minimal(example: Any) -> Any:
    """The example with nothing optional in it."""
    if isinstance(example, dict):
        return {name: minimal(value) for name, value in example.items() if name[-1] != "?"}
    return [minimal(item) for item in example] if isinstance(example, list) else example
