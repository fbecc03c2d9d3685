"""What a node reports of its own load: callables from running jobs to `ResourceUsage`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from parley.frames import ResourceUsage

Usage: TypeAlias = Callable[[int], ResourceUsage]


def idle(running: int) -> ResourceUsage:
    """A machine with nothing to do, with a GPU: for simulated nodes."""
    return ResourceUsage(5.0, 20.0, running, gpu_percent=10.0, gpu_mem_percent=20.0)


class Measured:
    """CPU since the last call and memory now, from `/proc`; zero where there is none.

    It knows nothing of GPUs: a node that has one reports it by a callable of its own.
    """

    def __init__(self) -> None:
        self._last = _cpu_times()

    def __call__(self, running: int) -> ResourceUsage:
        before, self._last = self._last, _cpu_times()
        total, quiet = (now - then for now, then in zip(self._last, before, strict=True))
        cpu = 100 * (total - quiet) / total if total else 0.0
        return ResourceUsage(round(cpu, 1), round(_memory_percent(), 1), running)


def _cpu_times(path: Path = Path("/proc/stat")) -> tuple[int, int]:
    """Ticks since boot: all, and those spent idle or waiting."""
    try:
        ticks = [int(word) for word in path.read_text().splitlines()[0].split()[1:9]]
    except OSError:
        return 0, 0
    return sum(ticks), ticks[3] + ticks[4]


def _memory_percent(path: Path = Path("/proc/meminfo")) -> float:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0.0
    sizes = {name: int(rest.split()[0]) for name, rest in (line.split(":", 1) for line in lines)}
    return 100 * (1 - sizes["MemAvailable"] / sizes["MemTotal"])


def memory_gb() -> int:
    """Memory of this machine, at least 1."""
    return max(1, round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30))
