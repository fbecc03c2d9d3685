"""Frames of plain peers, to be changed by the tests."""

import base64
import time
from pathlib import Path
from typing import Any

Json = dict[str, Any]

AUDIO = Path(__file__).resolve().parents[1] / "audio"
CORE_TYPES = ("asr", "nmt", "tts", "semantic")


def wav(name: str) -> str:
    """One of the speech samples, as base64 of the whole file."""
    return base64.b64encode((AUDIO / f"{name}.wav").read_bytes()).decode()


def node_register(node_id: str, languages: list[str], slots: int, **changes: Any) -> Json:
    return {
        "type": "node_register",
        "node_id": node_id,
        "version": "2.0.0",
        "capability_schema_version": "2.0",
        "platform": "linux",
        "hardware": {"cpu_cores": 8, "memory_gb": 32, "gpus": [{"name": "L4", "memory_gb": 24}]},
        "installed_models": [],
        "features_supported": {},
        "accept_public_jobs": True,
        "max_concurrent_jobs": slots,
        **_abilities(languages),
        **changes,
    }


def node_heartbeat(node_id: str, languages: list[str], running: int = 0) -> Json:
    usage = {"cpu_percent": 10, "mem_percent": 20, "gpu_mem_percent": 30, "running_jobs": running}
    return {
        "type": "node_heartbeat",
        "node_id": node_id,
        "timestamp": now_ms(),
        "resource_usage": usage,
        "installed_services": [],
        **_abilities(languages),
    }


def job_result(job: Json, node_id: str, **fields: Any) -> Json:
    """The frame that answers a ``job_assign``."""
    names = ("job_id", "attempt_id", "session_id", "utterance_index", "trace_id")
    about = {name: job[name] for name in names}
    return {"type": "job_result", "node_id": node_id, "success": True, **about, **fields}


def session_init(src_lang: str, tgt_lang: str, **changes: Any) -> Json:
    return {
        "type": "session_init",
        "client_version": "1.0",
        "platform": "web",
        "src_lang": src_lang,
        "tgt_lang": tgt_lang,
        **changes,
    }


def utterance(session_id: str, index: int, init: Json, audio: str, **changes: Any) -> Json:
    return {
        "type": "utterance",
        "session_id": session_id,
        "utterance_index": index,
        "manual_cut": True,
        "src_lang": init["src_lang"],
        "tgt_lang": init["tgt_lang"],
        "audio": audio,
        "audio_format": "wav",
        "sample_rate": 16_000,
        **changes,
    }


def opus(count: int, size: int = 40, start: int = 0) -> bytes:
    """Packets of 20 ms, each after its length; they differ, and nobody here decodes them."""
    packets = ((start + n).to_bytes(4, "little") * -(-size // 4) for n in range(count))
    return b"".join(size.to_bytes(2, "little") + packet[:size] for packet in packets)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def _abilities(languages: list[str]) -> Json:
    return {
        "capability_by_type": [{"type": kind, "ready": True} for kind in CORE_TYPES],
        "language_capabilities": {
            "asr_languages": languages,
            "tts_languages": languages,
            "semantic_languages": languages,
            "semantic_core_ready": True,
        },
    }
