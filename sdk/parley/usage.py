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


def on_cpu(running: int) -> ResourceUsage:
    """For a node that works on the CPU, which others can make slower but not full.

    ``cpu_percent`` is how much of a processor one more program would lack: 0 while one is free, 50
    with twice as many busy programs as processors, 95 with twenty times. By the load of the last
    minute.
    """
    programs = os.getloadavg()[0] + 1
    lacking_percent = max(0.0, 100 * (1 - (os.cpu_count() or 1) / programs))
    memory_percent = _memory_percent(Path("/proc/meminfo"))
    return ResourceUsage(round(lacking_percent, 1), round(memory_percent, 1), running)


def is_high(usage: ResourceUsage) -> bool:
    """Whether anything is near its end, so that the server may give the node no more jobs."""
    loads = usage.cpu_percent, usage.mem_percent, usage.gpu_percent, usage.gpu_mem_percent
    return any(load is not None and load >= HIGH_PERCENT for load in loads)


class Measured:
    """CPU since the last measurement and memory now, from `/proc`; zero where there is none.

    The CPU is what others take of it: this process and its children work on its jobs, of which its
    slots say how many it can bear. A node that counted them would refuse the next one because it
    works on this one. It knows nothing of GPUs: a node that has one reports it by a callable of its
    own.
    """

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._ticks = _cpu_times(proc)
        self._at_s = time.monotonic()
        self._cpu_percent = 0.0

    def __call__(self, running: int) -> ResourceUsage:
        if time.monotonic() - self._at_s >= WINDOW_S:
            self._measure()
        memory_percent = round(_memory_percent(self._proc / "meminfo"), 1)
        return ResourceUsage(round(self._cpu_percent, 1), memory_percent, running)

    def _measure(self) -> None:
        before, self._ticks = self._ticks, _cpu_times(self._proc)
        self._at_s = time.monotonic()
        total, quiet, own = (now - then for now, then in zip(self._ticks, before, strict=True))
        self._cpu_percent = 100 * max(0, total - quiet - own) / total if total else 0.0


def _cpu_times(proc: Path) -> tuple[int, int, int]:
    """Ticks since boot: all, those spent idle or waiting, and those of this process."""
    try:
        ticks = [int(word) for word in (proc / "stat").read_text().splitlines()[0].split()[1:9]]
    except OSError:
        return 0, 0, 0
    return sum(ticks), ticks[3] + ticks[4], ticks_of(proc, "self")


def ticks_of(proc: Path, pid: str) -> int:
    """What a process has taken with its children, and they with theirs: those that live, and those
    that it has waited for.
    """
    try:
        times = (proc / pid / "stat").read_text().rpartition(")")[2].split()[11:15]
        threads = [path.read_text().split() for path in (proc / pid / "task").glob("*/children")]
    except OSError:  # it has just ended
        return 0
    children = (child for thread in threads for child in thread)
    return sum(map(int, times)) + sum(ticks_of(proc, child) for child in children)


def _memory_percent(path: Path) -> float:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0.0
    sizes = {name: int(rest.split()[0]) for name, rest in (line.split(":", 1) for line in lines)}
    return 100 * (1 - sizes["MemAvailable"] / sizes["MemTotal"])


def memory_gb() -> int:
    """Memory of this machine, at least 1."""
    return max(1, round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30))
