"""The runtime of a web process: its mailboxes, its lease, and its end."""

import asyncio
from dataclasses import replace
from unittest.mock import AsyncMock

import pytest
import redis

from jobs.process import Process
from jobs.settings import JobSettings
from lua import scripts
from lua.errors import CellsDiffer, LayoutDiffers, StoreUnavailable
from lua.keys import LAYOUT, cell_prefix
from lua.mailbox import Accepted, Placed
from pools.settings import PoolSettings
from tests.harness.loss import forget_everything
from tests.peers.until import until

QUICK = JobSettings(lease_pause_ms=50, reap_pause_ms=20)
PLACED = {
    "kind": "placed",
    "session": "s",
    "state": "RESERVED",
    "node": "n",
    "attempt": 1,
    "level": "",
}


@pytest.fixture
def client(store):
    with redis.Redis.from_url(store.url, protocol=2) as client:
        yield client


@pytest.fixture
async def process(store):
    process = Process(store, QUICK, PoolSettings())
    await process.start()
    yield process
    await process.stop()


@pytest.fixture
def post(process, client):
    """``post(kind=…)``: an entry in the process's mailbox."""
    key = f"{process.cells.prefixes[0]}mailbox:{process.id}"
    return lambda **fields: client.xadd(key, fields)


async def test_messages_go_to_whoever_asked_for_their_kind(process, post):
    got = asyncio.get_running_loop().create_future()
    process.handle(Placed, lambda cell, message: got.set_result((cell, message.job)))
    post(job="j", **PLACED)
    assert await asyncio.wait_for(got, 5) == (0, "j")


@pytest.mark.parametrize(
    "first",
    [
        {"kind": "from_the_future"},
        {"kind": "placed"},
        {**PLACED, "job": "i", "attempt": "x"},
        {"kind": "accepted", "job": "i", "session": "s", "node": "n"},
        {"kind": "assign", "job": "i", "attempt": 1, "node": "n", "conn": "c"},
    ],
    ids=["unknown kind", "lacks fields", "damaged", "its handler fails", "nobody asked for it"],
)
async def test_nothing_ends_the_reading_of_a_mailbox(process, post, first):
    def fail(cell: int, message: Accepted) -> None:
        raise ValueError("on purpose")

    got = asyncio.get_running_loop().create_future()
    process.handle(Accepted, fail)
    process.handle(Placed, lambda cell, message: got.set_result(message.job))
    post(**first)
    post(job="j", **PLACED)
    assert await asyncio.wait_for(got, 5) == "j"


async def test_new_configuration_is_known_at_once(process):
    await scripts.write_config(process.cells, cell=0, version=7, content=b"{}")
    await until(lambda: process.snapshot.configuration(0).version == 7)


async def test_a_process_with_another_number_of_cells_does_not_start(process, store):
    other = Process(replace(store, cells=4), QUICK, PoolSettings())
    with pytest.raises(CellsDiffer, match=r"PARLEY_CELLS is 4, but .* has 1"):
        await other.start()
    await other.stop()
    alike = Process(store, QUICK, PoolSettings())
    await alike.start()
    await alike.stop()


@pytest.mark.parametrize("layout", [None, 99])
async def test_a_process_does_not_start_on_the_state_of_another_version(store, client, layout):
    key = f"{cell_prefix(store.prefix, 0)}config"
    client.hset(key, "cells", 1)
    if layout is not None:
        client.hset(key, "layout", layout)
    process = Process(store, QUICK, PoolSettings())
    with pytest.raises(LayoutDiffers, match=rf"has layout {layout or 1}, .* needs {LAYOUT}"):
        await process.start()
    await process.stop()


async def test_a_redis_that_lost_everything_is_told_the_number_of_cells_again(
    process, client, store
):
    key = f"{process.cells.prefixes[0]}config"
    await until(lambda: client.hget(key, "cells") == b"1")
    forget_everything(store.url, store.prefix)
    await until(lambda: client.hget(key, "cells") == b"1")


async def test_a_lease_is_kept(process, client):
    prefix = process.cells.prefixes[0]
    await asyncio.sleep(process.cells.limits.lease_ms / 1000)  # the time itself is tested
    assert client.sismember(f"{prefix}processes", process.id)


@pytest.mark.parametrize("lost", ["lease", "epoch", "connection"])
async def test_after_every_loss_this_process_tells_again_what_it_holds(process, client, lost):
    told = asyncio.Event()

    async def replayer(cell: int) -> None:
        told.set()

    await until(lambda: client.exists(f"{process.cells.prefixes[0]}epoch"))
    process.replayers.append(replayer)
    match lost:
        case "lease":
            client.srem(f"{process.cells.prefixes[0]}processes", process.id)
        case "epoch":
            client.set(f"{process.cells.prefixes[0]}epoch", "another")
        case "connection":
            client.client_kill_filter(_type="normal", skipme=True)
    await asyncio.wait_for(told.wait(), 5)


async def test_a_replay_that_fails_is_repeated(process, client):
    replayer = AsyncMock(side_effect=[StoreUnavailable("away"), None])
    process.replayers.append(replayer)
    client.set(f"{process.cells.prefixes[0]}epoch", "another")
    await until(lambda: replayer.await_count == 2)


async def test_time_is_made_to_act_by_any_process(process, store, client):
    """The lease of another process ends without anybody's doing."""
    other = Process(store, QUICK, PoolSettings())
    await other.start()
    await other.stop()
    prefix = process.cells.prefixes[0]
    client.zadd(f"{prefix}timers", {f"process:{other.id}": 1})
    await until(lambda: not client.sismember(f"{prefix}processes", other.id))


async def test_time_that_stands_still_is_told_once(process, client, caplog):
    key = f"{process.cells.prefixes[0]}timers"
    client.delete(key)
    client.rpush(key, "damage")
    await until(lambda: "ask the doctor" in caplog.text)
    await asyncio.sleep(0.2)
    assert caplog.text.count("ask the doctor") == 1
    client.delete(key)


async def test_a_drain_waits_for_live_jobs(process):
    live = [1]
    process.busy.append(lambda: live[0])
    draining = asyncio.create_task(process.drain(10))
    await until(lambda: process.draining)
    assert not draining.done()
    live[0] = 0
    await asyncio.wait_for(draining, 5)


async def test_a_drain_does_not_wait_for_ever(process):
    process.busy.append(lambda: 1)
    await asyncio.wait_for(process.drain(0.05), 5)


async def test_stoppers_run_while_redis_can_still_be_told(store):
    process, replies = Process(store, QUICK, PoolSettings()), []

    async def stopper() -> None:
        replies.append(await scripts.renew_lease(process.cells, cell=0, process=process.id))

    process.stoppers.append(stopper)
    await process.start()
    await process.stop()
    assert isinstance(replies[0], scripts.Kept)
