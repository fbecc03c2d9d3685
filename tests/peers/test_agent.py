"""The simulated agent has the habits of those that are deployed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import pytest
import pytest_asyncio

from parley.frames import NodeHeartbeat, NodeRegister, decode_node_frame
from tests.peers.agent import Agent
from tests.peers.raw import RawPeer
from tests.peers.server import FakeServer
from tests.peers.until import until

Json = dict[str, Any]
FAST = 0.01


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with FakeServer() as fake:
        yield fake


async def welcome(server: FakeServer, node_id: str = "node-1") -> RawPeer:
    peer = await server.accept()
    await peer.expect("node_register")
    await peer.send(
        {"type": "node_register_ack", "node_id": node_id, "message": "", "status": "ready"}
    )
    return peer


def job(number: int, index: int, session: str = "s-1") -> Json:
    about = {"job_id": f"job-{number}", "session_id": session, "utterance_index": index}
    languages = {"src_lang": "en", "tgt_lang": "zh", "trace_id": "t", "attempt_id": 1}
    return {"type": "job_assign", **about, **languages}


async def test_it_sends_what_a_server_must_bear(server: FakeServer) -> None:
    welcoming = asyncio.create_task(welcome(server, "node-7"))
    async with Agent(server.url, token="t0", gpus=False, pace=FAST) as agent:
        peer = await welcoming
        await peer.expect("node_heartbeat")
    assert agent.node_id == "node-7"
    assert server.requests[0].path == "/ws?token=t0"
    assert "Authorization" not in server.requests[0].headers
    register, beat = peer.of_type("node_register")[0], peer.of_type("node_heartbeat")[0]
    assert register["node_id"] is None
    assert "gpus" not in register["hardware"]
    assert "max_concurrent_jobs" not in register
    for frame, kind in ((register, NodeRegister), (beat, NodeHeartbeat)):
        assert isinstance(decode_node_frame(json.dumps(frame)), kind)


async def test_it_says_nothing_until_the_result(server: FakeServer) -> None:
    welcoming = asyncio.create_task(welcome(server))
    async with Agent(server.url, silence_s=0.05) as agent:
        peer = await welcoming
        await peer.send(job(1, 10))
        await peer.send({"type": "job_cancel", "job_id": "job-1"})
        await peer.send({"type": "node_control", "command": "drain"})
        await peer.send({"type": "error", "code": "X", "message": "y"})
        result = await peer.expect("job_result")
        assert await agent.job(1) == job(1, 10)
    assert [frame["type"] for frame in peer.frames] == ["node_register", "job_result"]
    assert result["success"] is True
    assert result["text_translated"] == "EN>ZH JOB-1"


async def test_it_reports_what_it_recognises(server: FakeServer) -> None:
    welcoming = asyncio.create_task(welcome(server))
    async with Agent(server.url, silence_s=600) as agent:
        peer = await welcoming
        await peer.send(job(1, 10))
        await agent.job(1)
        await until(lambda: bool(agent.orders))
        await agent.heartbeat()
        beat = await peer.expect("node_heartbeat")
    assert beat["resource_usage"]["running_jobs"] == 1


async def test_it_comes_back_once_with_a_heartbeat_first(server: FakeServer) -> None:
    welcoming = asyncio.create_task(welcome(server))
    async with Agent(server.url, pace=FAST) as agent:
        peer = await welcoming
        await peer.close(1012)
        peer = await welcome(server)
        assert [frame["type"] for frame in peer.frames[:2]] == ["node_heartbeat", "node_register"]
        assert {frame["node_id"] for frame in peer.frames[:2]} == {"node-1"}
        await agent.registered.wait()
        await peer.close(1012)
        await asyncio.wait_for(agent.gave_up.wait(), 5)
    assert len(server.requests) == 2


async def test_it_gives_up_when_it_is_refused_on_its_return(server: FakeServer) -> None:
    welcoming = asyncio.create_task(welcome(server))
    async with Agent(server.url, pace=FAST) as agent:
        peer = await welcoming
        server.refuse = HTTPStatus.SERVICE_UNAVAILABLE
        await peer.close(1012)
        await asyncio.wait_for(agent.gave_up.wait(), 5)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (job(1, 11), "DUPLICATE_JOB"),
        (job(2, 10), "DUPLICATE_UTTERANCE"),
        (job(2, 9), "OUT_OF_ORDER"),
    ],
)
async def test_it_refuses_what_it_has_seen_and_what_is_too_low(
    server: FakeServer, second: Json, said: str
) -> None:
    welcoming = asyncio.create_task(welcome(server))
    async with Agent(server.url) as agent:
        peer = await welcoming
        await peer.send(job(1, 10))
        await peer.expect("job_result", success=True)
        await peer.send(second)
        refusal = await peer.expect("job_result", success=False)
    assert refusal["error"]["code"] == "PROCESSING_ERROR"
    assert said in refusal["error"]["message"]
    assert agent.refused == [second]


async def test_it_works_on_a_session_index_by_index(server: FakeServer) -> None:
    welcoming = asyncio.create_task(welcome(server))
    async with Agent(server.url) as agent:
        peer = await welcoming
        for frame in (job(1, 10), job(3, 12), job(2, 11), job(4, 5, session="s-2")):
            await peer.send(frame)
        for _ in range(4):
            await peer.expect("job_result", success=True)
    order = [result["job_id"] for result in peer.of_type("job_result")]
    assert [name for name in order if name != "job-4"] == ["job-1", "job-2", "job-3"]
    assert set(agent.orders["s-1"].gaps) <= {11}


async def test_a_gap_waits_and_then_goes_on_and_the_missing_one_is_refused(
    server: FakeServer,
) -> None:
    welcoming = asyncio.create_task(welcome(server))
    async with Agent(server.url, pace=0.001):
        peer = await welcoming
        await peer.send(job(1, 10))
        await peer.send(job(3, 12))
        await peer.expect("job_result", job_id="job-3", success=True)
        await peer.send(job(2, 11))
        refusal = await peer.expect("job_result", job_id="job-2")
    assert "OUT_OF_ORDER" in refusal["error"]["message"]


async def test_it_may_say_nothing_for_ever(server: FakeServer) -> None:
    welcoming = asyncio.create_task(welcome(server))
    async with Agent(server.url, answer=lambda _: None) as agent:
        peer = await welcoming
        await peer.send(job(1, 10))
        await until(lambda: bool(agent.orders) and agent.orders["s-1"].next == 11)
        await agent.heartbeat()
        await peer.expect("node_heartbeat")
    assert not peer.of_type("job_result")


async def test_it_works_on_while_its_connection_is_gone(server: FakeServer) -> None:
    welcoming = asyncio.create_task(welcome(server))
    async with Agent(server.url, silence_s=0.3, pace=FAST) as agent:
        peer = await welcoming
        await peer.send(job(1, 10))
        await agent.job(1)
        agent.vanish()
        assert await peer.closed() == 1006
        peer = await welcome(server)
        assert (await peer.expect("job_result"))["job_id"] == "job-1"
