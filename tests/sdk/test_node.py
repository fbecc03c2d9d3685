"""The node end against a server that the test plays, over a real socket."""

from __future__ import annotations

import asyncio
import base64
import os

import pytest

from parley import Job, JobFailed, Node, Profile, Result
from parley.frames import Gpu, ResourceUsage, ServiceTimings
from parley.usage import idle
from tests.peers.server import FakeServer
from tests.peers.until import until
from tests.sdk.nodes import Gate, Json, assignment, make_node, serving


async def test_it_registers_with_capabilities_filled_in(server: FakeServer) -> None:
    node = Node(server.url, languages=["en", "zh"], concurrency=3, token="secret")
    serving_node = asyncio.create_task(node.serve())
    peer = await server.accept()
    register = await peer.expect("node_register")
    assert server.requests[0].headers["Authorization"] == "Bearer secret"
    assert register["max_concurrent_jobs"] == 3
    assert register["running_job_ids"] == []
    assert register["language_capabilities"] == {
        "asr_languages": ["en", "zh"],
        "tts_languages": ["en", "zh"],
        "semantic_languages": ["en", "zh"],
        "semantic_core_ready": True,
    }
    ready = {kind["type"]: kind["ready"] for kind in register["capability_by_type"]}
    assert ready == {"asr": True, "nmt": True, "tts": True, "semantic": True}
    assert register["hardware"]["cpu_cores"] == os.cpu_count()
    await peer.send(
        {"type": "node_register_ack", "node_id": "node-7", "message": "", "status": "registering"}
    )
    await asyncio.wait_for(node.registered.wait(), 5)
    assert (node.node_id, node.status) == ("node-7", "registering")
    await node.stop()
    await serving_node


async def test_a_profile_says_more(server: FakeServer) -> None:
    profile = Profile(
        ["en", "zh"],
        asr_languages=["en"],
        tts_languages=[],
        nmt_pairs=[("en", "zh")],
        types=["asr", "nmt", "semantic", "tone"],
        gpus=[Gpu("RTX", 24)],
        accept_public_jobs=False,
        concurrency=0,
    )
    node = make_node(server, profile=profile)
    async with serving(node, server) as peer:
        register = peer.of_type("node_register")[0]
    assert register["language_capabilities"]["asr_languages"] == ["en"]
    assert register["language_capabilities"]["tts_languages"] == []
    assert register["nmt_pairs"] == [["en", "zh"]]
    assert register["hardware"]["gpus"] == [{"name": "RTX", "memory_gb": 24}]
    assert register["accept_public_jobs"] is False
    assert register["max_concurrent_jobs"] == 0
    assert register["installed_services"][3] == {
        "service_id": "tone",
        "type": "tone",
        "device": "gpu",
        "status": "running",
    }


async def test_a_job_is_acknowledged_started_shown_and_answered(server: FakeServer) -> None:
    node = make_node(server)

    @node.translate
    async def translate(job: Job) -> Result:
        await job.partial("hel")
        await job.partial("hello", is_final=True)
        assert (job.audio, job.audio_format, job.sample_rate) == (b"\1\0\2\0", "pcm16", 16000)
        assert (job.src_lang, job.tgt_lang) == ("en", "zh")
        return Result(
            text_asr="hello",
            text_translated="你好",
            audio=b"\3\0",
            timings=ServiceTimings(asr_ms=5, total_ms=8),
            extra={"mood": "good"},
        )

    async with serving(node, server) as peer:
        await peer.send(assignment(group_id="g-1"))
        result = await peer.expect("job_result")
    about = {
        "job_id": "job-1",
        "attempt_id": 1,
        "node_id": "node-1",
        "session_id": "s-00000001",
        "trace_id": "trace-1",
    }
    assert peer.frames[1:3] == [{"type": "job_ack", **about}, {"type": "job_started", **about}]
    partials = [(frame["text"], frame["is_final"]) for frame in peer.of_type("asr_partial")]
    assert partials == [("hel", False), ("hello", True)]
    assert result.pop("processing_time_ms") < 5000
    assert result == {
        "type": "job_result",
        **about,
        "utterance_index": 101,
        "success": True,
        "text_asr": "hello",
        "text_translated": "你好",
        "tts_audio": base64.b64encode(b"\3\0").decode(),
        "tts_format": "pcm16",
        "extra": {"mood": "good", "service_timings": {"asr_ms": 5, "total_ms": 8}},
        "group_id": "g-1",
    }


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            JobFailed("MODEL_NOT_AVAILABLE", "no model", {"service_id": "nmt"}),
            {
                "code": "MODEL_NOT_AVAILABLE",
                "message": "no model",
                "details": {"service_id": "nmt"},
            },
        ),
        (KeyError("x"), {"code": "PROCESSING_ERROR", "message": "KeyError: 'x'"}),
    ],
)
async def test_a_handler_that_raises_fails_the_job(
    server: FakeServer, error: Exception, told: Json
) -> None:
    node = make_node(server)

    @node.translate
    async def translate(job: Job) -> Result:
        raise error

    async with serving(node, server) as peer:
        await peer.send(assignment())
        result = await peer.expect("job_result")
    assert result["success"] is False
    assert result["error"] == told


