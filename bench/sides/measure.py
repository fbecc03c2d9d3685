"""How every side is measured: the same steps, clocks and figures."""

import asyncio
import time
from collections.abc import Awaitable, Callable
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


async def idle(send: Send, jobs: int) -> dict[str, float]:
    """One job at a time: latencies in ms."""
    trips = [await send(number) for number in range(WARM_UP + jobs)][WARM_UP:]
    to_worker = [1000 * trip.to_worker_s for trip in trips]
    return {
        "to_node_p50_ms": median(to_worker),
        "to_node_p99_ms": quantiles(to_worker, n=100)[-1],
        "round_trip_p50_ms": median(1000 * trip.round_trip_s for trip in trips),
    }


async def busy(
    send: Send, *, in_flight: int, seconds: float, servers: list[psutil.Process]
) -> dict[str, float]:
    """Always ``in_flight`` jobs under way: jobs a second, and CPU of the servers in µs a job."""
    done = 0

    async def lane(number: int) -> None:
        nonlocal done
        while time.perf_counter() < end_s:
            await send(number)
            done += 1

    cpu_s, begin_s = cpu_of(servers), time.perf_counter()
    end_s = begin_s + seconds
    await asyncio.gather(*(lane(number) for number in range(in_flight)))
    took_s = time.perf_counter() - begin_s
    return {
        "jobs_per_s": done / took_s,
        "server_cpu_us_per_job": 1e6 * (cpu_of(servers) - cpu_s) / done,
    }


def cpu_of(processes: list[psutil.Process]) -> float:
    """Seconds of CPU that these processes have used."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)
