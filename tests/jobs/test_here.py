"""A session and a node of one process: their jobs and results do not wait for the mailbox."""

import asyncio

import pytest

from lua import scripts
from lua.mailbox import Assign
from pools.routes import Route
from tests.peers.until import until


@pytest.fixture
async def deaf(web):
    """The process hears nothing from its mailboxes."""
    web.process.mailroom._hand_over = lambda cell, message: None


async def test_a_job_and_its_result_need_no_mailbox(deaf, node, session):
    anna, ben = await node(), await session()
    await ben.says()
    await anna.answers(await anna.job(), "你好")
    assert (await ben.hears())["text_translated"] == "你好"
    await ben.says()
    await anna.fails(await anna.job(), "INVALID_AUDIO")
    assert (await ben.hears())["code"] == "INVALID_AUDIO"


async def test_its_frames_keep_the_order_of_the_utterances(node, session):
    anna, ben = await node(slots=4), await session()
    for _ in range(6):  # two of them wait, and come by the mailbox
        await ben.says()
    indexes = []
    for _ in range(6):
        job = await anna.job()
        indexes.append(job["utterance_index"])
        await anna.answers(job, "…")
    assert indexes == list(range(indexes[0], indexes[0] + 6))
    assert [(await ben.hears())["utterance_index"] for _ in range(6)] == list(range(6))


async def test_nothing_overtakes_what_comes_by_the_mailbox(web, node, session, monkeypatch):
    anna, ben = await node(slots=2), await session()
    for _ in range(3):  # the third one waits
        await ben.says()
    working = [await anna.job(), await anna.job()]
    await ben.peer.expect("backpressure")
    mailroom, late = web.process.mailroom, []
    real = mailroom._hand_over
    monkeypatch.setattr(mailroom, "_hand_over", lambda *message: late.append(message))
    for job in working:
        await anna.answers(job, "…")
        await ben.hears()
    await ben.says()
    await until(lambda: sum(isinstance(message, Assign) for _, message in late) == 2)
    monkeypatch.setattr(mailroom, "_hand_over", real)
    for message in late:
        real(*message)
    assert [(await anna.job())["session_utterance_index"] for _ in range(2)] == [2, 3]


async def test_a_partial_text_is_not_overtaken_by_its_result(node, session):
    anna, ben = await node(), await session()
    await ben.says()
    job = await anna.job()
    await anna.acks(job)
    await anna.hears_so_far(job, "你")
    await anna.answers(job, "你好")
    await ben.hears()
    kinds = [frame.get("event") or frame["type"] for frame in ben.peer.frames]
    order = ["NODE_ACCEPTED", "ASR_PARTIAL", "asr_partial", "NMT_DONE", "translation_result"]
    assert [kind for kind in kinds if kind in order] == order


async def test_a_replay_does_not_lose_a_job_that_is_just_being_placed(
    web, node, session, monkeypatch
):
    anna, ben = await node(slots=1), await session()
    real = scripts.dispatch

    async def reply_late(cells, **given):
        reply = await real(cells, **given)
        await web.registry.replay(0)
        await asyncio.sleep(0.3)  # the reaper looks every 50 ms
        return reply

    monkeypatch.setattr(scripts, "dispatch", reply_late)
    await ben.says()
    job = await anna.job()
    assert job["attempt_id"] == 1
    await anna.answers(job, "你好")
    assert (await ben.hears())["text_translated"] == "你好"


async def test_what_a_session_said_before_it_ended_is_not_sent(web, node, session, monkeypatch):
    anna, ben = await node(slots=1), await session()
    real = scripts.dispatch

    async def reply_late(cells, **given):
        reply = await real(cells, **given)
        await until(lambda: web.process.sessions.get(ben.id) is None)
        return reply

    # A process that does not know the pool yet reads on only after the reply.
    await until(lambda: web.process.snapshot.cells_serving(Route("en", "zh")))
    monkeypatch.setattr(scripts, "dispatch", reply_late)
    await ben.says()
    await ben.ends()
    monkeypatch.setattr(scripts, "dispatch", real)
    mary = await session()
    await mary.says()
    await anna.answers(await anna.job(), "你好")
    assert (await mary.hears())["text_translated"] == "你好"
    assert len(anna.jobs) == 1


async def test_a_job_that_nobody_waits_for_does_not_hold_up_a_drain(web, node, session):
    anna, ben = await node(), await session()
    await ben.says()
    await anna.job()
    await ben.ends()
    await anna.peer.expect("job_cancel")
    assert web.registry.busy == 0
    await asyncio.wait_for(web.process.drain(10), 2)


async def test_a_job_for_a_connection_that_has_just_ended_goes_to_another_node(
    web, node, session, monkeypatch
):
    anna, ben = await node("anna"), await session()
    real, came = scripts.dispatch, asyncio.Event()

    async def reply_late(cells, **given):
        reply = await real(cells, **given)
        came.set()
        await until(lambda: "carl" in web.registry.holdings and len(web.registry) == 1)
        return reply

    monkeypatch.setattr(scripts, "dispatch", reply_late)
    await ben.says()
    await came.wait()
    carl = await node("carl")
    anna.vanishes()
    job = await carl.job()
    assert job["attempt_id"] == 2
    await carl.answers(job, "你好")
    assert (await ben.hears())["text_translated"] == "你好"
