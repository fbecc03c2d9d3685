"""Frames of a plain node, to be changed by the tests."""

import json
import time
from typing import Any

from parley.frames import JobResult, NodeHeartbeat, NodeRegister, decode_node_frame

Json = dict[str, Any]


def ready(*types: str) -> list[Json]:
    return [{"type": type, "ready": True} for type in types]


def registration(node_id: str | None = None, **changes: Any) -> Json:
    return {
        "type": "node_register",
        "node_id": node_id,
        "version": "2.0.0",
        "platform": "linux",
        "hardware": {"cpu_cores": 8, "memory_gb": 32, "gpus": [{"name": "L4", "memory_gb": 24}]},
        "installed_models": [],
        "capability_by_type": ready("asr", "nmt", "tts", "semantic"),
        "features_supported": {},
        "accept_public_jobs": True,
        "language_capabilities": {
            "asr_languages": ["en", "zh"],
            "tts_languages": ["en", "zh"],
            "semantic_languages": ["en", "zh"],
        },
        **changes,
    }


def heartbeat(node_id: str = "node-1", usage: Json | None = None, **changes: Any) -> Json:
    return {
        "type": "node_heartbeat",
        "node_id": node_id,
        "timestamp": time.time_ns() // 1_000_000,
        "resource_usage": {
            "cpu_percent": 10,
            "mem_percent": 20,
            "running_jobs": 0,
            **(usage or {}),
        },
        "installed_services": [],
        "capability_by_type": ready("asr", "nmt", "tts", "semantic"),
        **changes,
    }


def result(job: str = "job-0000000000000000", **changes: Any) -> Json:
    return {
        "type": "job_result",
        "job_id": job,
        "attempt_id": 1,
        "node_id": "node-1",
        "session_id": "s-00000000",
        "utterance_index": 0,
        "success": True,
        "text_asr": "hello",
        "text_translated": "你好",
        "trace_id": "trace-1",
        **changes,
    }


def failure(code: str, message: str = "no", **details: Any) -> Json:
    error = {"code": code, "message": message, "details": details or None}
    return {"success": False, "text_asr": None, "text_translated": None, "error": error}


def read_registration(frame: Json) -> NodeRegister:
    decoded = decode_node_frame(json.dumps(frame))
    assert isinstance(decoded, NodeRegister)
    return decoded


def read_heartbeat(frame: Json) -> NodeHeartbeat:
    decoded = decode_node_frame(json.dumps(frame))
    assert isinstance(decoded, NodeHeartbeat)
    return decoded


def read_result(frame: Json) -> JobResult:
    decoded = decode_node_frame(json.dumps(frame))
    assert isinstance(decoded, JobResult)
    return decoded
