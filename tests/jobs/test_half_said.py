"""Speech that was being said, over a stream, when its connection broke or its client came back."""

import asyncio

import pytest

from lua import scripts
from lua.errors import StoreUnavailable
from tests.harness.actors import hand_session
from tests.harness.frames import opus
from tests.harness.relay import Relay
from tests.jobs.coming_back import RESUME, answered, heard, vanished
from tests.jobs.test_streams import cut_of, settings, sound_of
from tests.peers.until import until

HALF, NEXT = opus(9), opus(7, start=50)
BROKEN = ["is_timeout_triggered"]


@pytest.fixture
def jobs():
    return settings()


@pytest.fixture
async def way(stage, web):
    """To the process; while it ``loses`` what comes back, nobody there is told of a close."""
    return await stage.enter_async_context(Relay(web.session_url))


@pytest.fixture
async def ben(stage, way):
    joining = hand_session(way.url, "en", "zh", **RESUME)
    return await stage.enter_async_context(joining)


async def half_said(ben):
    """It is being said, and the server has heard so much of it."""
    await ben.streams(HALF)
    await ben.peer.expect("ui_event", event="INPUT_STARTED")


def what(job):
    return sound_of(job), cut_of(job), job["session_utterance_index"]


@pytest.mark.parametrize("accepts", [["resume"], []], ids=["resumes", "declines"])
@pytest.mark.parametrize("breaks", [True, False], ids=["broken", "half open"])
async def test_it_is_an_utterance_before_what_comes_over_the_next_socket(
    web, node, ben, way, back, accepts, breaks
):
    anna = await node()
    await answered(anna, ben, "zero")
    await half_said(ben)
    way.loses = True
    if breaks:
        await vanished(ben, web)
    ben = await back(ben, last_utterance_index=0, accepts=accepts)
    await ben.streams(NEXT, final=True)
    first, second = await anna.job(), await anna.job()
    assert what(first) == (HALF, BROKEN, 1)
    assert what(second) == (NEXT, ["is_manual_cut"], 2)
    await anna.answers(second, "two")
    await anna.answers(first, "one")
    assert [(await ben.hears())["text_translated"] for _ in range(2)] == ["one", "two"]
    assert web.process.streams.used == 0


async def test_it_comes_first_though_the_old_socket_can_not_even_be_closed(
    web, node, ben, back, monkeypatch
):
    """Its buffers are full: nobody is there to read."""
    anna, reads = await node(), asyncio.Event()
    await half_said(ben)
    old = web.process.sessions.get(ben.id).line._wire.outbox
    send = old._send

    async def late(message):
        await reads.wait()
        await send(message)

    monkeypatch.setattr(old, "_send", late)
    ben = await back(ben)
    await ben.streams(NEXT, final=True)
    first, second = await anna.job(), await anna.job()
    assert (what(first)[0], what(first)[2]) == (HALF, 0)
    assert (what(second)[0], what(second)[2]) == (NEXT, 1)
    reads.set()


async def test_the_process_that_it_was_said_to_has_it_done_for_the_next(
    other, node, ben, way, back
):
    anna = await node()
    await answered(anna, ben, "zero")
    await half_said(ben)
    way.loses = True
    ben = await back(ben, to=other, last_utterance_index=0)
    job = await anna.job()
    assert what(job) == (HALF, BROKEN, 1)
    await anna.answers(job, "one")
    told = await ben.hears()
    assert (told["utterance_index"], told["text_translated"]) == (1, "one")
    await ben.streams(NEXT, final=True)
    await anna.answers(await anna.job(), "two")
    assert (await ben.hears())["utterance_index"] == 2


async def test_or_has_the_next_say_that_nobody_takes_it(other, ben, way, back):
    await half_said(ben)
    way.loses = True
    missing = await (await back(ben, to=other)).hears()
    assert (missing["utterance_index"], missing["reason"]) == (0, "job_failed")


async def test_one_that_declined_and_was_heard_has_spoken_in_vain(web, node, ben, session, back):
    """Its session ends with its socket."""
    anna = await node()
    await vanished(ben, web)
    ben = await back(ben, accepts=[])
    await heard(ben)
    await half_said(ben)
    ben.peer.vanish()
    await until(lambda: web.process.sessions.get(ben.id) is None)
    assert web.process.streams.used == 0
    carl = await session()
    await carl.streams(NEXT, final=True)
    assert sound_of(await anna.job()) == NEXT


@pytest.mark.parametrize("redis_is", ["there", "away"])
async def test_what_nobody_takes_is_refused_when_the_client_is_back(
    web, ben, back, monkeypatch, redis_is
):
    await half_said(ben)
    dispatch = scripts.dispatch
    if redis_is == "away":

        async def in_vain(*args, **given):
            raise StoreUnavailable("away")

        monkeypatch.setattr(scripts, "dispatch", in_vain)
    await vanished(ben, web)
    await until(lambda: not web.process.sessions.get(ben.id).unfinished)
    monkeypatch.setattr(scripts, "dispatch", dispatch)
    missing = await (await back(ben)).hears()
    assert (missing["utterance_index"], missing["reason"]) == (0, "job_failed")


async def test_damaged_speech_is_refused_when_the_client_is_back(web, node, ben, back):
    anna = await node()
    await ben.streams(HALF[:-1])
    await ben.peer.expect("ui_event", event="INPUT_STARTED")
    ben = await back(ben)
    missing = await ben.hears()
    assert (missing["utterance_index"], missing["code"]) == (0, "INVALID_MESSAGE")
    assert not anna.jobs
