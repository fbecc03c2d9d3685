"""A job from the session's frame to the node's and back, beside Celery and a bare ASGI relay.

    .venv/bin/python bench/end_to_end.py [--json FILE] [--quick]

One web process, 16 sessions and 16 nodes that answer at once with as much as they got; payloads of
300 bytes and 64 KiB; one job at a time, and 64 in flight. Celery: prefork with one process,
the same Valkey as broker and result backend, its start time told by the task; no remote control, no
events, all else as Celery has it by default. Its client, a thread for each job in flight, counts as
load; so many threads hinder each other, so fewer are tried as well: ``best_jobs_per_s``. The relay
only passes frames on, over the connections that uvicorn has by itself. The load is made by this
process. Valkey writes nothing to disk, and nobody moves Parley's history to SQL meanwhile. Times
are in ms.

A machine that others share is not always equally fast. So all sides stand ready from beginning to
end, and take turns of 25 jobs or a fraction of a second. Told are the medians of some rounds; a
ratio is the median of what it was in each, beside the least and the most.

CPU is told in µs a job: of the servers, of Valkey, of this process. ``cores_busy`` says what limits
a side. About as many as there are cores: all of these together, and fewer µs would be more jobs.
About 1, nearly all of it one part's: that part. Less: the way from one to the next.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil
import uvloop

from bench.connection import server as valkey
from bench.sides import servers
from bench.sides.measure import Crowd, Figures, Side, busy, idle
from bench.sides.table import show

SIZES = {"300_b": 300, "64_kib": 65_536}
PEERS = 16
IN_FLIGHT = 64
FEWER = (4, 8, 16, 32)

Round = dict[str, Figures]
"""By side."""


@dataclass(frozen=True)
class Effort:
    """How much is measured: jobs and seconds of each side in one round."""

    rounds: int
    idle_jobs: int
    busy_s: float


@asynccontextmanager
async def sides() -> AsyncIterator[dict[str, Side]]:
    """All of them, on one Valkey."""
    async with AsyncExitStack() as stack:
        url = stack.enter_context(valkey())
        [store] = psutil.Process().children()
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="parley-"))
        port, other = servers.free_port(), servers.free_port()
        product = stack.enter_context(servers.parley(url, port, Path(folder)))
        relay = stack.enter_context(servers.bare(other))
        enter = stack.enter_async_context
        yield {
            "parley": await enter(servers.sockets(port, PEERS, product, store)),
            "celery": await enter(servers.celery(url, IN_FLIGHT, store)),
            "bare": await enter(servers.sockets(other, PEERS, relay)),
        }


async def measure(sides: dict[str, Side], size: int, effort: Effort) -> Round:
    """One round: first the latencies of all sides, then how much they can do."""
    async with AsyncExitStack() as stack:
        ways = {
            name: await stack.enter_async_context(side.ways("A" * size))
            for name, side in sides.items()
        }
        alone = {name: way.alone for name, way in ways.items()}
        found: Round = await idle(alone, effort.idle_jobs)
        crowds = {
            name: Crowd(ways[name].many, IN_FLIGHT, side.parts) for name, side in sides.items()
        }
        fewer = {f"celery {count}": Crowd(ways["celery"].many, count, {}) for count in FEWER}
        done = await busy(crowds | fewer, effort.busy_s)
        for name in sides:
            found[name] |= done[name]
        best = max(done[name]["jobs_per_s"] for name in ("celery", *fewer))
        found["celery"]["best_jobs_per_s"] = best
    return found


def ratios(sides: Round) -> Figures:
    """Parley over the others; more is better for jobs a second, less for latencies."""
    ours, celery, bare = (sides[name] for name in ("parley", "celery", "bare"))
    return {
        "jobs_per_s_over_celery": ours["jobs_per_s"] / celery["jobs_per_s"],
        "jobs_per_s_over_celery_best": ours["jobs_per_s"] / celery["best_jobs_per_s"],
        "jobs_per_s_over_bare": ours["jobs_per_s"] / bare["jobs_per_s"],
        "to_node_p50_over_celery": ours["to_node_p50_ms"] / celery["to_node_p50_ms"],
        "to_node_p50_over_bare": ours["to_node_p50_ms"] / bare["to_node_p50_ms"],
    }


def medians(rounds: list[Figures]) -> Figures:
    return {name: median(one[name] for one in rounds) for name in rounds[0]}


async def run(effort: Effort) -> dict[str, Any]:
    """Sides, ratios and what these were in each round, by the size of the payload."""
    rounds: dict[str, list[Round]] = {size: [] for size in SIZES}
    async with sides() as all_sides:
        for _ in range(effort.rounds):
            for size, number in SIZES.items():
                rounds[size].append(await measure(all_sides, number, effort))
    found: dict[str, Any] = {
        side: {size: medians([one[side] for one in rounds[size]]) for size in SIZES}
        for side in all_sides
    }
    for name, size in (("ratios", "300_b"), ("ratios_64_kib", "64_kib")):
        each = [ratios(one) for one in rounds[size]]
        found |= {name: medians(each), f"{name}_of_rounds": each}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--quick", action="store_true", help="a tenth of the time")
    options = parser.parse_args()
    effort = Effort(2, 50, 0.4) if options.quick else Effort(5, 200, 1.2)
    found = uvloop.run(run(effort))
    show(found)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
