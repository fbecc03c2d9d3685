"""What is compared: servers that stand for a whole run, each with its way to be sent jobs."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import psutil

from bench.sides.measure import Parts, Side, Trip, Ways
from bench.sides.peers import lanes

READY_S = 60


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


@asynccontextmanager
async def sockets(
    port: int, peers: int, server: psutil.Process, store: psutil.Process | None = None
) -> AsyncIterator[Side]:
    """Parley or the relay, with as many ``peers`` of each kind, who come anew in every round."""

    @asynccontextmanager
    async def ways(payload: str) -> AsyncIterator[Ways]:
        async with lanes(url, payload, sessions=peers, nodes=peers) as all_lanes:
            yield Ways(all_lanes.send, all_lanes.send)

    async with listening(port) as url:
        yield Side(ways, _parts([server], store))


@asynccontextmanager
async def celery(url: str, threads: int, store: psutil.Process) -> AsyncIterator[Side]:
    """One prefork worker; threads of this process wait for the results, a job alone always in the
    same one.
    """
    os.environ["BENCH_CELERY_URL"] = url.replace("unix://", "redis+socket://")
    from bench.sides.celery_app import answer

    def send(payload: str) -> Trip:
        sent, sent_s = time.time(), time.perf_counter()
        began, _ = answer.delay(payload).get(timeout=READY_S)
        return Trip(began - sent, time.perf_counter() - sent_s)

    @asynccontextmanager
    async def ways(payload: str) -> AsyncIterator[Ways]:
        async def lane(waiting: Executor) -> Trip:
            return await asyncio.get_running_loop().run_in_executor(waiting, send, payload)

        yield Ways(lambda _: lane(one), lambda _: lane(many))

    command = [sys.executable, "-m", "celery", "-q", "-A", "bench.sides.celery_app", "worker"]
    options = ["-c", "1", "--loglevel", "ERROR", "--without-gossip", "--without-mingle"]
    quiet = {"PYTHONWARNINGS": "ignore", "C_FORCE_ROOT": "1"}
    with (
        process([*command, *options], **quiet) as worker,
        ThreadPoolExecutor(1) as one,
        ThreadPoolExecutor(threads) as many,
    ):
        await asyncio.to_thread(send, "")
        yield Side(ways, _parts([worker, *worker.children(recursive=True)], store))


def _parts(servers: list[psutil.Process], store: psutil.Process | None) -> Parts:
    """Whose CPU is told."""
    return {
        "server": servers,
        "valkey": [store] if store else [],
        "load": [psutil.Process()],
    }
