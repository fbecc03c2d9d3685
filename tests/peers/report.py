"""What a deployed agent says of itself, with its `null`s, unknown values and unknown fields."""

from __future__ import annotations

import time
from typing import Any

Json = dict[str, Any]

SERVICES = {
    "asr": "running",
    "nmt": "running",
    "tts": "running",
    "semantic": "warming",
    "lip_reading": "asleep",
}


class Report:
    """Registrations and heartbeats of one agent; without `gpus` its probe was slow."""

    def __init__(self, languages: list[str], *, gpus: bool) -> None:
        self.languages = languages
        self.gpus = gpus

    def registration(self, node_id: str | None) -> Json:
        hardware: Json = {"cpu_cores": 16, "memory_gb": 32, "os": "win32"}
        if self.gpus:
            hardware["gpus"] = [{"name": "RTX 4060", "memory_gb": 8, "driver": None}]
        return {
            "type": "node_register",
            "node_id": node_id,
            "version": "2.0.0",
            "capability_schema_version": "2.0",
            "platform": "windows",
            "hardware": hardware,
            "installed_models": [
                {"model_id": "m2m100", "kind": "translator", "src_lang": None, "version": "1"}
            ],
            "features_supported": {"emotion_detection": False, "voice_style_detection": None},
            "advanced_features": None,
            "accept_public_jobs": True,
            "install_channel": "beta",
            **self._abilities(),
        }

    def heartbeat(self, node_id: str | None, running: int) -> Json:
        """`running`: jobs before the end of recognition."""
        return {
            "type": "node_heartbeat",
            "node_id": node_id,
            "timestamp": time.time_ns() // 1_000_000,
            "resource_usage": {
                "cpu_percent": 12.5,
                "gpu_percent": None,
                "gpu_mem_percent": 31.25 if self.gpus else None,
                "mem_percent": 48.0,
                "running_jobs": running,
            },
            "installed_models": None,
            "rerun_metrics": None,
            "processing_metrics": {"serviceEfficiencies": {"faster-whisper-vad": 1.5}},
            "asr_metrics": {"effective": "yes"},
            **self._abilities(),
        }

    def _abilities(self) -> Json:
        kinds = ("asr", "nmt", "tts", "semantic", "phonetic", "punctuation", "lip_reading")
        return {
            "installed_services": [
                {
                    "service_id": f"{kind}-service",
                    "type": kind,
                    "device": "npu" if kind == "tts" else "gpu",
                    "status": status,
                    "version": None,
                    "model_id": None,
                    "last_error": None,
                    "port": 5008,
                }
                for kind, status in SERVICES.items()
            ],
            "capability_by_type": [{"type": kind, "ready": True, "reason": None} for kind in kinds],
            "language_capabilities": {
                "asr_languages": self.languages,
                "tts_languages": self.languages,
                "semantic_languages": self.languages,
                "semantic_core_ready": True,
                "nmt_capabilities": [{"model_id": "m2m100", "rule": "any_to_any"}],
            },
        }
