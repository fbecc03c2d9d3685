"""Jobs over the node's socket: from the mailbox to the frame, and back to the caller."""

import base64
import os

import pytest

from lua import ids, scripts
from lua.mailbox import Accepted, Outcome, Partial, Placed
from lua.views import NodeView, job_now, nodes
from nodes.settings import NodeSettings
from pools.routes import Route
from tests.nodes.frames import failure, heartbeat, registration, result
from tests.peers.agent import Agent
from tests.peers.until import until


@pytest.fixture
async def node(web):
    """A registered node that takes two jobs."""
    async with web.peer() as peer:
        await peer.send(registration("node-1"))
        await peer.expect("node_register_ack")
        yield peer


async def register(peer, name: str, **changes) -> None:
    await peer.send(registration(name, **changes))
    await peer.expect("node_register_ack")


def view(caller) -> NodeView:
    return nodes(caller.cells.settings, ["node-1"])["node-1"]


async def state_of(caller, job: str) -> tuple[str, int]:
    view = await job_now(caller.cells, job)
    assert view is not None
    return view.state.value, view.attempt


async def test_a_job_reaches_the_node_and_its_result_the_caller(node, caller):
    reserved = await caller.dispatch()
    assign = await node.expect("job_assign")
    assert assign["job_id"] == reserved.job
    assert assign["attempt_id"] == 1
    assert (assign["src_lang"], assign["tgt_lang"]) == ("en", "zh")
    assert (assign["audio"], assign["trace_id"]) == ("QUJD", "trace-1")
    await node.send(
        result(reserved.job, tts_audio="QUJDRA==", extra={"service_timings": {"asr_ms": 3}})
    )
    outcome = await caller.expect(Outcome)
    assert (outcome.job, outcome.state, outcome.node) == (reserved.job, "DONE", "node-1")
    body = await caller.result(reserved.job, outcome.size)
    assert body["text_translated"] == "你好"
    assert body["tts_audio"] == "QUJDRA=="
    assert body["service_timings"] == {"asr_ms": 3}
    assert body["received_at_ms"] > 0


async def test_a_result_counts_whatever_attempt_it_names(node, caller):
    reserved = await caller.dispatch()
    await node.expect("job_assign")
    await node.send(result(reserved.job, attempt_id=9))
    assert (await caller.expect(Outcome)).state == "DONE"


async def test_the_node_is_sent_its_own_language_codes(web, caller):
    known = {"asr_languages": ["en-GB"], "semantic_languages": ["en-GB", "zh-Hans"]}
    async with web.peer() as peer:
        await register(peer, "node-1", language_capabilities=known)
        pools = " ".join(nodes(caller.cells.settings, ["node-1"])["node-1"].pools)
        await caller.dispatch(pools=pools)
        assign = await peer.expect("job_assign")
        assert (assign["src_lang"], assign["tgt_lang"]) == ("en-GB", "zh-Hans")


@pytest.mark.parametrize("kind", ["job_ack", "job_started"])
async def test_an_ack_is_told_to_the_caller(node, caller, kind):
    reserved = await caller.dispatch()
    assign = await node.expect("job_assign")
    about = {name: assign[name] for name in ("job_id", "attempt_id", "session_id", "trace_id")}
    await node.send({"type": kind, "node_id": "node-1", **about})
    accepted = await caller.expect(Accepted)
    assert (accepted.job, accepted.node) == (reserved.job, "node-1")
    assert await state_of(caller, reserved.job) == ("ACKED", 1)


async def test_a_partial_text_is_carried_to_the_caller(node, caller):
    reserved = await caller.dispatch()
    assign = await node.expect("job_assign")
    about = {name: assign[name] for name in ("job_id", "session_id", "utterance_index", "trace_id")}
    partial = {"node_id": "node-1", "text": "hel", "is_final": False, **about}
    await node.send({"type": "asr_partial", **partial})
    message = await caller.expect(Partial)
    assert message.job == reserved.job
    assert b'"text":"hel"' in message.body


