"""Settings of web processes, session sockets and jobs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SocketSettings:
    """Bounds of every socket, of sessions and of nodes.

    ``outgoing_bytes`` and ``outgoing_frames``: what may wait to be written; a peer that reads too
    slowly for that is dropped, and so is one that takes nothing at all for ``outgoing_stall_ms``.
    """

    max_frame_bytes: int = 8 * 2**20  # a larger one ends its connection
    outgoing_bytes: int = 16 * 2**20
    outgoing_frames: int = 1_000
    outgoing_stall_ms: int = 30_000


@dataclass(frozen=True)
class OrderSettings:
    """How long results wait for those before them.

    ``gap_ms``: from the first result that is held back; ``patient_gap_ms``: when the missing one
    waits for a node or is tried again. ``max_held``: results that wait at most.
    """

    gap_ms: int = 5_000
    patient_gap_ms: int = 8_000
    max_held: int = 200


@dataclass(frozen=True)
class StreamSettings:
    """How ``audio_chunk``s become utterances.

    An utterance ends after ``stream_timeout_ms`` without a chunk, and with ``stream_duration_ms``
    or ``stream_length_bytes`` of sound. ``final_hold_ms``: sound that comes so soon after a final
    belongs to the utterance that it closed. ``playing_ms``: the longest that the timeout rests
    while the client plays a result. ``stream_memory_bytes``: of all streams of a process, see
    :class:`jobs.streams.memory.Memory`.
    """

    stream_timeout_ms: int = 3_000
    stream_duration_ms: int = 10_200
    stream_length_bytes: int = 500 * 2**10
    final_hold_ms: int = 200
    playing_ms: int = 60_000
    stream_memory_bytes: int = 64 * 2**20


@dataclass(frozen=True)
class JobSettings:
    """``frames_per_s`` fill a session's token bucket of ``burst_frames``; 0: no limit.

    ``unfinished_jobs`` and ``unfinished_bytes``: utterances of one session without an answer, whose
    sound is kept in case that Redis loses them. ``results_at_hand_bytes``: see
    :class:`jobs.results.Results`. ``max_sessions``: accepted sockets of one process, and as
    many sessions whose clients are away.
    ``resend_ms``: what has ended within this time may not have been told over a socket that broke:
    an answer may wait 8 s, the break is noticed after 80 s, and its client has 30 s to return.
    ``heard_ms``: a client whose socket is open for so long has what it was told at first.
    ``history_days``: how long ended jobs and events are kept in SQL; totals stay.
    """

    socket: SocketSettings = SocketSettings()
    order: OrderSettings = OrderSettings()
    streams: StreamSettings = StreamSettings()
    init_timeout_ms: int = 10_000  # for the first frame of a session
    pause_ms: int = 5_000  # a client is asked to send nothing for so long
    flush_ms: int = 2_000  # so long after it clients send what they held back
    frames_per_s: int = 100
    burst_frames: int = 200
    quiet_errors_ms: int = 10_000  # between two `error` frames of one code
    max_sessions: int = 20_000
    unfinished_jobs: int = 200
    unfinished_bytes: int = 32 * 2**20
    results_at_hand_bytes: int = 32 * 2**20
    resend_ms: int = 120_000
    heard_ms: int = 90_000
    max_retries: int = 2  # of a job, after its first try
    lease_pause_ms: int = 500  # between two renewals of a process's lease
    reap_pause_ms: int = 250  # between two looks at what is due in a cell
    reap_limit: int = 16  # job timers of one look; with so many there is another at once
    history_days: int = 90
