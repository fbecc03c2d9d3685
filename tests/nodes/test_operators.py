"""What operators do to nodes, and what nodes say of themselves with heartbeats."""

import asyncio

import msgspec
import pytest

from lua import scripts
from lua.mailbox import Outcome, Placed
from lua.scripts import Command
from lua.views import NodeView, nodes
from nodes.settings import NodeSettings
from tests.harness.loss import forget_everything
from tests.nodes.frames import heartbeat, ready, registration, result
from tests.peers.until import until


async def register(peer, name: str, **changes) -> None:
    await peer.send(registration(name, **changes))
    await peer.expect("node_register_ack")


@pytest.fixture
async def node(web):
    async with web.peer() as peer:
        await register(peer, "node-1")
        yield peer


def view(caller) -> NodeView:
    return nodes(caller.cells.settings, ["node-1"])["node-1"]


async def command(caller, what: Command, reason: str = "") -> None:
    await scripts.control_node(caller.cells, cell=0, node="node-1", command=what, reason=reason)


async def test_a_drained_node_is_told_and_gets_nothing_until_it_is_resumed(node, caller):
    await command(caller, Command.DRAIN, "maintenance")
    told = await node.expect("node_control", command="drain")
    assert told["reason"] == "maintenance"
    waiting = await caller.dispatch(deadline_ms=5_000)
    assert isinstance(waiting, scripts.Waiting)
    await node.send(heartbeat())
    await command(caller, Command.RESUME)
    await node.expect("node_control", command="resume")
    assert (await node.expect("job_assign"))["job_id"] == waiting.job


async def test_a_drained_node_stays_drained_when_it_comes_again(web, caller):
    async with web.peer() as first:
        await register(first, "node-1")
        await command(caller, Command.DRAIN)
        await first.expect("node_control")
    async with web.peer() as second:
        await second.send(registration("node-1"))
        assert (await second.expect("node_register_ack"))["status"] == "draining"


async def test_a_kicked_node_is_closed(node, caller):
    await command(caller, Command.KICK)
    assert await node.closed() == 4403


async def test_a_node_that_shuts_down_leaves_when_it_is_empty(node, caller):
    reserved = await caller.dispatch()
    await node.expect("job_assign")
    await command(caller, Command.SHUTDOWN)
    await node.expect("node_control", command="shutdown")
    await node.send(result(reserved.job))
    assert (await caller.expect(Outcome)).state == "DONE"
    assert await node.closed() == 4403


async def test_a_refresh_reaches_the_agent_and_changes_nothing_else(web, node, caller):
    await command(caller, Command.REFRESH)
    await node.expect("node_control", command="refresh")
    assert [one.standing.state for one in web.registry._connections.values()] == ["ready"]


async def configure(caller, version: int, **content: list[str]) -> None:
    body = msgspec.json.encode(content)
    await scripts.write_config(caller.cells, cell=0, version=version, content=body)


async def test_a_disabled_node_gets_nothing_until_it_is_enabled(web, node, caller):
    await configure(caller, 1, disabled_nodes=["node-1"])
    await until(lambda: not view(caller).enabled)
    refused = await caller.dispatch(deadline_ms=0)
    assert refused.reason == "status_not_ready"
    waiting = await caller.dispatch(deadline_ms=5_000)
    await configure(caller, 2, disabled_nodes=[])
    await caller.expect(Placed, where=lambda m: m.job == waiting.job)
    await node.expect("job_assign", job_id=waiting.job)


def changes_of(web) -> "asyncio.Queue[int]":
    """Gets an entry when the process has learned a new configuration."""
    changes: asyncio.Queue[int] = asyncio.Queue()
    web.process.snapshot.watchers.append(changes.put_nowait)
    return changes


async def test_a_node_drained_in_sql_is_drained_wherever_it_registers(web, caller):
    changed = changes_of(web)
    await configure(caller, 1, drained_nodes=["node-1"])
    await changed.get()
    async with web.peer() as peer:
        await peer.send(registration("node-1"))
        assert (await peer.expect("node_register_ack"))["status"] == "draining"


async def test_a_registration_made_with_an_old_configuration_is_repeated(web, caller):
    await configure(caller, 5, drained_nodes=["node-1"])
    async with web.peer() as peer:
        await peer.send(registration("node-1"))
        assert (await peer.expect("node_register_ack"))["status"] == "draining"
        assert web.process.snapshot.configuration(0).version == 5


async def test_a_heartbeat_moves_a_node_to_its_new_pools(node, caller):
    known = {"semantic_languages": ["en", "fr"], "asr_languages": ["en", "fr"]}
    await node.send(heartbeat(language_capabilities=known))
    await until(lambda: view(caller).pools == ("auto:en-fr",))
    offered = set(view(caller).has)
    assert {"tts:en", "tts:fr", "asr:fr", "semantic:fr", "access:public"} <= offered
    assert not {"tts:zh", "asr:zh", "semantic:zh"} & offered
    await caller.dispatch(pools="auto:en-fr", tgt="fr")
    await node.expect("job_assign")


