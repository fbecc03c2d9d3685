"""The simulated page has the habits of those that are deployed."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import pytest_asyncio

from tests.peers.raw import RawPeer
from tests.peers.server import FakeServer
from tests.peers.until import until
from tests.peers.web_client import WebClient, framed

FAST = 0.02
PACKETS = [bytes([number]) for number in range(10)]


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with FakeServer() as fake:
        yield fake


async def welcome(server: FakeServer, session: str = "s-1") -> RawPeer:
    peer = await server.accept()
    await peer.expect("session_init")
    await peer.send({"type": "session_init_ack", "session_id": session})
    return peer


async def met(server: FakeServer, page: WebClient) -> RawPeer:
    """The server's end of a page that has just come."""
    welcoming = asyncio.create_task(welcome(server))
    await page.__aenter__()
    return await welcoming


def sound_of(peer: RawPeer) -> bytes:
    return b"".join(base64.b64decode(one["payload"]) for one in peer.of_type("audio_chunk"))


async def test_it_streams_opus_and_says_when_it_is_over(server: FakeServer) -> None:
    page = WebClient(server.url, pace=FAST, src_lang="en", tgt_lang="zh")
    peer = await met(server, page)
    await page.says(PACKETS)
    last = await peer.expect("audio_chunk", is_final=True)
    await page.__aexit__()
    await peer.closed()
    assert sound_of(peer) == b"".join(map(framed, PACKETS))
    assert [one["seq"] for one in peer.of_type("audio_chunk")] == [0, 1, 2]
    assert (last["session_id"], last["payload"]) == ("s-1", "")
    assert peer.of_type("session_close") == []


async def test_its_final_may_overtake_the_last_sound_or_never_come(server: FakeServer) -> None:
    page = WebClient(server.url, pace=FAST)
    peer = await met(server, page)
    await page.says(PACKETS, early=True)
    await page.says(PACKETS, final=False)
    await until(lambda: len(peer.of_type("audio_chunk")) == 5)
    finals = [one["is_final"] for one in peer.of_type("audio_chunk")]
    assert finals == [False, True, False, False, False]
    await page.__aexit__()


async def test_it_comes_back_a_second_after_its_close_and_counts_on(server: FakeServer) -> None:
    page = WebClient(server.url, pace=FAST)
    peer = await met(server, page)
    await page.says(PACKETS)
    await peer.expect("audio_chunk", is_final=True)
    server.refuse = HTTPStatus.SERVICE_UNAVAILABLE
    await peer.close(1012)
    await until(lambda: page.refusals >= 2)  # it tries for ever
    server.refuse = None
    peer = await welcome(server, "s-2")
    await asyncio.wait_for(page.ready.wait(), 5)
    await page.says(PACKETS)
    chunk = await peer.expect("audio_chunk")
    assert (chunk["session_id"], chunk["seq"]) == ("s-2", 3)
    assert (page.sessions, page.closes) == (["s-1", "s-2"], [1012])
    await page.__aexit__()


async def test_it_holds_sound_back_in_a_pause_and_then_sends_all_of_it(server: FakeServer) -> None:
    page = WebClient(server.url, pace=FAST)
    peer = await met(server, page)
    await peer.send({"type": "backpressure", "action": "PAUSE", "resume_after_ms": 200})
    await until(lambda: page.pauses == 1)
    await page.says(PACKETS)
    await peer.expect("audio_chunk", is_final=True)
    assert sound_of(peer) == b""
    await page.quiet()
    await until(lambda: sound_of(peer) == b"".join(map(framed, PACKETS)))
    await page.__aexit__()


async def test_busy_mutes_it_for_good_while_nobody_speaks(server: FakeServer) -> None:
    page = WebClient(server.url, pace=FAST)
    peer = await met(server, page)
    await peer.send({"type": "backpressure", "action": "BUSY"})
    await until(lambda: page.muted)
    await page.says(PACKETS)
    await page.__aexit__()
    await peer.closed()
    assert peer.of_type("audio_chunk") == []


async def test_it_shows_every_error(server: FakeServer) -> None:
    page = WebClient(server.url, pace=FAST)
    peer = await met(server, page)
    for _ in range(2):
        await peer.send({"type": "error", "code": "X", "message": "y"})
    await until(lambda: len(page.boxes) == 2)
    await page.__aexit__()


async def test_it_tells_of_what_it_plays_only_by_trace_and_group(server: FakeServer) -> None:
    page = WebClient(server.url, pace=FAST)
    peer = await met(server, page)
    result: dict[str, Any] = {"type": "translation_result", "session_id": "s-1", "tts_audio": "A"}
    await peer.send({**result, "trace_id": "t-0"})
    await peer.send({**result, "trace_id": "t-1", "group_id": "g-1"})
    await peer.expect("tts_play_ended", trace_id="t-1", group_id="g-1")
    assert [one["trace_id"] for one in peer.of_type("tts_started")] == ["t-1"]
    assert len(page.answers) == 2
    await page.__aexit__()
