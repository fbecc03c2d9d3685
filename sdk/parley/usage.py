"""What a node reports of its own load: callables from running jobs to `ResourceUsage`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from parley.frames import ResourceUsage

Usage: TypeAlias = Callable[[int], ResourceUsage]

HIGH_PERCENT = 90
WINDOW_S = 1.0
"""Shorter than that, one busy moment would look like a full machine."""


def idle(running: int) -> ResourceUsage:
    """A machine with nothing to do, with a GPU: for simulated nodes."""
    return ResourceUsage(5.0, 20.0, running, gpu_percent=10.0, gpu_mem_percent=20.0)


def is_high(usage: ResourceUsage) -> bool:
    """Whether anything is near its end, so that the server may give the node no more jobs."""
    loads = usage.cpu_percent, usage.mem_percent, usage.gpu_percent, usage.gpu_mem_percent
    return any(load is not None and load >= HIGH_PERCENT for load in loads)


class Measured:
    """CPU since the last measurement and memory now, from `/proc`; zero where there is none.

    It knows nothing of GPUs: a node that has one reports it by a callable of its own.
    """

    def __init__(self) -> None:
        self._ticks = _cpu_times()
        self._at_s = time.monotonic()
        self._cpu_percent = 0.0

    def __call__(self, running: int) -> ResourceUsage:
        if time.monotonic() - self._at_s >= WINDOW_S:
            self._measure()
        return ResourceUsage(round(self._cpu_percent, 1), round(_memory_percent(), 1), running)

    def _measure(self) -> None:
        before, self._ticks = self._ticks, _cpu_times()
        self._at_s = time.monotonic()
        total, quiet = (now - then for now, then in zip(self._ticks, before, strict=True))
        self._cpu_percent = 100 * (total - quiet) / total if total else 0.0


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