async def test_a_cancelled_job_stops_and_gives_its_slot_back(server: FakeServer) -> None:
    node, gate = make_node(server), Gate()
    node.translate(gate)
    async with serving(node, server) as peer:
        await peer.send(assignment())
        await gate.entered.get()
        await peer.send({"type": "job_cancel", "job_id": "job-1"})
        result = await peer.expect("job_result")
    assert result["error"]["code"] == "CANCELLED"
    assert gate.cancelled == ["job-1"]


async def test_a_job_cancelled_before_it_began_is_answered_too(server: FakeServer) -> None:
    node, gate = make_node(server, concurrency=1), Gate()
    node.translate(gate)
    async with serving(node, server) as peer:
        await peer.send(assignment(1))
        await peer.send(assignment(2))
        await peer.send({"type": "job_cancel", "job_id": "job-2"})
        result = await peer.expect("job_result")
        gate.open.set()
        assert (result["job_id"], result["error"]["code"]) == ("job-2", "CANCELLED")
        assert (await peer.expect("job_result"))["success"] is True
    assert gate.entered.qsize() == 1


async def test_a_cancelled_job_is_told_as_such_whatever_its_handler_makes_of_it(
    server: FakeServer,
) -> None:
    node, entered = make_node(server), asyncio.Event()

    @node.translate
    async def translate(job: Job) -> Result:
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("the model was busy")

    async with serving(node, server) as peer:
        await peer.send(assignment())
        await entered.wait()
        await peer.send({"type": "job_cancel", "job_id": "job-1"})
        result = await peer.expect("job_result")
    assert result["error"]["code"] == "CANCELLED"


async def test_jobs_beyond_its_concurrency_wait(server: FakeServer) -> None:
    node, gate = make_node(server, concurrency=2), Gate()
    node.translate(gate)
    async with serving(node, server) as peer:
        for number in (1, 2, 3):
            await peer.send(assignment(number))
        await peer.expect("job_ack", job_id="job-3")
        await gate.entered.get()
        await gate.entered.get()
        assert len(peer.of_type("job_started")) == 2
        assert len(node.running) == 3
        gate.open.set()
        for _ in range(3):
            await peer.expect("job_result")


async def test_the_parts_of_a_turn_are_answered_in_their_order(server: FakeServer) -> None:
    node, slow, quick = make_node(server, concurrency=3), asyncio.Event(), asyncio.Event()

    @node.translate
    async def translate(job: Job) -> Result:
        if job.job_id == "job-1":
            await slow.wait()
        if job.job_id == "job-2":
            quick.set()
        return Result(text_translated=job.job_id)

    async with serving(node, server) as peer:
        for number in (1, 2):
            await peer.send(assignment(number, turn_id="t-1"))
        await quick.wait()
        await peer.send(assignment(3, turn_id="t-2"))
        await peer.expect("job_result", job_id="job-3")
        slow.set()
        await peer.expect("job_result", job_id="job-1")
        await peer.expect("job_result", job_id="job-2")


