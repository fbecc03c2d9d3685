"""A web process in a loop of its own, and the peers that send it whatever was made."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import redis

from jobs.settings import JobSettings, StreamSettings
from lua.client import Cells, StoreSettings
from lua.keys import cell_prefix
from lua.limits import Limits
from nodes.settings import NodeSettings
from tests.conformance.peers import registration
from tests.conformance.session_frames import SESSION_INIT
from tests.fuzz.made import JOB, SESSION, Frame
from tests.fuzz.speaker import Agent, Client
from tests.harness.web import Web
from tests.lua.invariants import assert_cell_sound
from tests.peers.until import until

# The loop stands still while frames are made: nobody may take that for the process's end.
LIMITS = Limits(
    wait_limit_ms=500,
    max_wait_ms=500,
    job_timeout_ms=1_000,
    resume_window_ms=200,
    grace_ms=200,
    lease_ms=60_000,
    stall_ms=60_000,
)
JOBS = JobSettings(
    streams=StreamSettings(stream_timeout_ms=200, final_hold_ms=5),
    frames_per_s=0,
    lease_pause_ms=200,
    reap_pause_ms=50,
    reap_limit=256,
)
NODE = registration("fuzz", ("qaa", "qab"), max_concurrent_jobs=4)
INIT = SESSION_INIT.minimal(accepts=["errors"])
SETTLE_S = 20.0


class Faults(logging.Handler):
    """Keeps every line that is worse than a warning, or has an exception."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        said = record.msg if isinstance(record.msg, dict) else {}  # structlog's
        if record.levelno >= logging.ERROR or record.exc_info or said.get("exc_info"):
            self.lines.append(f"{record.name}: {record.getMessage()} {record.exc_info}")


class Stage:
    """`play` sends frames and looks at the answers; `assert_clean` looks for what is left."""

    def __init__(self, store: StoreSettings) -> None:
        self._store = store
        self._redis: Any = redis.Redis.from_url(store.url, protocol=2)
        self._faults = Faults()
        self.frames = 0

    async def open(self) -> None:
        logging.getLogger().addHandler(self._faults)
        self._web = Web(self._store, JOBS, NodeSettings())
        await self._web.__aenter__()
        self._url = self._web.session_url.removesuffix("/ws/session")
        await self.play((True, [], True, []))  # what is made once is there now
        await self._settled()
        self._tasks = len(asyncio.all_tasks())

    async def close(self) -> None:
        await self._web.__aexit__()
        self._redis.close()
        logging.getLogger().removeHandler(self._faults)

    async def play(self, made: tuple[bool, list[Frame], bool, list[Frame]]) -> None:
        """Nothing dies that need not, and nothing is said that the protocol does not have."""
        session_begins, said, node_begins, reported = made
        async with AsyncExitStack() as stack:
            node = Agent(stack, f"{self._url}/ws/node", NODE, begins=node_begins)
            session = Client(stack, f"{self._url}/ws/session", INIT, begins=session_begins)
            await node.open()
            await session.open()
            await session.says(said, {JOB: "job-0"})
            for some in batches(reported):
                await node.says(some, {JOB: node.last_job, SESSION: session.name})
            for one in (session, node):
                await one.fence([])  # both live
                for frame in (frame for link in one.links for frame in link.frames):
                    assert "INTERNAL_ERROR" not in (frame.get("code"), frame.get("error_code"))
        self.frames += len(said) + len(reported)
        assert not self._faults.lines, self._faults.lines

    def forgive(self) -> None:
        """Faults that were made on purpose."""
        self._faults.lines.clear()

    async def assert_clean(self) -> None:
        """No session, node, task or key is left that has no end, and the books are in order."""
        await self._settled()
        await until(lambda: len(asyncio.all_tasks()) <= self._tasks, SETTLE_S)
        process = self._web.process
        assert not process.asking, process.asking
        assert not process.speaking, process.speaking
        assert process.streams.figures() == {"utterances": 0, "bytes": 0}
        async with Cells(self._store) as cells:
            await assert_cell_sound(cells)
        assert not list(self._keys("session:*")), "sessions are left"
        assert not [key for key in self._keys("job:*") if self._redis.pttl(key) < 0]
        assert not [key for key in self._keys("*:jobs") if self._redis.scard(key)]
        gc.collect()  # what a task died of that nobody waited for is told now
        assert not self._faults.lines, self._faults.lines

    async def _settled(self) -> None:
        """Everybody is gone, and what they left has timed out."""
        process = self._web.process
        await until(lambda: process.callers == 0 and not len(process.sessions), SETTLE_S)
        await until(lambda: not self._live_jobs(), SETTLE_S)

    def _live_jobs(self) -> list[Any]:
        return [key for key in self._keys("job:*") if self._redis.pttl(key) < 0]

    def _keys(self, pattern: str) -> Any:
        prefix = cell_prefix(self._store.prefix, 0)
        return self._redis.scan_iter(f"{prefix}{pattern}", count=10_000)


def batches(frames: list[Frame], size: int = 5) -> Iterator[list[Frame]]:
    """In between, jobs may come."""
    for start in range(0, len(frames), size):
        yield frames[start : start + size]
