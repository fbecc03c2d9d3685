"""What operators decided holds also while Redis does not know it (any more)."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import redis

from lua import scripts, views
from lua.client import StoreSettings
from lua.scripts import Command
from lua.states import Reason
from tests.nodes.caller import Caller
from tests.nodes.frames import registration
from tests.nodes.web import Web
from tests.peers.raw import RawPeer
from tests.peers.until import until

Copy = list[tuple[bytes, int, bytes]]


@pytest.fixture
async def node(web: Web) -> AsyncIterator[RawPeer]:
    async with web.peer() as peer:
        await peer.send(registration("node-1"))
        await peer.expect("node_register_ack")
        yield peer


def copied(store: StoreSettings) -> Copy:
    """All keys as they are now."""
    with redis.Redis.from_url(store.url) as client:
        keys = client.keys(f"{store.prefix}*")
        return [(key, max(0, client.pttl(key)), client.dump(key)) for key in keys]


def go_back(store: StoreSettings, copy: Copy) -> None:
    """Redis is as it was, and nobody has noticed."""
    with redis.Redis.from_url(store.url) as client, client.pipeline() as pipe:
        pipe.unlink(*client.keys(f"{store.prefix}*"))
        for key, ttl_ms, value in copy:
            pipe.restore(key, ttl_ms, value)
        pipe.execute()


async def decide(caller: Caller, version: int, **content: Any) -> None:
    body = msgspec.json.encode(content)
    await scripts.write_config(caller.cells, cell=0, version=version, content=body)


def reason(store: StoreSettings) -> Reason:
    return views.nodes(store, ["node-1"])["node-1"].load.reason


@pytest.mark.parametrize("decision", ["disabled_nodes", "drained_nodes"])
async def test_an_older_copy_of_redis_brings_no_job_to_a_node_that_is_out(
    web: Web, node: RawPeer, caller: Caller, store: StoreSettings, decision: str
) -> None:
    copy = copied(store)
    await decide(caller, 1, **{decision: ["node-1"]})
    await until(lambda: reason(store) is Reason.STATUS_NOT_READY)
    go_back(store, copy)
    placed = await caller.dispatch()
    await until(lambda: reason(store) is Reason.STATUS_NOT_READY)
    async with web.peer() as other:
        await other.send(registration("node-2"))
        await other.expect("job_assign", job_id=placed.job)
    assert "job_assign" not in [frame["type"] for frame in node.frames]


async def test_a_cell_that_lost_what_was_decided_is_told_by_a_process_that_knows_it(
    web: Web, caller: Caller, store: StoreSettings
) -> None:
    await decide(caller, 3, disabled_nodes=["node-1"], choosing={"policy": "priority"})
    await until(lambda: web.process.snapshot.configuration(0).version == 3)
    with redis.Redis.from_url(store.url) as client:
        key = f"{caller.cells.prefixes[0]}config"
        before = client.hgetall(key)
        client.hdel(key, "version", "content")
        await until(lambda: client.hget(key, "version") == b"3")
        assert msgspec.json.decode(client.hget(key, "content")) == {
            "disabled_nodes": ["node-1"],
            "drained_nodes": [],
            "pools": [],
            "auto": {},
            "choosing": {"policy": "priority"},
        }
        assert before[b"version"] == b"3"


async def test_a_process_that_missed_a_resume_looks_before_it_declines_a_job(
    web: Web, node: RawPeer, caller: Caller, store: StoreSettings
) -> None:
    await decide(caller, 1, drained_nodes=["node-1"])
    await until(lambda: web.process.snapshot.configuration(0).version == 1)
    await until(lambda: reason(store) is Reason.STATUS_NOT_READY)
    with redis.Redis.from_url(store.url) as client:
        key = f"{caller.cells.prefixes[0]}config"
        client.hset(key, mapping={"version": 2, "content": "{}"})  # and no word to the process
    await scripts.control_node(
        caller.cells, cell=0, node="node-1", command=Command.RESUME, reason=""
    )
    placed = await caller.dispatch()
    told = await node.expect("job_assign", job_id=placed.job)
    assert told["attempt_id"] == 1
