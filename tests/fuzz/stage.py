"""A web process in a loop of its own, and the peers that send it whatever was made."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import redis
from websockets.exceptions import ConnectionClosed

from jobs.settings import JobSettings, StreamSettings
from lua.client import Cells, StoreSettings
from lua.keys import cell_prefix
from lua.limits import Limits
from nodes.settings import NodeSettings
from tests.conformance.kinds import Json
from tests.conformance.link import Link, link
from tests.conformance.peers import registration
from tests.conformance.session_frames import SESSION_INIT
from tests.fuzz.made import JOB, SESSION, Frame
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
# What is sent last, and what answers it, whatever came before.
FENCE: Json = {"type": "fence"}
UNKNOWN: Json = {"kind": "error", "details": {"field": "type", "type": "fence"}}
ROOM_JOIN: Json = {"type": "room_join"}
ROOM_ERROR: Json = {"kind": "room_error"}

# What may end a connection: the close code, and what is said before it.
DECLARED: dict[int, set[str]] = {
    1000: {"session_close_ack"},
    1013: {"RATE_LIMITED"},
    4400: {
        "INVALID_PAIRING_CODE",
        "INVALID_SESSION",
        "INVALID_CAPABILITY_SCHEMA",
        "NODE_ID_CONFLICT",
        "UNSUPPORTED_FEATURE",
    },
}


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
        async with link(f"{self._url}/ws/node") as node, link(f"{self._url}/ws/session") as session:
            if node_begins:
                await node.say(NODE)
                await node.expect("node_register_ack")
            if session_begins:
                await session.say(INIT)
                session.session = (await session.expect("session_init_ack"))["session_id"]
            names = {SESSION: session.session or "s-0", JOB: "job-0"}
            last = (FENCE, UNKNOWN) if session_begins else (ROOM_JOIN, ROOM_ERROR)
            await assert_survives(session, said, *last, names)
            for some in batches(reported):
                names[JOB] = last_job(node)
                await assert_survives(node, some, FENCE, UNKNOWN, names)
            for one in (session, node):
                codes = [frame.get("code") for frame in one.frames]
                assert "INTERNAL_ERROR" not in codes, one.frames
        self.frames += len(said) + len(reported)
        assert not self._faults.lines, self._faults.lines

    async def assert_clean(self) -> None:
        """No session, node, task or key is left that has no end, and the books are in order."""
        await self._settled()
        await until(lambda: len(asyncio.all_tasks()) <= self._tasks, SETTLE_S)
        async with Cells(self._store) as cells:
            await assert_cell_sound(cells)
        assert not list(self._keys("session:*")), "sessions are left"
        assert not [key for key in self._keys("job:*") if self._redis.pttl(key) < 0]
        assert not [key for key in self._keys("*:jobs") if self._redis.scard(key)]
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


def last_job(node: Link) -> str:
    """The job that the node was sent last, if there is one."""
    jobs = node.of_type("job_assign")
    return str(jobs[-1]["job_id"]) if jobs else "job-0"


async def assert_survives(
    one: Link, frames: list[Frame], fence: Json, answer: Json, names: dict[str, str]
) -> None:
    """All are handled, in order, or the connection is closed as the protocol says."""
    before = len(one.frames)
    try:
        await one.say(*(filled(frame, names) for frame in frames), fence)
        await one.expect(**answer)
    except (AssertionError, ConnectionClosed):
        code = one.socket.close_code or 0
        said = {frame.get("code") or frame["type"] for frame in one.frames[before:]}
        assert said & DECLARED.get(code, set()), (code, said, frames)


def filled(frame: Frame, names: dict[str, str]) -> Frame:
    """With the ids in place."""
    for mark, name in names.items():
        if isinstance(frame, bytes):
            frame = frame.replace(mark.encode(), name.encode())
        else:
            frame = frame.replace(mark, name)
    return frame
