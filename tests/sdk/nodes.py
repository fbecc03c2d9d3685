"""A node and the server's end of its connection, for the tests of this folder."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from parley import Backoff, Job, Node, Profile, Result
from parley.usage import idle
from tests.peers.raw import RawPeer
from tests.peers.server import FakeServer

Json = dict[str, Any]


def assignment(number: int = 1, **changes: Any) -> Json:
    return {
        "type": "job_assign",
        "job_id": f"job-{number}",
        "attempt_id": 1,
        "session_id": "s-00000001",
        "utterance_index": 100 + number,
        "src_lang": "en",
        "tgt_lang": "zh",
        "dialect": None,
        "pipeline": {
            "use_asr": True,
            "use_nmt": True,
            "use_tts": True,
            "use_semantic": False,
            "use_tone": False,
        },
        "audio": base64.b64encode(b"\1\0\2\0").decode(),
        "audio_format": "pcm16",
        "sample_rate": 16000,
        "trace_id": f"trace-{number}",
        "is_manual_cut": True,
        "is_timeout_triggered": False,
        "is_max_duration_triggered": False,
        **changes,
    }


async def welcome(server: FakeServer, node_id: str = "node-1", *, within_s: float = 5.0) -> RawPeer:
    """Accepts the node's connection and its registration."""
    peer = await server.accept(within_s)
    await peer.expect("node_register")
    await peer.send(
        {"type": "node_register_ack", "node_id": node_id, "message": "", "status": "ready"}
    )
    return peer


def make_node(server: FakeServer, **options: Any) -> Node:
    profile = options.pop("profile", None) or Profile(
        ["en", "zh"], concurrency=options.pop("concurrency", 2), usage=idle
    )
    return Node(server.url, profile=profile, backoff=Backoff(first=0.01, longest=0.1), **options)


@asynccontextmanager
async def serving(node: Node, server: FakeServer) -> AsyncIterator[RawPeer]:
    """The node serves; the peer is the server's end of its connection."""
    welcoming = asyncio.create_task(welcome(server))
    async with node:
        yield await welcoming


class Gate:
    """A handler that waits until it is let through."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.entered = asyncio.Queue[Job]()
        self.cancelled: list[str] = []

    async def __call__(self, job: Job) -> Result:
        self.entered.put_nowait(job)
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.cancelled.append(job.job_id)
            raise
        return Result(text_asr="hello", text_translated="你好")
