"""Settings of the node socket."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NodeSettings:
    """Percentages are 0 to 100.

    ``require_gpu``: a node that reports no GPU is registered but not used.
    ``max_concurrent_jobs``: slots of a node that names none; deployed agents lose translations
    with four long jobs at once. ``service_out_ms``: how long a service is left out after the node
    said that its model is not available. ``waiting_frames``, ``waiting_bytes``: most that wait
    while a registration is being answered. ``kept_results_bytes``, ``finish_again_ms``: see
    :class:`jobs.keeping.Keeper`.
    """

    require_gpu: bool = False
    register_timeout_ms: int = 30_000  # for the first frame: a node looks at its hardware before
    max_concurrent_jobs: int = 2
    resource_threshold_percent: int = 95  # of CPU, GPU or memory used: no new job above it
    service_out_ms: int = 60_000
    waiting_frames: int = 1_000
    waiting_bytes: int = 16 * 2**20
    kept_results_bytes: int = 64 * 2**20
    finish_again_ms: int = 5_000
