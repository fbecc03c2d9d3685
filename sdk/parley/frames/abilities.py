"""What a node has, can do, and is doing now: parts of its registration and its heartbeats."""

from __future__ import annotations

from parley.frames.common import Count, Number, Part


class Gpu(Part):
    name: str
    memory_gb: Number


class Hardware(Part):
    """`gpus` is left out by agents whose probe is slow: that is not "no GPU"."""

    cpu_cores: int
    memory_gb: Number
    gpus: list[Gpu] | None = None


class InstalledModel(Part):
    model_id: str
    kind: str
    version: str
    src_lang: str | None = None
    tgt_lang: str | None = None
    dialect: str | None = None
    enabled: bool | None = None


class InstalledService(Part):
    service_id: str
    type: str
    device: str
    status: str
    version: str | None = None
    model_id: str | None = None
    engine: str | None = None
    mem_mb: Number | None = None
    warmup_ms: Number | None = None
    last_error: str | None = None


class Capability(Part):
    """One of the types asr, nmt, tts, tone, semantic; others are shown and decide nothing."""

    type: str
    ready: bool
    reason: str | None = None
    ready_impl_ids: list[str] | None = None
    devices: list[str] | None = None


class Features(Part):
    """Optional features: what a node supports, or what a session asks for."""

    emotion_detection: bool | None = None
    voice_style_detection: bool | None = None
    speech_rate_detection: bool | None = None
    speech_rate_control: bool | None = None
    speaker_identification: bool | None = None
    persona_adaptation: bool | None = None


class LangCapabilities(Part):
    """Languages as BCP-47 tags; an empty list takes no job yet, an absent one is not reported."""

    asr_languages: list[str] | None = None
    tts_languages: list[str] | None = None
    semantic_languages: list[str] | None = None
    semantic_core_ready: bool | None = None


class ResourceUsage(Part):
    """Percentages from 0 to 100; `gpu_queue_length` absent means 0."""

    cpu_percent: Number
    mem_percent: Number
    running_jobs: Count
    gpu_percent: Number | None = None
    gpu_mem_percent: Number | None = None
    gpu_queue_length: Count | None = None