async def test_an_unchanged_heartbeat_writes_no_event(node, caller, store):
    await register(node, "node-1")
    before = await events(caller)
    for _ in range(3):
        await node.send(heartbeat())
    await register(node, "node-1")
    assert await events(caller) == before


async def events(caller) -> int:
    return int(await caller.cells.plain.xlen(f"{caller.cells.prefixes[0]}events"))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"usage": {"cpu_percent": 99}}, "resource_threshold_exceeded"),
        ({"capability_by_type": ready("asr", "nmt")}, "status_not_ready"),
        ({"usage": {"running_jobs": 2}}, "capacity_exceeded"),
    ],
)
async def test_a_heartbeat_can_make_a_node_unusable_and_usable_again(node, caller, changes, reason):
    await node.send(heartbeat(**changes))
    await until(lambda: view(caller).load.reason != "usable" or view(caller).load.foreign > 0)
    refused = await caller.dispatch(deadline_ms=0)
    assert isinstance(refused, scripts.Refused)
    assert refused.reason == reason
    waiting = await caller.dispatch(deadline_ms=5_000)
    await node.send(heartbeat())
    await node.expect("job_assign", job_id=waiting.job)


async def test_a_node_that_arbitrates_takes_jobs_while_its_own_queue_is_empty(web, caller):
    async with web.peer() as peer:
        await register(peer, "node-1", max_concurrent_jobs=0)
        await peer.send(heartbeat(usage={"gpu_queue_length": 1}))
        await until(lambda: view(caller).load.reason == "capacity_exceeded")
        waiting = await caller.dispatch(deadline_ms=5_000)
        await peer.send(heartbeat(usage={"gpu_queue_length": 0}))
        await peer.expect("job_assign", job_id=waiting.job)


async def test_a_private_node_gets_no_public_jobs(web, caller):
    async with web.peer() as peer:
        await register(peer, "node-1", accept_public_jobs=False)
        refused = await caller.dispatch(deadline_ms=0)
        assert refused.reason == "not_in_public_pool"


async def test_a_process_that_drains_gives_its_nodes_no_new_jobs(open_web, caller):
    ending, staying = await open_web(), await open_web()
    async with ending.peer() as one, staying.peer() as other:
        await register(one, "node-1", max_concurrent_jobs=8)
        await register(other, "node-2", max_concurrent_jobs=8)
        running = await caller.dispatch(preferred="node-1")
        await one.expect("job_assign")
        draining = asyncio.create_task(ending.process.drain(5))
        await until(lambda: not view(caller).enabled)
        for _ in range(4):
            later = await caller.dispatch(preferred="node-1")
            await other.expect("job_assign", job_id=later.job)
        assert not draining.done()
        await one.send(result(running.job))
        await draining
        assert (await caller.expect(Outcome)).state == "DONE"


async def test_a_node_whose_recognition_has_no_model_is_degraded_for_a_while(open_web, caller):
    web = await open_web(NodeSettings(service_out_ms=400))
    hearing = {"service_id": "asr-1", "type": "asr", "device": "gpu", "status": "running"}
    error = {"type": "node_error", "node_id": "node-1", "message": "not loaded"}
    async with web.peer() as peer:
        await register(peer, "node-1", installed_services=[hearing])
        await peer.send({**error, "code": "GPU_LOST", "details": {"service_id": "asr-1"}})
        await peer.send({**error, "code": "MODEL_NOT_AVAILABLE", "details": "asr-1"})
        missing = {**error, "code": "MODEL_NOT_AVAILABLE"}
        await peer.send({**missing, "details": {"service_id": "asr-2"}})
        await register(peer, "node-1", installed_services=[hearing])
        assert view(caller).state == "ready"
        await peer.send({**missing, "details": {"service_id": "asr-1"}})
        await until(lambda: view(caller).state == "degraded")
        waiting = await caller.dispatch(deadline_ms=5_000)
        await peer.expect("job_assign", job_id=waiting.job)
        assert view(caller).state == "ready"


async def test_a_service_without_its_model_is_out_also_when_redis_was_lost(web, caller, store):
    speech = {"service_id": "tts-1", "type": "tts", "device": "gpu", "status": "running"}
    error = {
        "type": "node_error",
        "node_id": "node-1",
        "message": "-",
        "code": "MODEL_NOT_AVAILABLE",
    }

    def out() -> list[tuple[str, str, int]]:
        known = nodes(store, ["node-1"])
        return (
            [(one.service, one.code, one.until_ms) for one in known["node-1"].out] if known else []
        )

    async with web.peer() as peer:
        await register(peer, "node-1", installed_services=[speech])
        await peer.send({**error, "details": {"service_id": "tts-1"}})
        await until(out)
        (before,) = out()
        forget_everything(store.url, store.prefix)
        assert out() == []
        await until(out)
        (after,) = out()
        assert after[:2] == before[:2] == ("tts-1", "MODEL_NOT_AVAILABLE")
        assert abs(after[2] - before[2]) < 2_000  # no longer than it would have been

        await command(caller, Command.CLEAR)
        await until(lambda: out() == [])
        await peer.send(heartbeat())
        (connection,) = web.registry._connections.values()
        await until(lambda: not connection.standing.out)  # its process has learned of it
        await web.registry.replay(0)
        assert out() == []
