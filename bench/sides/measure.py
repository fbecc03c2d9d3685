"""How every side is measured: the same steps, clocks and figures."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from statistics import median, quantiles

import psutil

WARM_UP = 30


@dataclass(frozen=True)
class Trip:
    """One job, in seconds from its sending: when the worker had it, when its answer was back."""

    to_worker_s: float
    round_trip_s: float


Send = Callable[[int], Awaitable[Trip]]
"""Sends one job over lane ``n`` and returns when its answer is back."""


Parts = Mapping[str, list[psutil.Process]]
"""Processes by what they do in a measurement."""


@dataclass(frozen=True)
class Ways:
    """How to send a job that is ``alone``, and one of ``many`` under way."""

    alone: Send
    many: Send


@dataclass(frozen=True)
class Side:
    """``ways``: to send jobs with this payload, for as long as the context."""

    ways: Callable[[str], AbstractAsyncContextManager[Ways]]
    parts: Parts


async def idle(send: Send, jobs: int) -> dict[str, float]:
    """One job at a time: latencies in ms."""
    trips = [await send(number) for number in range(WARM_UP + jobs)][WARM_UP:]
    to_worker = [1000 * trip.to_worker_s for trip in trips]
    return {
        "to_node_p50_ms": median(to_worker),
        "to_node_p99_ms": quantiles(to_worker, n=100)[-1],
        "round_trip_p50_ms": median(1000 * trip.round_trip_s for trip in trips),
    }


async def busy(send: Send, *, in_flight: int, seconds: float, parts: Parts) -> dict[str, float]:
    """Always ``in_flight`` jobs under way: jobs a second, CPU of each part in µs a job, and how
    many cores they all kept busy.
    """
    done = 0

    async def lane(number: int) -> None:
        nonlocal done
        while time.perf_counter() < end_s:
            await send(number)
            done += 1

    before = {name: cpu_of(part) for name, part in parts.items()}
    begin_s = time.perf_counter()
    end_s = begin_s + seconds
    await asyncio.gather(*(lane(number) for number in range(in_flight)))
    took_s = time.perf_counter() - begin_s
    used_s = {name: cpu_of(part) - before[name] for name, part in parts.items()}
    return {
        "jobs_per_s": done / took_s,
        **{f"{name}_cpu_us_per_job": 1e6 * cpu_s / done for name, cpu_s in used_s.items()},
        "cores_busy": sum(used_s.values()) / took_s,
    }


def cpu_of(processes: list[psutil.Process]) -> float:
    """Seconds of CPU that these processes have used."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)
