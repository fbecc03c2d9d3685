"""What a node is sent over `/ws/node`."""

from __future__ import annotations

from typing import TypeAlias

from parley.frames.common import ABSENT, Base64, Error, Frame, Part, Switches


class NodeRegisterAck(Frame, tag="node_register_ack"):
    """`status`: registering, ready, degraded, draining or offline."""

    node_id: str
    message: str
    status: str


class Pipeline(Part, omit_defaults=False):
    """The steps of a job, as sent to a node: each is there."""

    use_asr: bool = True
    use_nmt: bool = True
    use_tts: bool = True
    use_semantic: bool = False
    use_tone: bool = False


class JobHead(Frame, tag="job_assign"):
    """The fields of `job_assign` that are known only when a node takes the job.

    `utterance_index` counts for each session and node; `src_lang` and `tgt_lang` are the node's own
    codes. `splice(JobHead(…), payload)` is the whole frame.
    """

    job_id: str
    attempt_id: int
    utterance_index: int
    src_lang: str
    tgt_lang: str


class JobPayload(Part):
    """The fields of `job_assign` that are the same for every node: kept encoded with the job."""

    session_id: str
    dialect: str | None
    pipeline: Pipeline
    audio_format: str
    sample_rate: int
    trace_id: str
    is_manual_cut: bool
    is_timeout_triggered: bool
    is_max_duration_triggered: bool
    audio: Base64 = ABSENT
    audio_ref: str | None = None
    features: Switches | None = None
    mode: str | None = None
    lang_a: str | None = None
    lang_b: str | None = None
    auto_langs: list[str] | None = None
    enable_streaming_asr: bool | None = None
    partial_update_interval_ms: int | None = None
    group_id: str | None = None
    part_index: int | None = None
    context_text: str | None = None
    padding_ms: int | None = None
    turn_id: str | None = None
    session_utterance_index: int | None = None


class JobAssign(JobPayload, tag_field="type", tag="job_assign", kw_only=True):
    """One utterance to translate: `JobHead` and `JobPayload` together, as a node reads it."""

    job_id: str
    attempt_id: int
    utterance_index: int
    src_lang: str
    tgt_lang: str


class JobCancel(Frame, tag="job_cancel"):
    """The answer is no longer wanted: best effort."""

    job_id: str
    trace_id: str | None = None
    reason: str | None = None


class NodeControl(Frame, tag="node_control"):
    """`command`: drain, resume, shutdown or refresh (send a heartbeat now)."""

    command: str
    reason: str | None = None


ToNode: TypeAlias = NodeRegisterAck | JobAssign | JobCancel | NodeControl | Error
"""What a node may be sent."""
