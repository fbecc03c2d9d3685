"""What a node may send (section 2), one table a message."""

from __future__ import annotations

from typing import Any

from tests.conformance.kinds import (
    ANYTHING,
    COUNT,
    FLAG,
    ID,
    LIST,
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

Rows = tuple[tuple[str, Kind, bool], ...]
MUST, MAY = True, False

MODELS: list[Any] = [
    {
        "model_id": "m2m100",
        "kind": "nmt",
        "version": "1",
        "src_lang": "qaa",
        "tgt_lang": "qab",
        "dialect": "x",
        "enabled": True,
    }
]
MODEL_ROWS: Rows = (
    ("installed_models[0].model_id", TEXT, MUST),
    ("installed_models[0].kind", only("asr", "nmt", "vad", "emotion", "other", "unheard"), MUST),
    ("installed_models[0].version", TEXT, MUST),
    ("installed_models[0].src_lang", TEXT, MAY),
    ("installed_models[0].tgt_lang", TEXT, MAY),
    ("installed_models[0].dialect", TEXT, MAY),
    ("installed_models[0].enabled", FLAG, MAY),
)
SERVICES: list[Any] = [
    {
        "service_id": "asr-1",
        "type": "asr",
        "device": "gpu",
        "status": "running",
        "version": "1",
        "model_id": "whisper",
        "engine": "x",
        "mem_mb": 900,
        "warmup_ms": 1500,
        "last_error": "none",
    }
]
SERVICE_ROWS: Rows = (
    ("installed_services[0].service_id", TEXT, MUST),
    ("installed_services[0].type", only("asr", "tone", "punctuation", "lip_reading"), MUST),
    ("installed_services[0].device", only("gpu", "cpu", "npu"), MUST),
    ("installed_services[0].status", only("running", "stopped", "error", "asleep"), MUST),
    ("installed_services[0].version", TEXT, MAY),
    ("installed_services[0].model_id", TEXT, MAY),
    ("installed_services[0].engine", TEXT, MAY),
    ("installed_services[0].mem_mb", NUMBER, MAY),
    ("installed_services[0].warmup_ms", NUMBER, MAY),
    ("installed_services[0].last_error", TEXT, MAY),
)
CAPABILITIES: list[Any] = [
    {"type": kind, "ready": True, "reason": "x", "ready_impl_ids": ["a"], "devices": ["gpu"]}
    for kind in ("asr", "nmt", "tts", "semantic")
]
CAPABILITY_ROWS: Rows = (
    ("capability_by_type", LIST, MUST),
    ("capability_by_type[0].type", only("asr", "tone", "phonetic", "lip_reading"), MUST),
    ("capability_by_type[0].ready", FLAG, MUST),
    ("capability_by_type[0].reason", TEXT, MAY),
    ("capability_by_type[0].ready_impl_ids", TEXTS, MAY),
    ("capability_by_type[0].devices", TEXTS, MAY),
)
LANGUAGES: dict[str, Any] = {
    "asr_languages": ["qaa", "qab"],
    "tts_languages": ["qaa", "qab"],
    "semantic_languages": ["qaa", "qab"],
    "semantic_core_ready": True,
}
LANGUAGE_ROWS: Rows = (
    ("language_capabilities", OBJECT, MAY),
    ("language_capabilities.asr_languages", TEXTS, MAY),
    ("language_capabilities.tts_languages", TEXTS, MAY),
    ("language_capabilities.semantic_languages", TEXTS, MAY),
    ("language_capabilities.semantic_core_ready", FLAG, MAY),
)
FEATURES = (
    "emotion_detection",
    "voice_style_detection",
    "speech_rate_detection",
    "speech_rate_control",
    "speaker_identification",
    "persona_adaptation",
)
PAIRS = Kind(([], [["qaa", "qab"]]), (*LIST.bad, ["qaa"], [["qaa"]], [["a", "b", "c"]], [["a", 5]]))

# 2.2
NODE_REGISTER: Message = table(
    {
        "type": "node_register",
        "node_id": "conformance",
        "version": "2.0.0",
        "capability_schema_version": "2.0",
        "platform": "linux",
        "hardware": {"cpu_cores": 8, "memory_gb": 32, "gpus": [{"name": "L4", "memory_gb": 24}]},
        "installed_models": MODELS,
        "installed_services": SERVICES,
        "capability_by_type": CAPABILITIES,
        "features_supported": dict.fromkeys(FEATURES, False),
        "advanced_features": ["x"],
        "accept_public_jobs": True,
        "language_capabilities": LANGUAGES,
        "max_concurrent_jobs": 4,
        "nmt_pairs": [["qaa", "qab"], ["qab", "qaa"]],
        "running_job_ids": [],
        "audio_formats": ["opus", "pcm16"],
        "audio_ref": False,
    },
    ("version", TEXT, MUST),
    ("capability_schema_version", only("2.0"), MAY),
    ("platform", only("windows", "linux", "macos", "plan9"), MUST),
    ("hardware", Kind((), OBJECT.bad), MUST),
    ("hardware.cpu_cores", Kind((1, 256), COUNT.bad), MUST),
    ("hardware.memory_gb", NUMBER, MUST),
    ("hardware.gpus", LIST, MAY),
    ("hardware.gpus[0].name", TEXT, MUST),
    ("hardware.gpus[0].memory_gb", NUMBER, MUST),
    ("installed_models", LIST, MUST),
    *MODEL_ROWS,
    ("installed_services", LIST, MAY),
    *SERVICE_ROWS,
    *CAPABILITY_ROWS,
    ("features_supported", OBJECT, MUST),
    *((f"features_supported.{name}", FLAG, MAY) for name in FEATURES),
    ("advanced_features", TEXTS, MAY),
    ("accept_public_jobs", FLAG, MUST),
    *LANGUAGE_ROWS,
    ("max_concurrent_jobs", Kind((0, 1, 1_000), COUNT.bad, COUNT.large), MAY),
    ("nmt_pairs", PAIRS, MAY),
    ("running_job_ids", Kind(([], ["job-0"]), TEXTS.bad, (["x" * 257],)), MAY),
    ("audio_formats", TEXTS, MAY),
    ("audio_ref", FLAG, MAY),
    ("node_id", Kind(("a", "A-1_b.c@d+e", "x" * 128), ID.bad, ("x" * 129, "a b", "é")), MAY),
)

# 2.3
NODE_HEARTBEAT: Message = table(
    {
        "type": "node_heartbeat",
        "node_id": "conformance",
        "timestamp": 1_700_000_000_000,
        "resource_usage": {
            "cpu_percent": 10.5,
            "mem_percent": 40,
            "running_jobs": 0,
            "gpu_percent": 20,
            "gpu_mem_percent": 30.25,
            "gpu_queue_length": 0,
        },
        "installed_models": MODELS,
        "installed_services": SERVICES,
        "capability_by_type": CAPABILITIES,
        "language_capabilities": LANGUAGES,
        "max_concurrent_jobs": 4,
        "rerun_metrics": {"runs": 1},
        "processing_metrics": {"serviceEfficiencies": {"asr-1": 1.5}},
        "asr_metrics": {"effective": "yes"},
    },
    ("node_id", ID, MUST),
    ("timestamp", COUNT, MUST),
    ("resource_usage", Kind((), OBJECT.bad), MUST),
    ("resource_usage.cpu_percent", NUMBER, MUST),
    ("resource_usage.mem_percent", NUMBER, MUST),
    ("resource_usage.running_jobs", COUNT, MUST),
    ("resource_usage.gpu_percent", NUMBER, MAY),
    ("resource_usage.gpu_mem_percent", NUMBER, MAY),
    ("resource_usage.gpu_queue_length", COUNT, MAY),
    ("installed_models", LIST, MAY),
    *MODEL_ROWS,
    ("installed_services", LIST, MUST),
    *SERVICE_ROWS,
    *CAPABILITY_ROWS,
    *LANGUAGE_ROWS,
    ("max_concurrent_jobs", Kind((0, 1, 1_000), COUNT.bad, COUNT.large), MAY),
    ("rerun_metrics", ANYTHING, MAY),
    ("processing_metrics", ANYTHING, MAY),
    ("asr_metrics", ANYTHING, MAY),
)

ABOUT = {
    "job_id": "job-0000000000000000",
    "attempt_id": 1,
    "node_id": "conformance",
    "session_id": "s-00000000",
    "trace_id": "t-1",
}
ABOUT_ROWS: Rows = (
    ("job_id", ID, MUST),
    ("attempt_id", COUNT, MUST),
    ("node_id", ID, MUST),
    ("session_id", ID, MUST),
    ("trace_id", ID, MUST),
)

# 2.5
JOB_ACK: Message = table({"type": "job_ack", **ABOUT}, *ABOUT_ROWS)
JOB_STARTED: Message = table({"type": "job_started", **ABOUT}, *ABOUT_ROWS)
ASR_PARTIAL: Message = table(
    {
        "type": "asr_partial",
        **{name: value for name, value in ABOUT.items() if name != "attempt_id"},
        "utterance_index": 3,
        "text": "good",
        "is_final": False,
    },
    *(row for row in ABOUT_ROWS if row[0] != "attempt_id"),
    ("utterance_index", COUNT, MUST),
    ("text", TEXT, MUST),
    ("is_final", FLAG, MUST),
)

# 2.6
JOB_RESULT: Message = table(
    {
        "type": "job_result",
        **ABOUT,
        "utterance_index": 3,
        "success": True,
        "text_asr": "good morning",
        "text_translated": "早上好",
        "tts_audio": "AAAA",
        "tts_format": "pcm16",
        "extra": {"emotion": "calm", "service_timings": {"asr_ms": 30, "total_ms": 80.5}},
        "processing_time_ms": 90,
        "error": {"code": "X_Y", "message": "x", "details": {"service_id": "asr-1"}},
        "group_id": "g-1",
        "part_index": 0,
        "node_completed_at_ms": 1_700_000_000_000,
        "asr_quality_level": "good",
        "reason_codes": ["x"],
        "quality_score": 0.5,
        "rerun_count": 0,
        "segments_meta": [{"start": 0}],
    },
    *ABOUT_ROWS,
    ("utterance_index", COUNT, MUST),
    ("success", FLAG, MUST),
    ("text_asr", TEXT, MAY),
    ("text_translated", TEXT, MAY),
    ("tts_audio", SOUND, MAY),
    ("tts_format", TEXT, MAY),
    ("extra", ANYTHING, MAY),
    ("processing_time_ms", NUMBER, MAY),
    ("error", Kind((), OBJECT.bad), MAY),
    ("error.code", TEXT, MUST),
    ("error.message", TEXT, MUST),
    ("error.details", ANYTHING, MAY),
    ("group_id", ID, MAY),
    ("part_index", COUNT, MAY),
    ("node_completed_at_ms", NUMBER, MAY),
    ("asr_quality_level", TEXT, MAY),
    ("reason_codes", TEXTS, MAY),
    ("quality_score", NUMBER, MAY),
    ("rerun_count", COUNT, MAY),
    ("segments_meta", ANYTHING, MAY),
)

# 2.7
NODE_ERROR: Message = table(
    {
        "type": "node_error",
        "node_id": "conformance",
        "code": "DISK_FULL",
        "message": "x",
        "details": {"free_mb": 1},
    },
    ("node_id", ID, MUST),
    ("code", TEXT, MUST),
    ("message", TEXT, MUST),
    ("details", ANYTHING, MAY),
)

AFTER_REGISTRATION = (
    NODE_HEARTBEAT,
    JOB_ACK,
    JOB_STARTED,
    ASR_PARTIAL,
    JOB_RESULT,
    NODE_ERROR,
)
