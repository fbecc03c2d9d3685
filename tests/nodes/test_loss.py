"""Redis goes away, comes back, or comes back without what it knew: nodes notice nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from jobs.reaper import reap
from lua import scripts
from lua.client import StoreSettings
from lua.mailbox import Assign, Outcome, Placed
from lua.views import job_now, nodes
from tests.harness.loss import forget_everything
from tests.lua.proxy import Proxy
from tests.nodes.caller import Caller
from tests.nodes.conftest import SETTINGS
from tests.nodes.frames import heartbeat, registration, result
from tests.nodes.web import Web
from tests.peers.until import until


@pytest.fixture
async def proxy(store) -> AsyncIterator[Proxy]:
    async with Proxy(store.url) as proxy:
        yield proxy


@pytest.fixture
async def web(store: StoreSettings, proxy) -> AsyncIterator[Web]:
    """Reaches Redis through the proxy; the caller does not."""
    async with Web(replace(store, url=proxy.url), SETTINGS) as web:
        yield web


async def register(peer, name="node-1", **changes) -> None:
    await peer.send(registration(name, **changes))
    await peer.expect("node_register_ack")


async def lease_again(caller: Caller) -> None:
    await scripts.renew_lease(caller.cells, cell=0, process=caller.process)
    await caller.open()


async def test_a_registration_waits_for_redis_and_frames_wait_for_it(web, proxy, caller):
    async with web.peer() as peer:
        await proxy.refuse()
        await peer.send(registration("node-1"))
        await peer.send(heartbeat())
        with pytest.raises(AssertionError):
            await peer.expect("node_register_ack", within_s=0.3)
        await proxy.accept()
        await peer.expect("node_register_ack")
        await caller.dispatch()
        await peer.expect("job_assign")
        assert peer.of_type("error") == []


async def test_a_node_that_leaves_while_redis_is_away_is_not_registered_later(web, proxy, store):
    async with web.peer() as second:
        await proxy.refuse()
        async with web.peer() as first:
            await first.send(registration("node-1"))
            await first.send(heartbeat())
        await second.send(registration("node-1"))
        await proxy.accept()
        await second.expect("node_register_ack")
        await second.send(registration("node-1"))
        await second.expect("node_register_ack")
        assert nodes(store, ["node-1"])["node-1"].state == "ready"


async def test_a_result_that_redis_cannot_take_is_kept_until_it_can(web, proxy, caller):
    async with web.peer() as peer:
        await register(peer)
        reserved = await caller.dispatch()
        await peer.expect("job_assign")
        await proxy.refuse()
        await peer.send(result(reserved.job))
        with pytest.raises(AssertionError):
            await caller.expect(Outcome, within_s=2.5)
        await proxy.accept()
        outcome = await caller.expect(Outcome)
        assert (outcome.state, outcome.attempt) == ("DONE", 1)


async def warm_up(web, peer, caller: Caller) -> None:
    """Redis knows the scripts of a delivery from now on."""
    first = await caller.dispatch()
    await peer.expect("job_assign")
    await peer.send(result(first.job))
    await caller.expect(Outcome)
    caller.messages.clear()
    gone = await scripts.release(
        web.process.cells, cell=0, job=first.job, attempt=1, node="node-1", code="-"
    )
    assert isinstance(gone, scripts.Gone)


async def test_a_job_whose_taking_got_no_answer_is_placed_anew_and_no_try_is_used_up(
    web, proxy, caller
):
    """``take`` has run in Redis, and nobody knows."""
    taking = asyncio.Event()

    def assign(cell: int, message: Assign) -> None:
        if not taking.is_set():
            proxy.stall()
            taking.set()
        web.registry.assign(cell, message)

    async with web.peer() as peer:
        await register(peer)
        await warm_up(web, peer, caller)
        web.process.handle(Assign, assign)
        reserved = await caller.dispatch()
        await taking.wait()
        await caller.expect(Placed, where=lambda m: m.attempt == 2 or m.state == "WAITING")
        proxy.flow()
        assert (await peer.expect("job_assign", job_id=reserved.job))["attempt_id"] == 2
        await peer.send(result(reserved.job))
        assert (await caller.expect(Outcome)).state == "DONE"
        view = await job_now(caller.cells, reserved.job)
        assert view is not None
        assert view.tries == 0
        assert len(peer.of_type("job_assign")) == 2
        assert web.registry.busy == 0


async def test_after_a_loss_the_node_is_there_again_with_what_it_holds(web, caller, store):
    async with web.peer() as peer:
        await register(peer)
        reserved = await caller.dispatch(job := caller.new_job())
        await peer.expect("job_assign")
        forget_everything(store.url, store.prefix)
        await lease_again(caller)
        again = await scripts.restore_job(caller.cells, cell=0, job=job, payload=b"{}")
        assert isinstance(again, scripts.Held | scripts.Claimed)
        await peer.send(result(reserved.job))
        outcome = await caller.expect(Outcome)
        assert (outcome.state, outcome.node, outcome.attempt) == ("DONE", "node-1", 1)
        assert len(peer.of_type("job_assign")) == 1


async def test_a_result_that_comes_before_its_job_is_restored_counts(web, caller, store):
    async with web.peer() as peer:
        await register(peer)
        reserved = await caller.dispatch(job := caller.new_job())
        await peer.expect("job_assign")
        forget_everything(store.url, store.prefix)
        await peer.send(result(reserved.job))
        await lease_again(caller)
        await scripts.restore_job(caller.cells, cell=0, job=job, payload=b"{}")
        assert (await caller.expect(Outcome)).state == "DONE"


async def test_a_heartbeat_finds_out_that_redis_forgot_the_node(web, caller, store):
    async with web.peer() as peer:
        await register(peer)
        forget_everything(store.url, store.prefix)
        await peer.send(heartbeat())
        await lease_again(caller)
        await web.process.ready(0)
        await register(peer)
        await caller.dispatch()
        await peer.expect("job_assign")


async def test_a_cut_connection_loses_no_job_and_brings_none_twice(web, proxy, caller):
    async with web.peer() as peer:
        await register(peer, max_concurrent_jobs=40)
        jobs = set()
        for _ in range(10):
            jobs.add((await caller.dispatch()).job)
            proxy.cut()
            jobs.add((await caller.dispatch()).job)
        got = [(await peer.expect("job_assign"))["job_id"] for _ in jobs]
        assert sorted(got) == sorted(jobs)
        for job in jobs:
            await peer.send(result(job))
            await caller.expect(Outcome, where=lambda m, job=job: m.job == job)
        ends = [m for m in caller.messages if isinstance(m, Outcome)]
        assert {(end.state, end.attempt) for end in ends} == {("DONE", 1)}


async def test_a_process_that_stood_still_brings_its_nodes_back(web, proxy, caller, store):
    """Its lease ends, so its nodes are lost; it says that they are here as soon as it can."""
    async with web.peer() as peer:
        await register(peer)
        reserved = await caller.dispatch()
        await peer.expect("job_assign")
        await proxy.refuse()
        async with reaping(caller):
            await until(lambda: nodes(store, ["node-1"])["node-1"].state == "offline", 15)
        await proxy.accept()
        await peer.send(result(reserved.job))
        assert (await caller.expect(Outcome)).state == "DONE"
        for _ in range(2):
            await web.registry.replay(0)
        await caller.dispatch(deadline_ms=5_000)
        await peer.expect("job_assign")


@asynccontextmanager
async def reaping(caller: Caller) -> AsyncIterator[None]:
    """Somebody else's reaper."""
    task = asyncio.create_task(reap(caller.cells, 0, pause_ms=50, limit=16))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
