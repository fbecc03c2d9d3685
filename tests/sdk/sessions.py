"""A session and the server's end of its connection, for the tests of this folder."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from parley import Backoff, Session
from tests.peers.raw import RawPeer
from tests.peers.server import FakeServer

Json = dict[str, Any]


async def welcome(server: FakeServer, session_id: str = "s-00000001", **changes: Any) -> RawPeer:
    """Accepts the client's connection and its `session_init`."""
    peer = await server.accept()
    await peer.expect("session_init")
    await peer.send(
        {
            "type": "session_init_ack",
            "session_id": session_id,
            "assigned_node_id": None,
            "message": "",
            "trace_id": "t",
            "protocol_version": "1.0",
            "use_binary_frame": False,
            "negotiated_codec": "opus",
            "negotiated_audio_format": "opus",
            "negotiated_sample_rate": 16000,
            "negotiated_channel_count": 1,
            **changes,
        }
    )
    return peer


def result(index: int, session_id: str = "s-00000001", **changes: Any) -> Json:
    return {
        "type": "translation_result",
        "session_id": session_id,
        "utterance_index": index,
        "job_id": f"job-{index}",
        "text_asr": "hello",
        "text_translated": f"你好 {index}",
        "tts_audio": base64.b64encode(b"\1\0").decode(),
        "tts_format": "pcm16",
        "trace_id": "t",
        "group_id": "g",
        "scheduler_sent_at_ms": 1,
        **changes,
    }


def missing(index: int, reason: str = "job_failed", **changes: Any) -> Json:
    about = {"session_id": "s-00000001", "utterance_index": index, "created_at_ms": 1}
    return {"type": "missing_result", "reason": reason, **about, **changes}


def make_session(server: FakeServer, **options: Any) -> Session:
    options = {"src_lang": "en", "tgt_lang": "zh", **options}
    return Session(server.url, backoff=Backoff(first=0.01, longest=0.1), **options)


@asynccontextmanager
async def talking(server: FakeServer, **options: Any) -> AsyncIterator[tuple[Session, RawPeer]]:
    """An open session and the server's end of its connection."""
    welcoming = asyncio.create_task(welcome(server))
    async with make_session(server, **options) as session:
        peer = await welcoming
        yield session, peer