@pytest.mark.parametrize(
    ("answer", "state", "code"),
    [
        (failure("INVALID_AUDIO", "too short"), "FAILED", "INVALID_AUDIO"),
        (failure("GPU_ON_FIRE", "hot"), "FAILED", "GPU_ON_FIRE"),
        (failure("PROCESSING_ERROR", "DUPLICATE_JOB"), "FAILED", "PROCESSING_ERROR"),
    ],
)
async def test_a_failure_that_nobody_else_can_mend_ends_the_job(node, caller, answer, state, code):
    reserved = await caller.dispatch()
    await node.expect("job_assign")
    await node.send(result(reserved.job, **answer))
    outcome = await caller.expect(Outcome)
    assert (outcome.state, outcome.code) == (state, code)
    assert outcome.message == answer["error"]["message"]


async def test_a_failed_job_goes_to_another_node(web, caller):
    async with web.peer() as one, web.peer() as other:
        await register(one, "node-1")
        await register(other, "node-2")
        reserved = await caller.dispatch(preferred="node-1")
        await one.expect("job_assign")
        await one.send(result(reserved.job, **failure("NMT_TIMEOUT")))
        assert (await other.expect("job_assign", job_id=reserved.job))["attempt_id"] == 2
        await other.send(result(reserved.job, attempt_id=2))
        assert (await caller.expect(Outcome)).state == "DONE"
        # Late: it changes nothing.
        await one.send(result(reserved.job))
        await one.send(heartbeat())
        assert await state_of(caller, reserved.job) == ("DONE", 2)


async def test_a_cancelled_job_is_called_off_after_it_was_assigned(node, caller):
    reserved = await caller.dispatch()
    await node.expect("job_assign")
    await scripts.cancel(caller.cells, cell=0, job=reserved.job, code="CANCELLED")
    cancel = await node.expect("job_cancel")
    assert (cancel["job_id"], cancel["reason"]) == (reserved.job, "CANCELLED")
    assert cancel["trace_id"] == "trace-1"
    assert nodes(caller.cells.settings, ["node-1"])["node-1"].load.used == 1
    await node.send(result(reserved.job))
    await caller.dispatch()
    await node.expect("job_assign")
    assert nodes(caller.cells.settings, ["node-1"])["node-1"].load.used == 1


async def test_a_free_slot_goes_to_a_waiting_job_at_once(node, caller):
    running = [await caller.dispatch() for _ in range(2)]
    waiting = await caller.dispatch()
    assert isinstance(waiting, scripts.Waiting)
    for _ in range(2):
        await node.expect("job_assign")
    await node.send(result(running[0].job))
    assert (await caller.expect(Placed)).job == waiting.job
    await node.expect("job_assign", job_id=waiting.job)


async def test_many_waiting_jobs_fill_a_node_that_registers(web, caller):
    await register_and_leave(web)
    jobs = [await caller.dispatch() for _ in range(20)]
    assert all(isinstance(job, scripts.Waiting) for job in jobs)
    async with web.peer() as peer:
        await register(peer, "node-1", max_concurrent_jobs=20)
        got = [(await peer.expect("job_assign"))["job_id"] for _ in jobs]
        assert sorted(got) == sorted(job.job for job in jobs)


async def register_and_leave(web) -> None:
    """Leaves a pool behind whose only member is offline."""
    async with web.peer() as peer:
        await register(peer, "node-1")


async def test_large_payloads_and_results_go_both_ways_in_order(node, caller):
    audio = base64.b64encode(os.urandom(600_000)).decode()
    payload = b'{"session_id":"s-1","trace_id":"t","audio":"' + audio.encode() + b'"}'
    big = await caller.dispatch(payload=payload)
    small = await caller.dispatch()
    first, second = [await node.expect("job_assign") for _ in range(2)]
    assert (first["job_id"], second["job_id"]) == (big.job, small.job)
    assert first["audio"] == audio
    assert second["utterance_index"] == first["utterance_index"] + 1
    await node.send(result(big.job, tts_audio=audio))
    await node.send(result(small.job))
    ends = [
        await caller.expect(Outcome, where=lambda m, j=job: m.job == j.job) for job in (big, small)
    ]
    assert [m.job for m in caller.messages if isinstance(m, Outcome)] == [big.job, small.job]
    assert (await caller.result(big.job, ends[0].size))["tts_audio"] == audio


