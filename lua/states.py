"""States of jobs and nodes and their allowed moves. The scripts use the same words."""

from enum import StrEnum


class JobState(StrEnum):
    """Life of a job. NEW, SELECTING and RETRYING exist only inside one script call."""

    NEW = "NEW"
    SELECTING = "SELECTING"
    WAITING = "WAITING"
    RESERVED = "RESERVED"
    DISPATCHED = "DISPATCHED"
    ACKED = "ACKED"
    RETRYING = "RETRYING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


TERMINAL = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED})
TRANSIENT = frozenset({JobState.NEW, JobState.SELECTING, JobState.RETRYING})
PLACED = frozenset({JobState.RESERVED, JobState.DISPATCHED, JobState.ACKED})

_S = JobState
JOB_MOVES: dict[JobState, frozenset[JobState]] = {
    _S.NEW: frozenset({_S.SELECTING}),
    _S.SELECTING: frozenset({_S.RESERVED, _S.WAITING, _S.FAILED, _S.DISPATCHED}),
    _S.WAITING: frozenset({_S.RESERVED, _S.DISPATCHED, _S.FAILED, _S.CANCELLED}),
    _S.RESERVED: frozenset({_S.DISPATCHED, _S.RETRYING, _S.FAILED, _S.CANCELLED}),
    _S.DISPATCHED: frozenset({_S.ACKED, _S.DONE, _S.RETRYING, _S.FAILED, _S.CANCELLED}),
    _S.ACKED: frozenset({_S.DONE, _S.RETRYING, _S.FAILED, _S.CANCELLED}),
    _S.RETRYING: frozenset({_S.RESERVED, _S.WAITING, _S.FAILED, _S.DISPATCHED}),
    _S.DONE: frozenset(),
    _S.FAILED: frozenset(),
    _S.CANCELLED: frozenset(),
}


class NodeState(StrEnum):
    """Life of a node, as it is told to the node and to operators."""

    REGISTERING = "registering"
    READY = "ready"
    DEGRADED = "degraded"
    DRAINING = "draining"
    OFFLINE = "offline"


class BreakerState(StrEnum):
    """Whether a node's failures keep it from jobs."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"  # one job at a time may prove it well again


class Reason(StrEnum):
    """Why a node could not take a job; the order is the code in the packed fleet record."""

    USABLE = "usable"
    OFFLINE = "offline"
    STATUS_NOT_READY = "status_not_ready"
    NOT_IN_PUBLIC_POOL = "not_in_public_pool"
    GPU_UNAVAILABLE = "gpu_unavailable"
    RESOURCE_THRESHOLD_EXCEEDED = "resource_threshold_exceeded"
    CAPACITY_EXCEEDED = "capacity_exceeded"
    MODEL_NOT_AVAILABLE = "model_not_available"
    TTS_LANG_UNSUPPORTED = "tts_lang_unsupported"
    ASR_LANG_UNSUPPORTED = "asr_lang_unsupported"
    LANG_PAIR_UNSUPPORTED = "lang_pair_unsupported"
    SRC_AUTO_NO_CANDIDATE = "src_auto_no_candidate"
    EXCLUDED = "excluded"
    NO_NODES = "no_nodes"


class Level(StrEnum):
    """How crowded a queue or a cell is."""

    NONE = "NONE"
    SLOW_DOWN = "SLOW_DOWN"
    BUSY = "BUSY"
    PAUSE = "PAUSE"


class Overload(StrEnum):
    """Which limit refused a job."""

    QUEUE_FULL = "queue_full"
    QUEUES_FULL = "queues_full"
    SESSION_FULL = "session_full"
    MEMORY_FULL = "memory_full"
    BACKLOG_FULL = "backlog_full"
