"""Redis goes away and comes back, even with nothing left in it: sockets stay, work goes on."""

import time

import pytest

from lua import views
from lua.client import StoreSettings
from lua.states import JobState
from tests.harness.actors import HELLO
from tests.peers.agent import Agent
from tests.peers.until import until
from tests.walkthrough.conftest import LIMITS

RESTORED_S = 2.0
INDEX_TICK_S = 0.1  # a node's indexes begin at the time, and nobody speaks faster than this


@pytest.fixture
def store(valkey, prefix):
    return StoreSettings(url=valkey.url, prefix=prefix, limits=LIMITS)


async def away_and_back(valkey):
    await valkey.stop()
    await valkey.start()


async def flushed(valkey):
    valkey.flush()


@pytest.fixture(params=[away_and_back, flushed], ids=["stopped and started", "flushed"])
def disturb(request, valkey):
    """``await disturb()``: what happens to Redis."""
    return lambda: request.param(valkey)


def state(parley, job):
    view = views.job(parley.store, job["job_id"])
    return view and view.state


async def test_what_runs_goes_on_under_the_same_id(disturb, parley, node, session):
    anna, ben = await node("anna"), await session("en", "zh")
    await ben.says()
    job = await anna.job()

    await disturb()

    await until(lambda: state(parley, job) is JobState.DISPATCHED, within_s=RESTORED_S)
    await anna.answers(job, "你好")
    assert (await ben.hears())["text_translated"] == "你好"
    assert (len(anna.jobs), len(ben.outcomes)) == (1, 1)


async def test_what_waits_is_placed_under_the_same_id(disturb, parley, node, session):
    anna = await node("anna", slots=1)
    ben, mia = await session("en", "zh"), await session("en", "zh")
    await ben.says()
    first = await anna.job()
    await mia.says()
    await mia.peer.expect("backpressure")

    await disturb()
    await until(lambda: state(parley, first) is JobState.DISPATCHED, within_s=RESTORED_S)

    await anna.answers(first, "for ben")
    second = await anna.job()
    await anna.answers(second, "for mia")
    assert (await ben.hears())["text_translated"] == "for ben"
    assert (await mia.hears())["job_id"] == second["job_id"]
    assert len(anna.jobs) == 2


async def test_the_same_sockets_serve_on(disturb, parley, node, session):
    anna, ben = await node("anna"), await session("en", "zh")
    await disturb()
    await until(lambda: "anna" in views.nodes(parley.store, ["anna"]), within_s=RESTORED_S)
    await ben.says()
    await anna.answers(await anna.job(), "你好")
    assert (await ben.hears())["text_translated"] == "你好"
    assert len(anna.peer.of_type("node_register_ack")) == 1


async def test_both_processes_tell_it_what_they_hold(disturb, two_processes, node, session):
    here, there = two_processes
    anna, ben = await node("anna", at=here), await session("en", "zh", at=there)
    await ben.says()
    job = await anna.job()
    await disturb()
    await until(lambda: state(here, job) is JobState.DISPATCHED, within_s=RESTORED_S)
    await anna.answers(job, "你好")
    assert (await ben.hears())["job_id"] == job["job_id"]


async def test_an_answer_that_comes_while_it_is_away_is_kept(valkey, parley, node, session):
    anna, ben = await node("anna"), await session("en", "zh")
    await ben.says()
    job = await anna.job()
    await valkey.stop()
    await anna.answers(job, "你好")
    await valkey.start()
    assert (await ben.hears(within_s=RESTORED_S))["text_translated"] == "你好"


async def test_an_answer_that_comes_right_after_the_loss_counts(valkey, parley, node, session):
    anna, ben = await node("anna"), await session("en", "zh")
    await ben.says()
    job = await anna.job()
    valkey.flush()
    await anna.answers(job, "你好")
    assert (await ben.hears())["text_translated"] == "你好"
    assert len(ben.outcomes) == 1


async def test_what_is_said_right_after_the_loss_is_answered(valkey, node, session):
    anna, ben = await node("anna", slots=3), await session("en", "zh")
    await ben.says()
    await anna.answers(await anna.job(), "0")
    await ben.hears()

    valkey.flush()

    for _ in range(3):
        await ben.says()
    for _ in range(3):
        job = await anna.job()
        await anna.answers(job, f"{job['session_utterance_index']}")
    assert [(await ben.hears())["text_translated"] for _ in range(3)] == list("123")


async def test_while_it_is_away_nothing_new_is_accepted(valkey, node, session):
    anna, ben = await node("anna"), await session("en", "zh")
    await valkey.stop()
    await ben.says(HELLO)
    refusal = await ben.hears()
    assert (refusal["reason"], refusal["code"]) == ("job_failed", "SCHEDULER_DEPENDENCY_DOWN")
    await valkey.start()
    assert anna.jobs == []


async def test_an_agent_gets_no_index_twice(valkey, parley, stage, session):
    # After the loss it waits out the gap between the indexes, once.
    agent = await stage.enter_async_context(Agent(parley.node_url, node_id="old", pace=0.02))
    ben = await session("en", "zh")
    await ben.says()
    await ben.hears()
    began_s = time.monotonic()
    await until(lambda: time.monotonic() > began_s + INDEX_TICK_S)

    valkey.flush()
    await until(lambda: "old" in views.nodes(parley.store, ["old"]), within_s=RESTORED_S)
    await ben.says()

    assert (await ben.hears())["type"] == "translation_result"
    assert agent.refused == []
    assert agent.jobs[0]["utterance_index"] < agent.jobs[1]["utterance_index"]
