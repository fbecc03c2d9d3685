"""How every side is measured: the same steps, clocks and figures."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from statistics import median, quantiles

import psutil

WARM_UP = 30
IDLE_TURN = 25  # jobs
BUSY_TURNS = 4

Figures = dict[str, float]


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


async def idle(sends: Mapping[str, Send], jobs: int) -> dict[str, Figures]:
    """One job at a time, a few of each side in turn, so that all meet the same moments of the
    machine: latencies in ms by side.
    """
    trips: dict[str, list[Trip]] = {name: [] for name in sends}
    for send in sends.values():
        await _one_by_one(send, WARM_UP)
    for _ in range(jobs // IDLE_TURN):
        for name, send in sends.items():
            trips[name] += await _one_by_one(send, IDLE_TURN)
    return {name: _latencies(some) for name, some in trips.items()}


async def _one_by_one(send: Send, jobs: int) -> list[Trip]:
    return [await send(number) for number in range(jobs)]


def _latencies(trips: list[Trip]) -> Figures:
    to_worker = [1000 * trip.to_worker_s for trip in trips]
    return {
        "to_node_p50_ms": median(to_worker),
        "to_node_p99_ms": quantiles(to_worker, n=100)[-1],
        "round_trip_p50_ms": median(1000 * trip.round_trip_s for trip in trips),
    }


@dataclass(frozen=True)
class Crowd:
    """Always ``in_flight`` jobs under way, done by ``parts``."""

    send: Send
    in_flight: int
    parts: Parts


class _Tally:
    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._done = 0
        self._took_s = 0.0
        self._used_s = dict.fromkeys(crowd.parts, 0.0)

    async def work(self, seconds: float) -> None:
        parts = self._crowd.parts
        before = {name: cpu_of(part) for name, part in parts.items()}
        begin_s = time.perf_counter()
        lanes = range(self._crowd.in_flight)
        await asyncio.gather(*(self._lane(number, begin_s + seconds) for number in lanes))
        self._took_s += time.perf_counter() - begin_s
        for name, part in parts.items():
            self._used_s[name] += cpu_of(part) - before[name]

    async def _lane(self, number: int, end_s: float) -> None:
        while time.perf_counter() < end_s:
            await self._crowd.send(number)
            self._done += 1

    def figures(self) -> Figures:
        used_s = self._used_s.items()
        return {
            "jobs_per_s": self._done / self._took_s,
            **{f"{name}_cpu_us_per_job": 1e6 * cpu_s / self._done for name, cpu_s in used_s},
            "cores_busy": sum(self._used_s.values()) / self._took_s,
        }


async def busy(crowds: Mapping[str, Crowd], seconds: float) -> dict[str, Figures]:
    """So long for each crowd, in turns: jobs a second, CPU of each part in µs a job, and how many
    cores they all kept busy.
    """
    tallies = {name: _Tally(crowd) for name, crowd in crowds.items()}
    for _ in range(BUSY_TURNS):
        for tally in tallies.values():
            await tally.work(seconds / BUSY_TURNS)
    return {name: tally.figures() for name, tally in tallies.items()}


def cpu_of(processes: list[psutil.Process]) -> float:
    """Seconds of CPU that these processes have used."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)
