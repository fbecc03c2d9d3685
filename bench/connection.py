"""Calls a second and CPU a call of the multiplexed connection, beside redis-py's own client.

    python -m bench.connection [--url URL] [--json FILE]

Both run the same short script, with nine arguments of the usual sizes, with 1 and with 50 calls in
flight, on uvloop, in turns; the table has the medians. CPU is that of this process, without the
server's. Without ``--url`` a Valkey of its own is started.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from statistics import median
from subprocess import Popen
from typing import Any

import uvloop
from redis.asyncio import Redis

from lua.connection import Multiplexed
from scheduler_site import valkey

SCRIPT = "return {'OK', ARGV[1]}"
ARGUMENTS = ("parley:{c0}:", "j" * 22, "a" * 22, "en", "es", 2000, 15000, b"x" * 300, 7)
IN_FLIGHT = (1, 50)

Call = Callable[..., Awaitable[Any]]
Figures = dict[str, float]


@contextmanager
def server() -> Iterator[str]:
    """The address of a Valkey that lives as long as the context."""
    with tempfile.TemporaryDirectory(prefix="parley-") as folder:
        socket = Path(folder) / "valkey.sock"
        command = valkey.command(socket, folder=Path(folder), keep=False)
        with (
            (Path(folder) / "log").open("wb") as log,
            Popen(command, stdout=log, env=valkey.environ()) as process,
        ):
            while process.poll() is None and not valkey.answers(socket):
                time.sleep(0.01)
            try:
                yield f"unix://{socket}"
            finally:
                process.terminate()


@asynccontextmanager
async def clients(url: str) -> AsyncIterator[dict[str, Call]]:
    """What runs a command, by the client's name."""
    multiplexed = Multiplexed(url)
    await multiplexed.start()
    await multiplexed.call("SCRIPT", "LOAD", SCRIPT)
    async with Redis.from_url(url, protocol=2, socket_timeout=15) as plain:
        yield {"multiplexed": multiplexed.call, "redis_py": plain.execute_command}
    await multiplexed.close()


async def measure(call: Call, in_flight: int, calls: int) -> Figures:
    """Run ``calls`` calls; returns ``calls_per_s`` and ``cpu_us`` a call."""
    sha = await call("SCRIPT", "LOAD", SCRIPT)

    async def caller() -> None:
        for _ in range(calls // in_flight):
            await call("EVALSHA", sha, 1, *ARGUMENTS)

    cpu_s, wall_s = time.process_time(), time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(in_flight)))
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
    return {"calls_per_s": calls / wall_s, "cpu_us": cpu_s / calls * 1e6}


def medians(runs: list[Figures]) -> Figures:
    return {name: round(median(run[name] for run in runs), 1) for name in runs[0]}


async def compare(url: str, *, calls: int, runs: int) -> list[dict[str, Any]]:
    """A row for each number of calls in flight, with the figures of both and their ratios."""
    rows: list[dict[str, Any]] = []
    async with clients(url) as by_name:
        for in_flight in IN_FLIGHT:
            taken: dict[str, list[Figures]] = {name: [] for name in by_name}
            for _ in range(runs):
                for name, call in by_name.items():
                    taken[name].append(await measure(call, in_flight, calls))
            ours, theirs = (medians(taken[name]) for name in ("multiplexed", "redis_py"))
            ratios = {name: round(ours[name] / theirs[name], 3) for name in ours}
            rows.append(
                {"in_flight": in_flight, "multiplexed": ours, "redis_py": theirs, "ratios": ratios}
            )
    return rows


def show(rows: list[dict[str, Any]]) -> None:
    print(f"{'in flight':>9} {'client':<12} {'calls/s':>10} {'CPU µs/call':>12}")
    for row in rows:
        for name in ("multiplexed", "redis_py", "ratios"):
            figures = row[name]
            print(
                f"{row['in_flight']:>9} {name.rstrip('s'):<12}"
                f" {figures['calls_per_s']:>10,.10g} {figures['cpu_us']:>12.10g}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--url", help="Redis to use instead of one of its own")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there")
    parser.add_argument("--calls", type=int, default=10_000, help="calls a run")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()

    def run(url: str) -> list[dict[str, Any]]:
        return uvloop.run(compare(url, calls=options.calls, runs=options.runs))

    if options.url:
        rows = run(options.url)
    else:
        with server() as url:
            rows = run(url)
    show(rows)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
