"""While every node is busy a job waits, and whoever has the earliest deadline is served first."""

from dataclasses import replace

import pytest

from lua.states import Overload
from nodes.settings import NodeSettings
from tests.harness.books import life_of
from tests.harness.web import Web
from tests.walkthrough.conftest import JOBS, LIMITS


async def test_a_waiting_job_gets_the_next_free_slot(parley, node, session):
    anna, ben = await node("anna", slots=1), await session("en", "zh")
    await ben.says()
    await ben.says()

    first = await anna.job()
    await ben.peer.expect("backpressure", action="PAUSE")
    assert len(anna.jobs) == 1
    await anna.answers(first, "one")

    second = await anna.job()
    await anna.answers(second, "two")
    assert [(await ben.hears())["text_translated"] for _ in range(2)] == ["one", "two"]
    assert "WAITING" in life_of(parley.store, second["job_id"])


async def test_nobody_overtakes(node, session):
    anna = await node("anna", slots=1)
    speakers = [await session("en", "zh") for _ in range(3)]
    await speakers[0].says()
    running = await anna.job()
    for speaker in speakers[1:]:
        await speaker.says()
        await speaker.peer.expect("backpressure")

    for speaker in speakers:
        await anna.answers(running, f"for {running['session_id']}")
        assert (await speaker.hears())["text_translated"] == f"for {speaker.id}"
        if speaker is not speakers[-1]:
            running = await anna.job()


async def test_a_priority_moves_a_job_forward(node, session):
    anna = await node("anna", slots=1)
    ben, mia, zoe = [await session("en", "zh") for _ in range(3)]
    await ben.says()
    running = await anna.job()
    await mia.says()
    await mia.peer.expect("backpressure")
    await zoe.says(priority=1)  # as if she had come 4 s earlier
    await zoe.peer.expect("backpressure")

    served = []
    for _ in range(2):
        await anna.answers(running, "next, please")
        running = await anna.job()
        served.append(running["session_id"])
    assert served == [zoe.id, mia.id]
    await anna.answers(running, "all done")


async def test_who_may_not_wait_hears_when_to_come_back(node, session):
    anna, ben = await node("anna", slots=1), await session("en", "zh")
    for _ in range(3):  # anna's pool learns how long a slot is taken
        await ben.says()
        await anna.answers(await anna.job(), "quickly")
        await ben.hears()
    await ben.says()
    running = await anna.job()

    mia = await session("en", "zh")
    await mia.says(deadline_ms=0)
    refusal = await mia.hears()
    assert refusal["code"] == "NO_AVAILABLE_NODE"
    assert 0 < refusal["details"]["retry_after_ms"] < 5_000
    await anna.answers(running, "done")


@pytest.fixture
async def small(stage, store):
    """A web process that lets five jobs wait in a queue, two of each session."""
    limits = replace(LIMITS, queue_jobs=5, session_jobs=2)
    return await stage.enter_async_context(Web(replace(store, limits=limits), JOBS, NodeSettings()))


async def test_a_queue_that_fills_up_slows_its_sessions_down(small, node, session):
    """Those that accept it hear each step; others are only ever asked to pause."""
    anna = await node("anna", at=small, slots=1)
    ben = await session("en", "zh", at=small, accepts=["backpressure"])
    await ben.says()
    running = await anna.job()
    await ben.says()
    await ben.peer.expect("backpressure", action="SLOW_DOWN")

    others = [await session("en", "zh", at=small) for _ in range(3)]
    for other in others:
        await other.says()
        pause = await other.peer.expect("backpressure")
        assert (pause["action"], pause["resume_after_ms"]) == ("PAUSE", JOBS.pause_ms)
    await ben.peer.expect("backpressure", action="BUSY")
    await ben.peer.expect("backpressure", action="PAUSE")

    await anna.answers(running, "one")
    for speaker in (ben, *others):
        await anna.answers(await anna.job(), f"for {speaker.id}")
    assert [frame["action"] for frame in ben.peer.of_type("backpressure")][:3] == [
        "SLOW_DOWN",
        "BUSY",
        "PAUSE",
    ]


async def test_nobody_fills_a_queue_alone(small, node, session):
    anna, ben = await node("anna", at=small, slots=1), await session("en", "zh", at=small)
    for _ in range(4):
        await ben.says()
    running = await anna.job()
    for _ in range(3):
        await anna.answers(running, "…")
        running = await anna.job() if len(anna.jobs) < 3 else running
    outcomes = [await ben.hears() for _ in range(4)]
    refused = outcomes.pop()
    assert [one["type"] for one in outcomes] == ["translation_result"] * 3
    assert refused["code"] == "NODE_OVERLOADED"
    assert refused["details"]["reason"] == Overload.SESSION_FULL


async def test_a_node_that_comes_later_takes_what_waits(node, session):
    anna, ben = await node("anna", slots=1), await session("en", "zh")
    await ben.says()
    await ben.says()
    await ben.peer.expect("backpressure")
    mary = await node("mary", slots=1)
    await mary.answers(await mary.job(), "from mary")
    await anna.answers(await anna.job(), "from anna")
    answers = [(await ben.hears())["text_translated"] for _ in range(2)]
    assert answers == ["from anna", "from mary"]


async def test_nobody_waits_for_ever(node, session):
    anna, ben, mia = (
        await node("anna", slots=1),
        await session("en", "zh"),
        await session("en", "zh"),
    )
    await ben.says()
    await anna.job()
    await mia.says()
    refusal = await mia.hears()
    assert (refusal["reason"], refusal["code"]) == ("job_failed", "QUEUE_TIMEOUT")
    assert refusal["details"]["breakdown"] == {"capacity_exceeded": 1}
