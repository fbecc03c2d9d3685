"""How well the scripts choose: a simulation in virtual time, decided by the scripts themselves.

    python bench/simulate.py [--quick] [--json FILE]

Jobs come, nodes work and heartbeats are sent in virtual time, handed to the product's scripts in
a Valkey of its own (:mod:`lua.given_time`): ``dispatch``, ``take``, ``finish``, ``heartbeat``,
``renew_lease`` and ``reap`` decide all that happens to a job. Beside it, on the same jobs:

* all-knowing: the least loaded of all free nodes that can do it, at every moment; one queue a pair
* random: any free node that can do it; one queue a pair

Nodes have 2 to 8 slots and speak some of three language pairs; each pair is served by 3 or 4 pools
(:mod:`bench.simulation.fleet`). ``slots``: jobs of a node don't disturb each other; ``slowing``: n
jobs run at 1 / (1 + 0.5 (n - 1)) each. ``load`` is percent of what the fleet can do when it is
full. Work is 1 s on average, log-normal; jobs come as a Poisson stream or in bursts
(:mod:`bench.simulation.traffic`). None is given up, however long it waits.

A row pools 3 seeds of 40,000 jobs each, not counting those that come first, while the fleet fills.
It takes 30 to 60 s of one core, 250 to 400 µs a job. So that the whole takes less than 20 minutes,
the default run has k = 20 for the loads and sizes that tell most, and other k at one of them only.
``ratio`` is mean response by all-knowing's; a false refusal is a decision to let a job wait, or to
refuse it, while in truth a node that can do it has a free slot. Evenness: see
:class:`bench.simulation.figures.Figures`.
"""

import argparse
import json
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.connection import server
from bench.simulation import cell
from bench.simulation.central import Central, Rank, by_chance, by_load
from bench.simulation.figures import Figures
from bench.simulation.fleet import Machine, make_fleet, throughputs
from bench.simulation.link import Link, run_together
from bench.simulation.parley import Parley
from bench.simulation.traffic import Arrivals, Job, make_traffic
from bench.simulation.world import Command, Outcome, Scheduler, World

SEEDS = 3
JOBS = 40_000
QUICK_JOBS = 8_000
WARM = 2_000
WARM_A_NODE = 8
Run = Generator[list[Command], list[Any], Outcome]
POISSON, BURSTY = Arrivals.POISSON, Arrivals.BURSTY


@dataclass(frozen=True)
class Case:
    """A fleet and its traffic, and how many nodes are looked at for a job."""

    nodes: int
    load: int
    model: str
    arrivals: Arrivals = POISSON
    samples: tuple[int, ...] = (20,)

    @property
    def slowing(self) -> bool:
        return self.model == "slowing"


CASES = (
    *(Case(20, load, "slowing") for load in (70, 95)),
    *(Case(100, load, "slowing") for load in (50, 70, 90, 95, 98)),
    Case(100, 80, "slowing", samples=(20, 8, 4, 2)),
    *(Case(1000, load, "slowing") for load in (70, 80, 90)),
    *(Case(size, 80, "slowing", BURSTY) for size in (100, 1000)),
    *(Case(100, load, "slots") for load in (70, 95)),
    Case(1000, 95, "slots"),
    Case(100, 80, "slots", BURSTY),
)
QUICK_CASES = (
    Case(100, 70, "slowing"),
    Case(100, 80, "slowing", samples=(20, 4)),
    Case(100, 95, "slots", BURSTY),
)


@dataclass(frozen=True)
class Row:
    """One line of the table: ``load`` in percent, times in ms."""

    nodes: int
    load: int
    model: str
    arrivals: str
    k: int
    response_ms: float
    ideal_response_ms: float
    random_response_ms: float
    ratio: float
    false_refusals: int


class Trial:
    """Runs of one case, each scheduler on the same jobs."""

    def __init__(self, case: Case, jobs: int) -> None:
        self._case = case
        self._warm = WARM + WARM_A_NODE * case.nodes
        able = throughputs(make_fleet(case.nodes), slowing=case.slowing)
        count, load, arrivals = self._warm + jobs, case.load, case.arrivals
        self._traffic = [
            make_traffic(able, count=count, load=load, arrivals=arrivals, seed=seed)
            for seed in range(SEEDS)
        ]

    def central(self, link: Link, rank: Rank) -> Figures:
        """One that knows everything decides."""
        runs = []
        for seed, jobs in enumerate(self._traffic):
            fleet = make_fleet(self._case.nodes)
            runs.append(self._run(fleet, jobs, Central(fleet, rank, seed)))
        return Figures.of(run_together(link, runs))

    def parley(self, link: Link, url: str, k: int) -> Figures:
        """The scripts decide, each run in a cell of its own."""
        link.ask(("FLUSHALL",))
        scripts, runs = cell.load_scripts(link, k), []
        for seed, jobs in enumerate(self._traffic):
            fleet = make_fleet(self._case.nodes)
            prefix = cell.fill(link, seed, fleet, scripts)
            needs = cell.needs(url, seed)
            runs.append(self._run(fleet, jobs, Parley(fleet, prefix, scripts, needs)))
        return Figures.of(run_together(link, runs))

    def _run(self, fleet: list[Machine], jobs: list[Job], scheduler: Scheduler) -> Run:
        return World(fleet, jobs, scheduler, slowing=self._case.slowing).run(warm=self._warm)


def rows_of(case: Case, link: Link, url: str, jobs: int) -> Iterator[Row]:
    """Rows of one case; prints them."""
    trial = Trial(case, jobs)
    ideal, chance = trial.central(link, by_load), trial.central(link, by_chance)
    for k in case.samples:
        ours = trial.parley(link, url, k)
        ratio = round(ours.response_ms / ideal.response_ms, 3)
        print(
            f"{case.nodes:>5,} {case.load:>4} {case.model:<7} {case.arrivals:<8} {k:>2}"
            f" {ours.response_ms:>6.0f} {ours.p99_ms:>6.0f}"
            f" {ideal.response_ms:>6.0f} {ideal.p99_ms:>6.0f}"
            f" {chance.response_ms:>6.0f} {chance.p99_ms:>6.0f} {ratio:>6.3f}"
            f" {ours.waited:>6.1%} {ours.wait_ms:>5.0f} {ideal.wait_ms:>5.0f}"
            f" {ours.false_refusals:>5} {ours.evenness:>6.3f} {ideal.evenness:.3f}",
            flush=True,
        )
        yield Row(
            nodes=case.nodes,
            load=case.load,
            model=case.model,
            arrivals=case.arrivals,
            k=k,
            response_ms=ours.response_ms,
            ideal_response_ms=ideal.response_ms,
            random_response_ms=chance.response_ms,
            ratio=ratio,
            false_refusals=ours.false_refusals,
        )


HEADER = (
    "                              Parley          all-knowing   random                "
    "waits: Parley ideal       evenness\n"
    "nodes load model   arrivals  k   mean   99 %   mean   99 %   mean   99 %  ratio"
    "   jobs  mean  mean false Parley ideal"
)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there")
    parser.add_argument("--quick", action="store_true", help="few rows of fewer jobs: a minute")
    options = parser.parse_args(arguments)
    cases, jobs = (QUICK_CASES, QUICK_JOBS) if options.quick else (CASES, JOBS)
    print(HEADER)
    with server() as url, closing(Link(url)) as link:
        rows = [row for case in cases for row in rows_of(case, link, url, jobs)]
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


if __name__ == "__main__":
    main()
