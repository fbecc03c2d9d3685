"""Settings of pools."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PoolSettings:
    """``job_pools``: most pools one job may go to (the scripts read no more than 16).

    ``reload_pause_ms``: a language pair that nobody serves makes a process read the pools again;
    between two such readings lies at least this pause.
    """

    job_pools: int = 16
    reload_pause_ms: int = 100
