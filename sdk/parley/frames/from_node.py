"""What a node sends over `/ws/node`."""

from __future__ import annotations

from typing import Any, ClassVar, TypeAlias

import msgspec

from parley.frames.abilities import (
    Capability,
    Features,
    Hardware,
    InstalledModel,
    InstalledService,
    LangCapabilities,
    ResourceUsage,
)
from parley.frames.common import ABSENT, Base64, Count, Frame, Id, Number, Part


class NodeRegister(Frame, tag="node_register"):
    """First message of a node. `node_id` null: the server makes one."""

    version: str
    platform: str
    hardware: Hardware
    installed_models: list[InstalledModel]
    capability_by_type: list[Capability]
    features_supported: Features
    accept_public_jobs: bool
    node_id: Id | None = None
    capability_schema_version: str | None = None
    installed_services: list[InstalledService] | None = None
    advanced_features: list[str] | None = None
    language_capabilities: LangCapabilities | None = None
    max_concurrent_jobs: Count | None = None
    nmt_pairs: list[tuple[str, str]] | None = None
    running_job_ids: list[Id] | None = None
    audio_formats: list[str] | None = None
    audio_ref: bool | None = None


class NodeHeartbeat(Frame, tag="node_heartbeat"):
    """Every 15 s and at once when something changes. The metrics are free-form, for display."""

    node_id: Id
    timestamp: Count
    resource_usage: ResourceUsage
    installed_services: list[InstalledService]
    capability_by_type: list[Capability]
    installed_models: list[InstalledModel] | None = None
    language_capabilities: LangCapabilities | None = None
    max_concurrent_jobs: Count | None = None
    rerun_metrics: msgspec.Raw = ABSENT
    processing_metrics: msgspec.Raw = ABSENT
    asr_metrics: msgspec.Raw = ABSENT


class JobAck(Frame, tag="job_ack"):
    """The node has accepted the job."""

    job_id: Id
    attempt_id: Count
    node_id: Id
    session_id: Id
    trace_id: Id


class JobStarted(Frame, tag="job_started"):
    """Work on the job has begun."""

    job_id: Id
    attempt_id: Count
    node_id: Id
    session_id: Id
    trace_id: Id


class NodeAsrPartial(Frame, tag="asr_partial"):
    """What is recognised so far, on its way to the session."""

    job_id: Id
    node_id: Id
    session_id: Id
    utterance_index: Count
    text: str
    is_final: bool
    trace_id: Id


class ServiceTimings(Part):
    """Milliseconds that the node's services took."""

    asr_ms: Number | None = None
    nmt_ms: Number | None = None
    tts_ms: Number | None = None
    total_ms: Number | None = None


class ResultExtra(Part):
    """What counts of a result's free-form `extra`."""

    reason: str | None = None
    service_timings: ServiceTimings | None = None


class JobError(Part):
    """`code` is free text; `details.service_id` may name the service that failed."""

    code: str
    message: str
    details: Any = None


class JobResult(Frame, tag="job_result"):
    """The node's answer. `utterance_index` is that of its `job_assign`.

    `extra` and `segments_meta` are free-form; `read_extra` reads what counts of the former.
    """

    base64_fields: ClassVar = ("tts_audio",)

    job_id: Id
    attempt_id: Count
    node_id: Id
    session_id: Id
    utterance_index: Count
    success: bool
    trace_id: Id
    text_asr: str | None = None
    text_translated: str | None = None
    tts_audio: Base64 = ABSENT
    tts_format: str | None = None
    extra: msgspec.Raw = ABSENT
    processing_time_ms: Number | None = None
    error: JobError | None = None
    group_id: Id | None = None
    part_index: Count | None = None
    node_completed_at_ms: Number | None = None
    asr_quality_level: str | None = None
    reason_codes: list[str] | None = None
    quality_score: Number | None = None
    rerun_count: Count | None = None
    segments_meta: msgspec.Raw = ABSENT


class NodeError(Frame, tag="node_error"):
    """Something is wrong with the node itself."""

    node_id: Id
    code: str
    message: str
    details: Any = None


class _LooseExtra(Part):
    reason: Any = None
    service_timings: Any = None


_loose_extra = msgspec.json.Decoder(_LooseExtra)


def read_extra(raw: msgspec.Raw) -> ResultExtra:
    """What counts of a result's `extra`; whatever is not as declared is left out."""
    try:
        loose = _loose_extra.decode(raw)
    except msgspec.DecodeError:
        return ResultExtra()
    try:
        timings = msgspec.convert(loose.service_timings, ServiceTimings | None)
    except msgspec.ValidationError:
        timings = None
    reason = loose.reason if isinstance(loose.reason, str) else None
    return ResultExtra(reason=reason, service_timings=timings)


NodeFrame: TypeAlias = (
    NodeRegister | NodeHeartbeat | JobAck | JobStarted | NodeAsrPartial | JobResult | NodeError
)
"""What a node may send."""
