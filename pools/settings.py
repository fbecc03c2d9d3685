"""Settings of pools."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PoolSettings:
    """``job_pools``: most pools one job may go to (the scripts read no more than 16).

    ``reload_pause_ms``: a language pair that nobody serves makes a process read the pools again;
    between two such readings lies at least this pause. ``doubt_ms``: how long after a loss of Redis
    nodes may be missing from it that are about to be told again.
    """

    job_pools: int = 16
    reload_pause_ms: int = 100
    doubt_ms: int = 2_000
