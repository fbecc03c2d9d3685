"""What a long queue costs those who wait in it, and everybody else.

    .venv/bin/python -m bench.overload [--quick] [--json FILE]

Two cells of an own Valkey, each with 50,000 nodes of one language pair, half of them with a free
slot, and 200 nodes of another, all full. In one of the cells 10,000 jobs wait for the full pair.
Time is the server's (``INFO commandstats``) over batches of calls in which the two cells take
turns; told is the quickest tenth. In the full pair ``dispatch`` joins the queue, and ``finish``
hands the slot over to the first that waits. ``ratio``: the cost with the queue over that without.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import redis

from bench.commandstats import Usage, prefer, undisturbed
from bench.connection import server
from bench.fleet import BY_NOBODY, PROCESS, Fleet, batches, limits
from bench.lives import RESULT, Life, Placed
from lua.scripts import job as job_calls

FREE_NODES, FULL_NODES, WAITING = 50_000, 200, 10_000
FULL_POOLS = ("auto:ja-ko", "pair:ja-ko")
CALLS = 60
PATIENCE_S = 120


@dataclass(frozen=True)
class Row:
    """One line of the table, times in µs a call."""

    script: str
    pair: str
    us: float
    us_without: float
    ratio: float


class Pair:
    """Nodes of a language pair. ``waiting``: jobs that wait for them; None: not all are busy."""

    def __init__(self, fleet: Fleet, waiting: int | None) -> None:
        self.fleet = fleet
        self.life = Life(fleet)
        self.life.at_once = CALLS
        self._stream = f"{fleet.cell}mailbox:{PROCESS}"
        self._running: list[Placed] = []
        self._is_full = waiting is not None
        if waiting is not None:
            self._fill(waiting)

    def dispatch(self) -> float:
        """Each job is cancelled before the next is sent."""
        fleet, cell = self.fleet, self.fleet.cell
        name = fleet.load(job_calls.DISPATCH.composed(limits()))
        cancel = job_calls.CANCEL.composed(limits()).text
        commands: list[tuple[str | int | bytes, ...]] = []
        for job in (fleet.new_job() for _ in range(CALLS)):
            commands.append(("FCALL", name, 1, cell, "", RESULT, *BY_NOBODY, job.packed()))
            commands.append(("EVAL", cancel, 1, cell, job.job, "CANCELLED", ""))
        before = Usage.of(fleet.client)
        fleet.run(commands)
        return (Usage.of(fleet.client) - before).us_a_script

    def finish(self) -> float:
        """Of a full pair: afterwards it is as full, and as many wait, as before."""
        if not self._is_full:
            placed = self.life.place(CALLS)
            self.life.take(placed)
            return self.life.finish(placed)
        self._forget_messages()
        ending, self._running = self._running[:CALLS], self._running[CALLS:]
        us = self.life.finish(ending)
        handed = self._assigned()
        self.life.place(CALLS)
        self._begin(handed or self._assigned())
        return us

    def heartbeat(self) -> float:
        return self.life.heartbeat(described=False)

    def _fill(self, waiting: int) -> None:
        """Give all their slots to jobs, and have others wait."""
        self._forget_messages()
        slots = sum(self.fleet.capacity(node) for node in self.fleet.nodes)
        self.life.place(slots)
        for some in batches(self._assigned(), 500):
            self._begin(some)
        for some in batches(range(waiting), 500):
            self.life.place(len(some))

    def _begin(self, placed: list[Placed]) -> None:
        self.life.take(placed)
        self._running += placed

    def _assigned(self) -> list[Placed]:
        """The reservations that the process was told of."""
        entries = [fields for _, fields in self.fleet.client.xrange(self._stream)]
        told = [one for one in entries if one[b"kind"] == b"assign"]
        return [(one[b"job"].decode(), one[b"node"].decode()) for one in told]

    def _forget_messages(self) -> None:
        self.fleet.run(("XTRIM", f"{self.fleet.cell}{name}", "MAXLEN", 0) for name in _streams())


def _streams() -> tuple[str, str]:
    return "events", f"mailbox:{PROCESS}"


class Side:
    """A cell with both pairs."""

    def __init__(self, client: redis.Redis, cell: int, waiting: int) -> None:
        free = Fleet(client, cell=cell, size=FREE_NODES, full=50)
        full = Fleet(
            client,
            cell=cell,
            size=FULL_NODES,
            full=0,
            pools=FULL_POOLS,
            first=FREE_NODES,
            one_queue=True,
            idle=True,
        )
        self.pairs = {"full": Pair(full, waiting), "free": Pair(free, None)}


CALLED: dict[str, Callable[[Pair], float]] = {
    "dispatch": Pair.dispatch,
    "finish": Pair.finish,
    "heartbeat": Pair.heartbeat,
}


def measure(client: redis.Redis, turns: int) -> list[Row]:
    """A row for each script and pair."""
    sides = [Side(client, 0, WAITING), Side(client, 1, 0)]
    taken: dict[tuple[str, str, int], list[float]] = {}
    for turn in range(turns + 1):
        for script, call in CALLED.items():
            for pair in ("full", "free"):
                for number, side in enumerate(sides):
                    us = call(side.pairs[pair])
                    if turn:  # the first only warms up
                        taken.setdefault((script, pair, number), []).append(us)
    return [_row(script, pair, taken) for script in CALLED for pair in ("full", "free")]


def _row(script: str, pair: str, taken: dict[tuple[str, str, int], list[float]]) -> Row:
    us, without = (undisturbed(taken[script, pair, number]) for number in (0, 1))
    return Row(script, pair, round(us, 1), round(without, 1), round(us / without, 2))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there")
    parser.add_argument("--quick", action="store_true", help="fewer batches")
    options = parser.parse_args()
    with (
        server() as url,
        redis.Redis.from_url(url, protocol=2, socket_timeout=PATIENCE_S) as client,
    ):
        prefer(client)
        rows = measure(client, 9 if options.quick else 31)
    print("script     pair  with the queue µs  without µs  ratio")
    for row in rows:
        print(f"{row.script:<10} {row.pair} {row.us:>18} {row.us_without:>11} {row.ratio:>6}")
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


if __name__ == "__main__":
    main()
