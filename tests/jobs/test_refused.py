"""Utterances that make no job, of sessions that go on at another process before it was told."""

import asyncio
from contextlib import contextmanager
from dataclasses import replace

import pytest

from jobs.failures import Failure
from lua import scripts, views
from lua.errors import StoreUnavailable
from nodes.settings import NodeSettings
from tests.harness.actors import hand_node, hand_session
from tests.harness.books import job_of, life_of
from tests.harness.web import Web
from tests.jobs.coming_back import RESUME, redis_forgets
from tests.jobs.test_streams import NOISE
from tests.peers.until import until

ALL = {"accepts": ["resume", "errors"]}


@pytest.fixture
def untaken(monkeypatch):
    """While the block runs, Redis takes no refusal."""

    async def unanswered(*args, **given):
        raise StoreUnavailable("no answer")

    @contextmanager
    def away():
        with monkeypatch.context() as patch:
            patch.setattr(scripts, "refuse_job", unanswered)
            yield

    return away


async def damaged(web, ben):
    await ben.streams(NOISE)


async def unsuited(web, ben):
    await ben.says(audio="AAAA", audio_format="pcm16", sample_rate=8_000)


async def meaningless(web, ben):
    await ben.says(src_lang="not a language")


async def unserved(web, ben):
    await ben.says(src_lang="de", tgt_lang="fr")


async def impatient(web, ben):
    await ben.says(deadline_ms=0)


async def another_of_its_name(web, ben):
    await ben.says(request_id="r-0", tgt_lang="zh-Hant")


async def too_many(web, ben):
    web.process.settings = replace(web.process.settings, unfinished_jobs=1)
    await ben.says()


async def too_late(web, ben):
    web.process.draining = True
    await ben.says()


LANGUAGES = {
    meaningless: ("not a language", "zh"),
    unserved: ("de", "fr"),
    another_of_its_name: ("en", "zh-Hant"),
}
FAILURE = Failure("INVALID_MESSAGE")
REFUSED = {
    damaged: "INVALID_MESSAGE",
    unsuited: "UNSUPPORTED_FEATURE",
    meaningless: "INVALID_MESSAGE",
    unserved: "NO_CAPABLE_NODE",
    impatient: "NO_AVAILABLE_NODE",
    another_of_its_name: "INVALID_MESSAGE",
    too_many: "NODE_OVERLOADED",
    too_late: "SCHEDULER_DEPENDENCY_DOWN",
}


async def refusal(ben, index=1):
    """It is decided, and told as an event at once; its answer waits for its turn."""
    return await ben.peer.expect("ui_event", event="ERROR", utterance_index=index)


def error_of(ben):
    [error] = ben.peer.of_type("error")
    return error


@pytest.mark.parametrize("refused", REFUSED, ids=lambda refused: refused.__name__)
async def test_it_is_answered_in_its_turn_at_another_process(
    web, other, node, session, back, refused
):
    anna, old = await node(slots=1), await session(**ALL)
    await old.says(request_id="r-0")
    job = await anna.job()
    await refused(web, old)
    event = await refusal(old)
    ben = await back(old, to=other, **ALL)
    await anna.answers(job, "zero")
    first, second = [await ben.hears() for _ in range(2)]
    assert (first["utterance_index"], first["text_translated"]) == (0, "zero")
    assert (second["utterance_index"], second["reason"]) == (1, "job_failed")
    assert second["code"] == REFUSED[refused]
    assert error_of(ben) == error_of(old)
    assert life_of(web.store, event["job_id"]) == "NEW SELECTING FAILED"
    view = job_of(web.store, event["job_id"])
    assert (view.src, view.tgt) == LANGUAGES.get(refused, ("en", "zh"))
    assert view.breakdown == error_of(ben)["details"].get("breakdown", {})
    assert bool(view.breakdown) == (refused in (unserved, impatient))
    await ben.says(utterance_index=2)
    await anna.answers(await anna.job(), "two")
    assert (await ben.hears())["text_translated"] == "two"
    assert len(ben.outcomes) == 3


