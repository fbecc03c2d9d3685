"""What really happens: jobs come, nodes work, and somebody decides who gets what.

A :class:`Scheduler` that has to ask yields commands for the server and is sent their replies, so
that several simulations can wait for one server at the same time: see
:func:`bench.simulation.link.run_together`.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import inf
from typing import Any, Protocol

from bench.simulation.fleet import PAIRS, Machine, speed
from bench.simulation.traffic import Job

Command = tuple[Any, ...]
Placed = list[tuple[Job, Machine | None]]
"""Jobs and their nodes; None: refused."""
Asking = Generator[list[Command], list[Any], Placed]


def at_once(placed: Placed) -> Asking:
    """What is decided without asking."""
    return placed
    yield []


class Scheduler(Protocol):
    """Says what is placed on which node by each thing that happens."""

    tick_ms: float
    """How often it wants to look at the time; infinite: never."""

    def arrive(self, job: Job, at_ms: float) -> Asking:
        """A job comes. It is placed, or it waits."""
        ...

    def end(self, job: Job, machine: Machine, at_ms: float) -> Asking:
        """A job is done; its slot is free."""
        ...

    def tick(self, at_ms: float) -> Asking:
        """Some time has passed."""
        ...


@dataclass
class Outcome:
    """``false_refusals``: decisions that left a job waiting, or refused it, while a node that
    could do it had a free slot; of all jobs, while the rest leaves out the first ``warm``.
    """

    responses_ms: list[float] = field(default_factory=list)
    waits_ms: list[float] = field(default_factory=list)
    false_refusals: int = 0
    refused: int = 0
    served_ms: list[float] = field(default_factory=list)
    """By node: the time its jobs took, for each of its slots."""


class World:
    """One fleet, one scheduler."""

    def __init__(
        self, fleet: list[Machine], jobs: list[Job], scheduler: Scheduler, *, slowing: bool
    ) -> None:
        self._fleet = fleet
        self._jobs = jobs
        self._scheduler = scheduler
        most = max(machine.capacity for machine in fleet)
        self._speed = [1.0, *(speed(n, slowing=slowing) for n in range(1, most + 1))]
        self._free = [0] * len(PAIRS)
        for machine in fleet:
            self._is_free(machine, 1)
        self._waiting = [0] * len(PAIRS)
        self._started: dict[int, float] = {}
        self._ends: list[tuple[float, int, int]] = []

    def run(self, *, warm: int) -> Generator[list[Command], list[Any], Outcome]:
        """From the first job's coming to the last one's end."""
        self._warm, self._outcome = warm, Outcome()
        scheduler, ends, position = self._scheduler, self._ends, 0
        next_tick = scheduler.tick_ms
        while position < len(self._jobs) or ends:
            arrival = self._jobs[position].at_ms if position < len(self._jobs) else inf
            end = ends[0][0] if ends else inf
            if next_tick < min(arrival, end):
                self._place((yield from scheduler.tick(next_tick)), next_tick)
                next_tick += scheduler.tick_ms
            elif arrival < end:
                job = self._jobs[position]
                position += 1
                self._waiting[job.pair] += 1
                self._place((yield from scheduler.arrive(job, arrival)), arrival)
                if self._waiting[job.pair] and self._free[job.pair]:
                    self._outcome.false_refusals += 1
            else:
                yield from self._end(*heappop(ends))
        self._outcome.false_refusals += sum(self._waiting)  # forgotten
        self._outcome.served_ms = [each.served_ms / each.capacity for each in self._fleet]
        return self._outcome

    def _end(
        self, at_ms: float, number: int, turn: int
    ) -> Generator[list[Command], list[Any], None]:
        machine = self._fleet[number]
        if turn != machine.turn:
            return
        job = self._leave(machine, at_ms)
        self._place((yield from self._scheduler.end(job, machine, at_ms)), at_ms)
        if machine.used < machine.capacity and any(self._waiting[i] for i in machine.of.pairs):
            self._outcome.false_refusals += 1

    # --- nodes ---

    def _advance(self, machine: Machine, at_ms: float) -> None:
        machine.progress += (at_ms - machine.at_ms) * self._speed[machine.used]
        machine.at_ms = at_ms
        machine.turn += 1

    def _next_end(self, machine: Machine) -> None:
        if machine.running:
            left = machine.running[0][0] - machine.progress
            at_ms = machine.at_ms + max(0.0, left) / self._speed[machine.used]
            heappush(self._ends, (at_ms, machine.number, machine.turn))

    def _place(self, placed: Placed, at_ms: float) -> None:
        for job, machine in placed:
            self._waiting[job.pair] -= 1
            if machine is None:
                self._outcome.false_refusals += bool(self._free[job.pair])
                self._outcome.refused += 1
                continue
            if machine.used == machine.capacity or job.pair not in machine.of.pairs:
                raise AssertionError(f"{machine.name} was given job {job.number}")
            self._advance(machine, at_ms)
            heappush(machine.running, (machine.progress + job.work_ms, job.number, job))
            machine.used += 1
            if machine.used == machine.capacity:
                self._is_free(machine, -1)
            self._started[job.number] = at_ms
            self._next_end(machine)

    def _leave(self, machine: Machine, at_ms: float) -> Job:
        self._advance(machine, at_ms)
        _, _, job = heappop(machine.running)
        if machine.used == machine.capacity:
            self._is_free(machine, 1)
        machine.used -= 1
        self._next_end(machine)
        started = self._started.pop(job.number)
        if job.number >= self._warm:
            self._outcome.responses_ms.append(at_ms - job.at_ms)
            self._outcome.waits_ms.append(started - job.at_ms)
            machine.served_ms += at_ms - started
        return job

    def _is_free(self, machine: Machine, change: int) -> None:
        for pair in machine.of.pairs:
            self._free[pair] += change
