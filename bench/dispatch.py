"""Server time of the scripts' calls, and of dispatch beside a plain way to choose a node.

    .venv/bin/python bench/dispatch.py [--quick] [--json FILE]

An own Valkey holds fleets of which 50, 95 and 99 % have no slot left, all their nodes in one pool.
A node without work is found by a set of its own, whatever k is: told apart is a fleet without one.
Time is the server's (``INFO commandstats``) over batches of 200 calls, in which all fleets and
variants take turns; told is the quickest tenth, as other work on the machine only ever adds to it.
After each dispatch its job is cancelled, so every call finds the
fleet alike. The plain way is the same script with only ``choose`` exchanged by
``bench/plain/choose.lua``; it always looks at 20 nodes, and where these are all full the job waits.
``commands`` is the most that one dispatch ran inside.
"""

import argparse
import json
import random
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import redis

from bench.commandstats import Usage, prefer, undisturbed
from bench.connection import server
from bench.fleet import BY_NOBODY, Fleet, limits
from bench.lives import Lives
from bench.registrations import registrations
from lua import loader
from lua.composer import Composed
from lua.scripts import job as job_calls

SIZES = (100, 10_000, 100_000)
FULL = (50, 95, 99)
SAMPLES = (20, 4)
PLAIN = 0  # in the place of k
CALLS = 200
PATIENCE_S = 120  # a script that makes a third of the nodes takes some seconds
PAYLOAD = b"{" + b"x" * 298 + b"}"


@dataclass(frozen=True)
class Row:
    """One line of the table: ``full`` in percent, times in µs."""

    nodes: int
    k: int
    full: int
    dispatch_us: float
    plain_us: float
    ratio: float
    commands: int


def plain() -> Composed:
    """The product's dispatch with the plain choice."""
    read = loader.read

    def exchanged(name: str) -> loader.Source:
        return read("../bench/plain/choose" if name == "include/choose" else name)

    with mock.patch.object(loader, "read", exchanged):
        return job_calls.DISPATCH.composed(limits())


class Dispatches:
    """Dispatch calls of one variant on a fleet, and their times."""

    def __init__(self, fleet: Fleet, whole: Composed, has: tuple[str, ...] = ()) -> None:
        self.fleet = fleet
        self._name = fleet.load(whole)
        self._cancel = fleet.load_uncounted(job_calls.CANCEL.composed(limits()))
        self._has = has
        self.taken_us: list[float] = []

    def _commands(self) -> Iterator[tuple[Any, ...]]:
        job, cell = self.fleet.new_job(self._has), self.fleet.cell
        yield "FCALL", self._name, 1, cell, "", PAYLOAD, *BY_NOBODY, job.packed()
        yield "EVALSHA", self._cancel, 1, cell, job.job, "CANCELLED", ""

    def time(self) -> None:
        """Take the server's time of one batch."""
        before = Usage.of(self.fleet.client)
        self.fleet.run(command for _ in range(CALLS) for command in self._commands())
        self.taken_us.append((Usage.of(self.fleet.client) - before).us_a_script)

    def most_commands(self, calls: int = 50) -> int:
        """The most commands that one of some calls ran."""
        counts = []
        for _ in range(calls):
            dispatch, undo = self._commands()
            before = Usage.of(self.fleet.client)
            self.fleet.run([dispatch])
            # Without FCALL itself and the INFO before it.
            counts.append((Usage.of(self.fleet.client) - before).commands - 2)
            self.fleet.run([undo])
        return max(counts)


def samples() -> dict[int, Composed]:
    """The product's dispatch, by the number of nodes looked at."""
    return {k: job_calls.DISPATCH.composed(limits(sample_k=k)) for k in SAMPLES}


def variants(fleet: Fleet) -> dict[int, Dispatches]:
    """Beside the plain one."""
    scripts = samples() | {PLAIN: plain()}
    return {k: Dispatches(fleet, whole) for k, whole in scripts.items()}


def offering(fleet: Fleet) -> dict[int, Dispatches]:
    """For jobs that ask for one thing that not every member of the pool need have."""
    return {k: Dispatches(fleet, whole, ("tts:zh",)) for k, whole in samples().items()}


def without_receipt(fleet: Fleet) -> Dispatches:
    """The product's dispatch with the default sample, but for the receipt of the choice."""
    whole = job_calls.DISPATCH.composed(limits())
    bare = whole.body.replace("'receipt', receipt(need, passed)", "'receipt', ''")
    assert bare != whole.body
    return Dispatches(fleet, replace(whole, body=bare))


def take_turns(runs: list[Dispatches], lives: Lives, turns: int) -> None:
    """Time all, one batch each a turn, in an order of chance: what comes first is slower. The
    first turn only warms up.
    """
    order = random.Random(turns)
    for turn in range(turns + 1):
        lives.turn()
        for run in order.sample(runs, len(runs)):
            run.time()
            run.fleet.tidy()
            if not turn:
                run.taken_us.clear()


def rows_of(fleet: Fleet, runs: dict[int, Dispatches]) -> Iterator[Row]:
    us = {k: round(undisturbed(run.taken_us), 1) for k, run in runs.items()}
    for k in SAMPLES:
        yield Row(
            nodes=len(fleet.nodes),
            k=k,
            full=fleet.full,
            dispatch_us=us[k],
            plain_us=us[PLAIN],
            ratio=round(us[PLAIN] / us[k], 2),
            commands=runs[k].most_commands(),
        )


def line_of(row: Row) -> str:
    return (
        f"{row.nodes:>7,} {row.k:>3} {row.full:>5} % {row.dispatch_us:>11}"
        f" {row.plain_us:>9} {row.ratio:>6} {row.commands:>9}"
    )


def measure(client: redis.Redis, size: int, turns: int) -> Iterator[Row]:
    """Rows of one size of fleet; prints the table."""
    client.flushall()
    fleets = [Fleet(client, cell=cell, size=size, full=full) for cell, full in enumerate(FULL)]
    runs = [variants(fleet) for fleet in fleets]
    asking, bare = offering(fleets[0]), without_receipt(fleets[0])
    busy = variants(Fleet(client, cell=len(FULL), size=size, full=FULL[0], least=1))
    every = [bare, *(run for each in (*runs, asking, busy) for run in each.values())]
    lives = Lives(fleets[0])
    take_turns(every, lives, turns)
    for fleet, each in zip(fleets, runs, strict=True):
        for row in rows_of(fleet, each):
            print(line_of(row))
            yield row
    for row in rows_of(busy[PLAIN].fleet, busy):
        print(f"{line_of(row)}  nobody without work")
    for k, run in asking.items():
        print(
            f"{size:>7,} {k:>3} {fleets[0].full:>5} % {undisturbed(run.taken_us):>11.1f}"
            f"{run.most_commands():>27}  asking for one has: value"
        )
    bare_us = undisturbed(bare.taken_us)
    print(f"{size:>7,}  20 {fleets[0].full:>5} % {bare_us:>11.1f}{'':27}  without its receipt")
    for line in (*lives.lines(), *registrations(fleets[0], turns)):
        print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there")
    parser.add_argument("--quick", action="store_true", help="fewer batches, no 100,000 nodes")
    options = parser.parse_args()
    sizes, turns = (SIZES[:-1], 9) if options.quick else (SIZES, 31)
    print("  nodes   k    full dispatch µs  plain µs  ratio  commands")
    with (
        server() as url,
        redis.Redis.from_url(url, protocol=2, socket_timeout=PATIENCE_S) as client,
    ):
        prefer(client)
        rows = [row for size in sizes for row in measure(client, size, turns)]
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


if __name__ == "__main__":
    main()
