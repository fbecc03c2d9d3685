"""Schedulers that know everything at every moment, to compare with."""

import random
from collections import deque
from collections.abc import Callable
from math import inf

from bench.simulation.fleet import NODE_CLASSES, PAIRS, Machine
from bench.simulation.traffic import Job
from bench.simulation.world import Asking, at_once

Rank = Callable[[int, int], float]


def by_load(used: int, capacity: int) -> float:
    """All-knowing: the least loaded of all free nodes that can do it."""
    return used / capacity


def by_chance(_used: int, _capacity: int) -> float:
    """Random: any free node that can do it."""
    return 0.0


class Central:
    """One queue a pair, first come first served, and the best free node by ``rank``, of equal ones
    any.
    """

    tick_ms = inf

    def __init__(self, fleet: list[Machine], rank: Rank, seed: int) -> None:
        self._draw = random.Random(seed).random
        self._used = [0] * len(fleet)
        self._queues: list[deque[Job]] = [deque() for _ in PAIRS]
        loads = sorted({rank(n, one.capacity) for one in fleet for n in range(one.capacity)})
        self._rank_of = {
            (n, one.capacity): loads.index(rank(n, one.capacity))
            for one in fleet
            for n in range(one.capacity)
        }
        # By class of nodes and rank: the free ones; and where each stands in its list.
        self._free: list[list[list[Machine]]] = [[[] for _ in loads] for _ in NODE_CLASSES]
        self._place_of = [-1] * len(fleet)
        for machine in fleet:
            self._list(machine)
        by_pair = [[each for each in NODE_CLASSES if i in each.pairs] for i in range(len(PAIRS))]
        self._looks = [
            [[self._free[each.number][rank] for each in classes] for rank in range(len(loads))]
            for classes in by_pair
        ]

    def arrive(self, job: Job, at_ms: float) -> Asking:
        machine = self._best(job.pair)
        if machine is None:
            self._queues[job.pair].append(job)
            return at_once([])
        return self._give(job, machine)

    def end(self, job: Job, machine: Machine, at_ms: float) -> Asking:
        self._unlist(machine)
        self._used[machine.number] -= 1
        self._list(machine)
        waiting = [queue for i in machine.of.pairs if (queue := self._queues[i])]
        if not waiting:
            return at_once([])
        return self._give(min(waiting, key=lambda queue: queue[0].number).popleft(), machine)

    def tick(self, at_ms: float) -> Asking:
        return at_once([])

    def _give(self, job: Job, machine: Machine) -> Asking:
        self._unlist(machine)
        self._used[machine.number] += 1
        self._list(machine)
        return at_once([(job, machine)])

    def _best(self, pair: int) -> Machine | None:
        for lists in self._looks[pair]:
            total = sum(map(len, lists))
            if total:
                chosen = int(self._draw() * total)
                for machines in lists:
                    if chosen < len(machines):
                        return machines[chosen]
                    chosen -= len(machines)
        return None

    def _among(self, machine: Machine) -> list[Machine]:
        rank = self._rank_of[self._used[machine.number], machine.capacity]
        return self._free[machine.of.number][rank]

    def _list(self, machine: Machine) -> None:
        if self._used[machine.number] < machine.capacity:
            machines = self._among(machine)
            self._place_of[machine.number] = len(machines)
            machines.append(machine)

    def _unlist(self, machine: Machine) -> None:
        if self._used[machine.number] < machine.capacity:
            machines, place = self._among(machine), self._place_of[machine.number]
            last = machines.pop()
            if last is not machine:
                machines[place] = last
                self._place_of[last.number] = place