async def has_recorded(web, job):
    await until(lambda: life_of(web.store, job) == "NEW SELECTING FAILED")


async def test_who_says_what_it_has_gets_the_rest(web, other, node, session, back):
    anna, ben = await node(), await session(**RESUME)
    await ben.says()
    await anna.answers(await anna.job(), "zero")
    await ben.hears()
    await ben.says()
    job = await anna.job()
    for _ in range(2):
        await ben.streams(NOISE)
        await ben.streams(final=True)
        await asyncio.sleep(0.3)
    await refusal(ben, 3)
    ben = await back(ben, to=other, last_utterance_index=0)
    await anna.answers(job, "one")
    assert [(await ben.hears())["utterance_index"] for _ in range(3)] == [1, 2, 3]
    carl = await back(ben, to=web, last_utterance_index=2)
    assert (await carl.hears())["utterance_index"] == 3


async def test_what_redis_did_not_take_is_told_again_by_the_replay(
    web, other, node, session, back, untaken
):
    anna, ben = await node(), await session(**RESUME)
    await ben.says()
    job = await anna.job()
    with untaken():
        await damaged(web, ben)
        refused = await refusal(ben)
    web.process.suspect(0)
    await has_recorded(web, refused["job_id"])
    await until(lambda: not web.process.sessions.get(ben.id).refusals)
    ben = await back(ben, to=other)
    await anna.answers(job, "zero")
    assert [(await ben.hears())["type"] for _ in range(2)] == [
        "translation_result",
        "missing_result",
    ]


async def test_what_redis_did_not_take_is_told_by_a_process_that_shuts_down(
    other, stage, store, jobs, back, untaken
):
    async with Web(store, jobs, NodeSettings()) as brief:
        joining = hand_session(brief.session_url, "en", "zh", **RESUME)
        ben = await stage.enter_async_context(joining)
        anna = await stage.enter_async_context(
            hand_node(other.node_url, "anna", languages=["en", "zh"], slots=1)
        )
        await ben.says()
        job = await anna.job()
        with untaken():
            await damaged(brief, ben)
            await refusal(ben)
    ben = await back(ben, to=other)
    await anna.answers(job, "zero")
    assert [(await ben.hears())["utterance_index"] for _ in range(2)] == [0, 1]


async def test_what_redis_did_not_take_is_told_as_its_session_moves(
    web, other, node, session, back, untaken
):
    """Before a replay: that tells only of the sessions that are there still."""
    anna, ben = await node(), await session(**RESUME)
    await ben.says()
    job = await anna.job()
    with untaken():
        await damaged(web, ben)
        await refusal(ben)
    ben = await back(ben, to=other)
    await anna.answers(job, "zero")
    assert [(await ben.hears())["utterance_index"] for _ in range(2)] == [0, 1]


async def test_no_more_is_kept_for_the_replay_than_redis_keeps(web, session, untaken):
    ben = await session(**RESUME)
    live = web.process.sessions.get(ben.id)
    with untaken():
        for index in range(405):
            live.intake.unheard(live.intake.begin(), replace(FAILURE, message=str(index)))
        assert len(live.refusals) == 400


@pytest.mark.parametrize("refused", [damaged, impatient], ids=["unheard", "unplaced"])
async def test_one_that_comes_to_redis_after_the_session_has_moved_is_answered(
    web, other, node, session, back, monkeypatch, refused
):
    anna, ben = await node(slots=1), await session(**RESUME)
    await ben.says()
    job = await anna.job()
    name = "refuse_job" if refused is damaged else "dispatch"
    real, moved, came = getattr(scripts, name), asyncio.Event(), asyncio.Event()

    async def slowly(*args, **given):
        came.set()
        await moved.wait()
        return await real(*args, **given)

    monkeypatch.setattr(scripts, name, slowly)
    await refused(web, ben)
    await came.wait()
    ben = await back(ben, to=other)
    moved.set()
    await anna.answers(job, "zero")
    told = [await ben.hears() for _ in range(2)]
    assert [one["utterance_index"] for one in told] == [0, 1]
    assert told[1]["code"] == REFUSED[refused]