async def test_a_job_of_a_node_that_is_gone_goes_to_another(web, caller):
    async with web.peer() as other:
        async with web.peer() as one:
            await register(one, "node-1")
            await register(other, "node-2")
            reserved = await caller.dispatch(preferred="node-1")
            await one.expect("job_assign")
        again = await other.expect("job_assign", job_id=reserved.job)
        assert again["attempt_id"] == 2


async def test_a_node_that_returns_within_the_grace_keeps_its_jobs(web, caller):
    async with web.peer() as one:
        await register(one, "node-1")
        reserved = await caller.dispatch()
        await one.expect("job_assign")
    async with web.peer() as again:
        await register(again, "node-1")
        await again.send(result(reserved.job))
        outcome = await caller.expect(Outcome)
        assert (outcome.state, outcome.attempt) == ("DONE", 1)


async def test_a_node_that_returns_without_its_job_gives_it_up(web, caller):
    async with web.peer() as other:
        async with web.peer() as one:
            await register(one, "node-1")
            reserved = await caller.dispatch()
            await one.expect("job_assign")
        await register(other, "node-2")
        async with web.peer() as again:
            await register(again, "node-1", running_job_ids=[])
            await other.expect("job_assign", job_id=reserved.job)


async def test_a_result_sent_just_before_the_end_of_the_socket_counts(web, caller):
    async with web.peer() as peer:
        await register(peer, "node-1")
        reserved = await caller.dispatch()
        await peer.expect("job_assign")
        await peer.send(result(reserved.job))
    assert (await caller.expect(Outcome)).state == "DONE"


async def test_unknown_jobs_of_a_node_harm_nobody(node, caller):
    for name in ("", "job-XYZ", "job-0000000000000000", "node-1:jobs"):
        await node.send(result(name))
    await caller.dispatch()
    await node.expect("job_assign")


async def test_a_service_without_its_model_is_left_out_for_a_while(open_web, caller):
    web = await open_web(NodeSettings(service_out_ms=2_000))
    speech = {"service_id": "tts-1", "type": "tts", "device": "gpu", "status": "running"}
    async with web.peer() as peer, web.peer() as full:
        await register(peer, "node-1", installed_services=[speech], max_concurrent_jobs=1)
        await register(full, "node-2", max_concurrent_jobs=1)
        await caller.dispatch(preferred="node-2")
        failing = await caller.dispatch(has="tts:zh")
        await peer.expect("job_assign", job_id=failing.job)
        speaking = await caller.dispatch(has="tts:zh", deadline_ms=60_000)
        silent = await caller.dispatch(deadline_ms=60_000)
        missing = failure("MODEL_NOT_AVAILABLE", service_id="tts-1")
        await peer.send(result(failing.job, **missing))
        await caller.expect(Placed, where=lambda m: (m.job, m.state) == (failing.job, "WAITING"))
        # The slot goes past the first in line, who needs the service.
        assert (await peer.expect("job_assign"))["job_id"] == silent.job
        await peer.send(result(silent.job))
        assert (await peer.expect("job_assign", within_s=10))["job_id"] == speaking.job


async def test_a_node_with_a_service_left_out_is_as_free_as_before_for_all_else(web, caller):
    speech = {"service_id": "tts-1", "type": "tts", "device": "gpu", "status": "running"}
    missing = {"code": "MODEL_NOT_AVAILABLE", "details": {"service_id": "tts-1"}}
    async with web.peer() as peer:
        await register(peer, "node-1", installed_services=[speech], max_concurrent_jobs=1)
        await peer.send({"type": "node_error", "node_id": "node-1", "message": "-", **missing})
        await until(lambda: "type:tts" not in view(caller).has)
        silent = await caller.dispatch(deadline_ms=0)
        assert isinstance(silent, scripts.Reserved)
        await peer.expect("job_assign", job_id=silent.job)