async def test_a_job_sent_twice_is_done_once_under_its_new_attempt(server: FakeServer) -> None:
    node, gate = make_node(server), Gate()
    node.translate(gate)
    async with serving(node, server) as peer:
        await peer.send(assignment())
        await peer.send(assignment(attempt_id=2))
        await peer.expect("job_ack", attempt_id=2)
        gate.open.set()
        assert (await peer.expect("job_result"))["attempt_id"] == 2
    assert len(peer.of_type("job_result")) == 1


async def test_it_heartbeats_at_once_when_something_changes(server: FakeServer) -> None:
    node, gate = make_node(server), Gate()
    node.translate(gate)
    async with serving(node, server) as peer:
        await peer.send(assignment())
        await gate.entered.get()
        node.profile.languages = ["en", "zh", "ja"]
        node.changed()
        beat = await peer.expect("node_heartbeat")
        assert beat["node_id"] == "node-1"
        assert beat["resource_usage"]["running_jobs"] == 1
        assert beat["language_capabilities"]["semantic_languages"] == ["en", "zh", "ja"]
        await peer.send({"type": "node_control", "command": "refresh"})
        await peer.expect("node_heartbeat")
        gate.open.set()


async def test_it_heartbeats_by_itself(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parley.pulse.HEARTBEAT_S", 0.02)
    async with serving(make_node(server), server) as peer:
        for _ in range(3):
            await peer.expect("node_heartbeat")


async def test_under_a_high_load_it_heartbeats_often(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parley.pulse.BUSY_HEARTBEAT_S", 0.02)
    node = make_node(server)
    async with serving(node, server) as peer:
        node.profile.usage = lambda running: ResourceUsage(99.0, 20.0, running)
        node.changed()
        for _ in range(3):
            await peer.expect("node_heartbeat")


async def test_a_load_that_cannot_be_told_costs_one_heartbeat(
    server: FakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    def no_driver(running: int) -> ResourceUsage:
        node.profile.usage = idle
        raise OSError("no driver")

    node = make_node(server, profile=Profile(["en"], usage=no_driver))
    async with serving(node, server) as peer:
        node.changed()
        await until(lambda: node.profile.usage is idle)
        node.changed()
        await peer.expect("node_heartbeat")
    assert "no driver" in caplog.text


def ready(beat: Json) -> set[bool]:
    return {kind["ready"] for kind in beat["capability_by_type"]}


async def test_drain_asks_for_no_more_jobs_and_resume_takes_them_again(
    server: FakeServer,
) -> None:
    node = make_node(server)
    async with serving(node, server) as peer:
        node.drain()
        assert ready(await peer.expect("node_heartbeat")) == {False}
        node.resume()
        assert ready(await peer.expect("node_heartbeat")) == {True}


async def test_drained_by_an_operator_it_stays_ready_for_the_moment_it_is_resumed(
    server: FakeServer,
) -> None:
    async with serving(make_node(server), server) as peer:
        for command in ("drain", "resume"):
            await peer.send({"type": "node_control", "command": command})
            assert ready(await peer.expect("node_heartbeat")) == {True}


async def test_what_it_does_not_understand_is_logged_and_harmless(
    server: FakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(make_node(server), server) as peer:
        await peer.send({"type": "new_thing"})
        await peer.send_text("nonsense")
        await peer.send({"type": "node_control", "command": "dance"})
        await peer.send({"type": "node_control", "command": "refresh"})
        await peer.expect("node_heartbeat")
    assert "new_thing" in caplog.text
    assert "not JSON" in caplog.text
    assert "dance" in caplog.text


async def test_a_wrong_address_is_an_error_at_once() -> None:
    with pytest.raises(ValueError, match="isn't a valid URI"):
        async with Node("http://nowhere", languages=["en"]):
            pass
