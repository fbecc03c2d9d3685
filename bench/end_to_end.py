"""A job from the session's frame to the node's and back, beside Celery and a bare ASGI relay.

    .venv/bin/python bench/end_to_end.py [--json FILE] [--quick]

One web process, 16 sessions and 16 nodes that answer at once with as much as they got; payloads of
300 bytes and 64 KiB; first one job at a time, then 64 in flight. Celery: prefork with one process,
the same Valkey as broker and result backend, its start time told by the task; no remote control, no
events, all else as Celery has it by default. Its client, a thread for each job in flight, counts as
load; so many threads hinder each other, so fewer are tried as well: ``best_jobs_per_s``. The relay
only passes frames on, over the connections that uvicorn has by itself. All in one run, the load
made by this process. Valkey writes nothing to disk, and nobody moves Parley's history to SQL
meanwhile. Times are in ms.

CPU is told in µs a job: of the servers, of Valkey, of this process. ``cores_busy`` says what limits
a side. About as many as there are cores: all of these together, and fewer µs would be more jobs.
About 1, nearly all of it one part's: that part. Less: the way from one to the next.
"""

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil
import uvloop

from bench.connection import server as valkey
from bench.sides.measure import Parts, Trip, busy, idle
from bench.sides.peers import lanes
from bench.sides.table import show

SIZES = {"300_b": 300, "64_kib": 65_536}
PEERS = 16
IN_FLIGHT = 64
FEWER = (4, 8, 16, 32)
SMALL = "300_b"
READY_S = 60

Figures = dict[str, float]


@dataclass(frozen=True)
class Effort:
    """How long is measured."""

    idle_jobs: int
    busy_s: float


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def process(command: list[str], **environment: str) -> Iterator[psutil.Process]:
    """A server for as long as the context, with its children."""
    with subprocess.Popen(command, env=os.environ | environment) as child:
        try:
            yield psutil.Process(child.pid)
        finally:
            child.terminate()


@contextmanager
def parley(url: str, port: int, folder: Path) -> Iterator[psutil.Process]:
    """The product's web process on a database of its own.

    A session may send without end: 16 of them make more than anybody says.
    """
    environment = {"STATE_REDIS_URL": url, "PARLEY_VAR": str(folder), "PARLEY_ENV": "development"}
    environment["PARLEY_FRAMES_PER_S"] = "0"
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, env=os.environ | environment, check=True)
    command = [sys.executable, "-m", "scheduler_site.web", "--port", str(port), "--drain-s", "1"]
    with process(command, **environment) as server:
        yield server


@contextmanager
def bare(port: int) -> Iterator[psutil.Process]:
    """The relay, in uvicorn with the options that the product has, but for its own connection."""
    options = ["--loop", "uvloop", "--ws", "websockets-sansio", "--ws-per-message-deflate", "false"]
    command = [sys.executable, "-m", "uvicorn", "bench.sides.bare:application", *options]
    with process([*command, "--port", str(port), "--log-level", "warning"]) as server:
        yield server


@asynccontextmanager
async def listening(port: int) -> AsyncIterator[str]:
    """The address, once somebody listens there."""
    end_s = time.monotonic() + READY_S
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            break
        except OSError:
            if time.monotonic() > end_s:
                raise
            await asyncio.sleep(0.1)
    yield f"ws://127.0.0.1:{port}"


def parts_of(servers: list[psutil.Process], store: psutil.Process | None) -> Parts:
    """Whose CPU is told."""
    return {
        "server": servers,
        "valkey": [store] if store else [],
        "load": [psutil.Process()],
    }


async def measure_sockets(port: int, parts: Parts, effort: Effort) -> dict[str, Figures]:
    """Parley and the relay are measured by the same peers."""
    figures = {}
    async with listening(port) as url:
        for name, size in SIZES.items():
            async with lanes(url, "A" * size, sessions=PEERS, nodes=PEERS) as all_lanes:
                alone = await idle(all_lanes.send, effort.idle_jobs)
                many = await busy(
                    all_lanes.send, in_flight=IN_FLIGHT, seconds=effort.busy_s, parts=parts
                )
                figures[name] = alone | many
    return figures


async def measure_celery(url: str, store: psutil.Process, effort: Effort) -> dict[str, Figures]:
    """One prefork worker; threads of this process wait for the results."""
    os.environ["BENCH_CELERY_URL"] = url.replace("unix://", "redis+socket://")
    from bench.sides.celery_app import answer

    command = [sys.executable, "-m", "celery", "-q", "-A", "bench.sides.celery_app", "worker"]
    options = ["-c", "1", "--loglevel", "ERROR", "--without-gossip", "--without-mingle"]
    figures = {}
    quiet = {"PYTHONWARNINGS": "ignore", "C_FORCE_ROOT": "1"}
    with process([*command, *options], **quiet) as worker:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(IN_FLIGHT))
        await asyncio.to_thread(lambda: answer.delay("").get(timeout=READY_S))
        for name, size in SIZES.items():
            payload = "A" * size

            def send(payload: str) -> Trip:
                sent, sent_s = time.time(), time.perf_counter()
                began, _ = answer.delay(payload).get(timeout=READY_S)
                return Trip(began - sent, time.perf_counter() - sent_s)

            async def lane(_: int, payload: str = payload) -> Trip:
                return await asyncio.to_thread(send, payload)

            parts = parts_of([worker, *worker.children(recursive=True)], store)
            alone = await idle(lane, effort.idle_jobs)
            many = await busy(lane, in_flight=IN_FLIGHT, seconds=effort.busy_s, parts=parts)
            best = many["jobs_per_s"]
            for count in FEWER:
                some = await busy(lane, in_flight=count, seconds=effort.busy_s / 2, parts=parts)
                best = max(best, some["jobs_per_s"])
            figures[name] = alone | many | {"best_jobs_per_s": best}
    return figures


def ratios(sides: dict[str, dict[str, Figures]], size: str) -> Figures:
    """Parley over the others; more is better for jobs a second, less for latencies."""
    ours = sides["parley"][size]
    found = {}
    for figure in ("jobs_per_s", "to_node_p50"):
        key = figure if figure == "jobs_per_s" else f"{figure}_ms"
        for other in ("celery", "bare"):
            found[f"{figure}_over_{other}"] = ours[key] / sides[other][size][key]
    found["jobs_per_s_over_celery_best"] = (
        ours["jobs_per_s"] / sides["celery"][size]["best_jobs_per_s"]
    )
    return found


async def run(effort: Effort) -> dict[str, Any]:
    """All sides, one after the other."""
    sides = {}
    with valkey() as url, tempfile.TemporaryDirectory(prefix="parley-") as folder:
        [store] = psutil.Process().children()
        port = free_port()
        with parley(url, port, Path(folder)) as server:
            sides["parley"] = await measure_sockets(port, parts_of([server], store), effort)
        sides["celery"] = await measure_celery(url, store, effort)
        port = free_port()
        with bare(port) as server:
            sides["bare"] = await measure_sockets(port, parts_of([server], None), effort)
    return sides | {"ratios": ratios(sides, SMALL), "ratios_64_kib": ratios(sides, "64_kib")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--quick", action="store_true", help="a tenth of the time")
    options = parser.parse_args()
    effort = Effort(50, 1.0) if options.quick else Effort(500, 8.0)
    found = uvloop.run(run(effort))
    show(found)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