async def test_a_service_stays_left_out_when_its_node_connects_anew(open_web, caller):
    web = await open_web(NodeSettings(service_out_ms=1_500))
    speech = {"service_id": "tts-1", "type": "tts", "device": "gpu", "status": "running"}
    missing = {"code": "MODEL_NOT_AVAILABLE", "details": {"service_id": "tts-1"}}
    async with web.peer() as peer:
        await register(peer, "node-1", installed_services=[speech])
        await peer.send({"type": "node_error", "node_id": "node-1", "message": "-", **missing})
        await until(lambda: "type:tts" not in view(caller).has)
    await until(lambda: view(caller).state == "offline")
    async with web.peer() as again:
        await register(again, "node-1", installed_services=[speech])
        assert "type:tts" not in view(caller).has
        await until(lambda: "type:tts" in view(caller).has)
        speaking = await caller.dispatch(has="tts:zh")
        await again.expect("job_assign", job_id=speaking.job)


async def test_a_service_left_out_does_not_make_a_node_that_is_hot_take_jobs(web, caller):
    speech = {"service_id": "tts-1", "type": "tts", "device": "gpu", "status": "running"}
    missing = {"code": "MODEL_NOT_AVAILABLE", "details": {"service_id": "tts-1"}}
    async with web.peer() as peer:
        await register(peer, "node-1", installed_services=[speech])
        await peer.send(heartbeat(usage={"mem_percent": 99}, installed_services=[speech]))
        await peer.send({"type": "node_error", "node_id": "node-1", "message": "-", **missing})
        await until(lambda: "type:tts" not in view(caller).has)
        refused = await caller.dispatch(deadline_ms=0)
        assert refused.reason == "resource_threshold_exceeded"


async def test_an_agent_as_deployed_needs_one_attempt(web, caller):
    async with Agent(web.url, node_id="node-1", silence_s=0.5, pace=0.02) as agent:
        jobs = [await caller.dispatch() for _ in range(4)]
        for job in jobs:
            outcome = await caller.expect(Outcome, where=lambda m, j=job: m.job == j.job)
            assert (outcome.state, outcome.attempt) == ("DONE", 1)
        assert agent.refused == []


async def test_an_agent_as_deployed_that_loses_its_connection_keeps_its_job(web, caller):
    async with Agent(web.url, node_id="node-1", silence_s=0.6, pace=0.02) as agent:
        reserved = await caller.dispatch()
        await agent.job()
        agent.vanish()
        outcome = await caller.expect(Outcome)
        assert (outcome.job, outcome.state, outcome.attempt) == (reserved.job, "DONE", 1)


@pytest.mark.parametrize("cells", [4])
async def test_a_node_lives_in_the_cell_of_its_name(web, caller):
    names = [f"node-{number}" for number in range(40)]
    here = next(name for name in names if ids.cell_of_node(name, 4) == 0)
    elsewhere = next(name for name in names if ids.cell_of_node(name, 4) == 3)
    async with web.peer() as one, web.peer() as other:
        await register(one, here)
        await register(other, elsewhere, max_concurrent_jobs=5)
        jobs = [await caller.dispatch() for _ in range(3)]
        assert [type(job) for job in jobs] == [scripts.Reserved, scripts.Reserved, scripts.Waiting]
        for job in jobs:
            await one.expect("job_assign", job_id=job.job)
            await one.send(result(job.job))
            await caller.expect(Outcome, where=lambda m, job=job: m.job == job.job)
        await other.send(result(jobs[0].job))
        await register(other, elsewhere)
        assert other.of_type("job_assign") == []
        assert list(web.process.snapshot.cells_serving(Route("en", "zh"))) == [0, 3]