async def test_one_that_redis_could_not_be_asked_of_at_first_is_answered(
    web, other, node, session, back, monkeypatch
):
    """It had come to Redis too late to be found."""
    anna, ben = await node(), await session(**RESUME)
    await ben.says()
    job = await anna.job()
    jobs_of, job_now, asked = views.session_jobs, views.job_now, []

    async def too_early(cells, name):
        return replace(await jobs_of(cells, name), live=[])

    async def at_the_second_time(cells, name):
        asked.append(name)
        if len(asked) == 1:
            raise StoreUnavailable("no answer")
        return await job_now(cells, name)

    monkeypatch.setattr(views, "session_jobs", too_early)
    monkeypatch.setattr(views, "job_now", at_the_second_time)
    ben = await back(ben, to=other)
    await anna.answers(job, "zero")
    assert (await ben.hears())["text_translated"] == "zero"
    assert asked == [job["job_id"]] * 2


@pytest.mark.parametrize("refused", [True, False], ids=["refused", "done"])
async def test_an_answer_that_waits_for_its_turn_survives_a_loss_of_redis_and_a_move(
    web, other, node, session, back, refused
):
    anna, ben = await node(), await session(**RESUME)
    await ben.says()
    first = await anna.job()
    if refused:
        await damaged(web, ben)
        name = (await refusal(ben))["job_id"]
        await has_recorded(web, name)
    else:
        await ben.says()
        job = await anna.job()
        name = job["job_id"]
        await anna.answers(job, "one")
        await until(lambda: not web.process.sessions.get(ben.id).unfinished.get(name))
    redis_forgets(web, other)
    await has_recorded(web, name)
    ben = await back(ben, to=other)
    await anna.answers(first, "zero")
    told = [await ben.hears() for _ in range(2)]
    assert [one["utterance_index"] for one in told] == [0, 1]
    assert told[1]["code"] == ("INVALID_MESSAGE" if refused else "STATE_LOST")


async def test_one_that_ends_while_the_session_is_taken_in_and_was_not_found_is_answered(
    web, other, node, session, back, monkeypatch
):
    """It came to Redis just after it was asked."""
    anna, ben = await node(), await session(**RESUME)
    await ben.says()
    job = await anna.job()
    real = views.session_jobs

    async def too_early(cells, name):
        past = replace(await real(cells, name), live=[])
        await anna.answers(job, "zero")
        live = other.process.sessions.get(name)
        await until(lambda: live.progress._ended_early)
        return past

    monkeypatch.setattr(views, "session_jobs", too_early)
    ben = await back(ben, to=other)
    assert (await ben.hears())["text_translated"] == "zero"


async def test_a_stream_takes_no_number_of_one_that_came_from_elsewhere_later(
    web, other, node, session, back, monkeypatch
):
    """Its session had moved on when Redis heard of it, and speaks again."""
    anna, ben = await node(), await session(**RESUME)
    real, moved, came = scripts.dispatch, asyncio.Event(), asyncio.Event()

    async def slowly(*args, **given):
        came.set()
        await moved.wait()
        return await real(*args, **given)

    monkeypatch.setattr(scripts, "dispatch", slowly)
    await ben.says()
    await came.wait()
    monkeypatch.setattr(scripts, "dispatch", real)
    raw = {"audio_format": "pcm16", "sample_rate": 16_000}
    ben = await back(ben, to=other, **raw)
    await ben.streams(b"\1\0" * 1_600)
    await ben.peer.expect("ui_event", event="INPUT_STARTED", utterance_index=0)
    moved.set()
    await anna.answers(await anna.job(), "from elsewhere")
    assert (await ben.hears())["utterance_index"] == 0
    await ben.streams(final=True)
    await ben.peer.expect("ui_event", event="INPUT_ENDED", utterance_index=1)
    await anna.answers(await anna.job(), "said here")
    heard = await ben.hears()
    assert (heard["utterance_index"], heard["text_translated"]) == (1, "said here")
