"""Sessions that go on over another socket."""

import asyncio
from dataclasses import replace

import pytest
import redis

from jobs.progress import Progress
from jobs.settings import JobSettings
from lua import scripts, views
from lua.client import StoreSettings
from lua.limits import Limits
from lua.mailbox import Moved
from nodes.settings import NodeSettings
from tests.harness.actors import hand_node, hand_session
from tests.harness.web import Web
from tests.jobs.coming_back import RESUME, answered, heard, redis_forgets, refused, vanished
from tests.peers.until import until


async def test_only_who_accepts_it_gets_a_token(session):
    assert (await session()).token is None
    ben = await session(**RESUME)
    assert ben.token.startswith(f"{ben.id}.")


async def test_what_was_answered_meanwhile_comes_in_order(web, node, session, back):
    anna, ben = await node(), await session(**RESUME)
    for _ in range(3):
        await ben.says()
    jobs = [await anna.job() for _ in range(3)]
    await vanished(ben, web)
    for job, text in reversed(list(zip(jobs, ("one", "two", "three"), strict=True))):
        await anna.answers(job, text)
    ben = await back(ben)
    assert [(await ben.hears())["text_translated"] for _ in range(3)] == ["one", "two", "three"]
    await ben.says()
    await anna.answers(await anna.job(), "four")
    assert (await ben.hears())["utterance_index"] == 3


async def test_a_job_that_goes_on_is_answered_over_the_new_socket(web, node, session, back):
    anna, ben = await node(), await session(**RESUME)
    await ben.says()
    job = await anna.job()
    await vanished(ben, web)
    ben = await back(ben)
    await anna.acks(job)
    await anna.hears_so_far(job, "so far")
    assert (await ben.peer.expect("asr_partial"))["text"] == "so far"
    await anna.answers(job, "one")
    assert (await ben.hears())["text_translated"] == "one"


async def test_a_client_that_says_what_it_has_gets_nothing_twice(web, node, session, back):
    anna, ben = await node(), await session(**RESUME)
    await answered(anna, ben, "one", "two", "three")
    await vanished(ben, web)
    ben = await back(ben, last_utterance_index=1)
    assert (await ben.hears())["text_translated"] == "three"
    await answered(anna, ben, "four")
    assert [one["text_translated"] for one in ben.outcomes] == ["three", "four"]


async def test_a_client_that_does_not_say_what_it_has_gets_it_again(web, node, session, back):
    anna, ben = await node(), await session(**RESUME)
    await answered(anna, ben, "one", "two")
    await vanished(ben, web)
    ben = await back(ben)
    assert [(await ben.hears())["text_translated"] for _ in range(2)] == ["one", "two"]


async def test_an_utterance_sent_again_is_answered_once(web, node, session, back):
    anna, ben = await node(), await session(**RESUME)
    await ben.says(request_id="r-0")
    await ben.says()
    first, second = await anna.job(), await anna.job()
    await anna.answers(first, "one")
    await ben.hears()
    await vanished(ben, web)
    ben = await back(ben, last_utterance_index=0)
    await ben.says(request_id="r-0", utterance_index=0)
    await ben.says(utterance_index=1)
    await anna.answers(second, "two")
    assert (await ben.hears())["utterance_index"] == 1
    await answered(anna, ben, "three")
    assert len(anna.jobs) == 3
    assert len(ben.outcomes) == 2


async def test_a_socket_that_only_seems_open_gives_way(web, node, session, back):
    anna, ben = await node(), await session(**RESUME)
    await ben.says()
    old, job = ben, await anna.job()
    ben = await back(old)
    assert await old.peer.closed() == 4409
    await anna.answers(job, "one")
    assert (await ben.hears())["text_translated"] == "one"
    assert old.outcomes == []
    assert not web.process.sessions.get(ben.id).away


async def test_each_token_is_good_for_one_return_after_which_its_client_is_heard(
    web, other, session, back
):
    first = await session(**RESUME)
    await vanished(first, web)
    second = await back(first)
    assert second.token not in (None, first.token)
    await heard(second)
    await refused(web.session_url, resume_token=first.token, **RESUME)
    await refused(other.session_url, resume_token=first.token, **RESUME)
    await vanished(second, web)
    await back(second)


async def test_a_client_may_decline_to_come_back_once_more(web, session, back):
    ben = await session(**RESUME)
    await vanished(ben, web)
    last = await back(ben, accepts=[])
    assert last.token is None
    await heard(last)
    last.peer.vanish()
    await until(lambda: web.process.sessions.get(ben.id) is None)


@pytest.mark.parametrize(
    "token", ["", "x", "s-00000001", "s-00000001." + "x" * 32, "s-" + "0" * 99]
)
async def test_what_is_no_token_is_refused(web, token):
    await refused(web.session_url, resume_token=token, **RESUME)


async def test_another_tenant_cannot_use_it(web, session, back):
    ben = await session(tenant_id="acme", **RESUME)
    await vanished(ben, web)
    await refused(web.session_url, resume_token=ben.token, tenant_id="other", **RESUME)
    await back(ben, tenant_id="acme")


async def test_a_client_that_asks_in_time_may_be_answered_later(
    web, node, session, back, monkeypatch
):
    """The window ends between its question and Redis' answer."""
    anna, ben = await node(), await session(**RESUME)
    await ben.says()
    job = await anna.job()
    await vanished(ben, web)
    resume, live = scripts.resume_session, web.process.sessions.get(ben.id)

    async def slowly(*args, **named):
        reply = await resume(*args, **named)
        web.process.sessions.away._end(live)
        await asyncio.sleep(0.1)
        return reply

    monkeypatch.setattr(scripts, "resume_session", slowly)
    ben = await back(ben)
    await anna.answers(job, "one")
    assert (await ben.hears())["text_translated"] == "one"
    assert not web.process.sessions.away._asked_for


async def test_a_session_that_said_goodbye_is_over(web, session):
    ben = await session(**RESUME)
    await ben.ends()
    await until(lambda: web.process.sessions.get(ben.id) is None)
    await refused(web.session_url, resume_token=ben.token, **RESUME)


async def test_a_goodbye_counts_before_the_socket_is_closed(web, session):
    ben = await session(**RESUME)
    web.process.sessions.get(ben.id).end()
    await refused(web.session_url, resume_token=ben.token, **RESUME)
    ben.peer.vanish()
    await until(lambda: web.process.sessions.get(ben.id) is None)


async def test_who_does_not_accept_it_ends_with_the_socket(web, node, session):
    anna, ben = await node(), await session()
    await ben.says()
    job = await anna.job()
    ben.peer.vanish()
    await anna.peer.expect("job_cancel", job_id=job["job_id"])
    assert web.process.sessions.get(ben.id) is None


async def test_another_process_goes_on_with_it(web, other, node, session, back):
    """Jobs end before, while and after the session moves; the client says what it has."""
    anna, ben = await node(), await session(**RESUME)
    await answered(anna, ben, "zero")
    for _ in range(4):
        await ben.says()
    one, two, three, four = [await anna.job() for _ in range(4)]
    await vanished(ben, web)
    await anna.answers(two, "two")
    await anna.fails(three, "INVALID_SPEECH", "only noise")
    ben = await back(ben, to=other, last_utterance_index=0)
    await until(lambda: web.process.sessions.get(ben.id) is None)
    await anna.answers(four, "four")
    await anna.acks(one)
    await anna.hears_so_far(one, "so far")
    assert (await ben.peer.expect("asr_partial"))["utterance_index"] == 1
    await anna.answers(one, "one")
    told = [await ben.hears() for _ in range(4)]
    assert [frame["utterance_index"] for frame in told] == [1, 2, 3, 4]
    assert [frame.get("text_translated") for frame in told] == ["one", "two", None, "four"]
    assert (told[2]["code"], told[2]["trace_id"]) == ("INVALID_SPEECH", three["trace_id"])
    error = ben.peer.of_type("error")[0]
    assert (error["code"], error["details"]["utterance_index"]) == ("INVALID_SPEECH", 3)
    await answered(anna, ben, "five")
    assert (await back(ben, to=web, last_utterance_index=5)).outcomes == []


async def test_a_client_that_does_not_say_what_it_has_gets_all_at_another_process(
    web, other, node, session, back
):
    anna, ben = await node(), await session(**RESUME)
    await answered(anna, ben, "one", "two")
    await vanished(ben, web)
    ben = await back(ben, to=other)
    assert [(await ben.hears())["text_translated"] for _ in range(2)] == ["one", "two"]
    await answered(anna, ben, "three")


@pytest.mark.parametrize("jobs", [JobSettings(lease_pause_ms=200, reap_pause_ms=50, resend_ms=0)])
async def test_what_was_told_long_ago_is_not_called_missing_at_another_process(
    web, other, node, session, back
):
    """It lies between what goes on and what is new."""
    anna, ben = await node(), await session(**RESUME)
    for _ in range(3):
        await ben.says()
    zero, *others = [await anna.job() for _ in range(3)]
    for job in others:
        await anna.answers(job, "long ago")
    unfinished = web.process.sessions.get(ben.id).unfinished
    await until(lambda: len(unfinished) == 1)
    ben = await back(ben, to=other)
    await anna.answers(zero, "zero")
    await ben.says()
    await anna.answers(await anna.job(), "three")
    told = [await ben.hears(1.0) for _ in range(2)]
    assert [frame.get("text_translated") for frame in told] == ["zero", "three"]


async def test_an_utterance_that_another_process_has_is_sent_again_in_vain(
    web, other, node, session, back
):
    anna, ben = await node(), await session(**RESUME)
    await ben.says(request_id="r-0")
    job = await anna.job()
    ben = await back(ben, to=other)
    await ben.says(request_id="r-0", utterance_index=0)
    await ben.says()
    await anna.answers(await anna.job(), "two")
    await anna.answers(job, "one")
    told = [(await ben.hears())["text_translated"] for _ in range(2)]
    assert (told, len(anna.jobs)) == (["one", "two"], 2)


@pytest.mark.parametrize("says", [{}, {"last_utterance_index": 0}])
async def test_an_utterance_that_never_reached_redis_is_answered_when_sent_again(
    web, other, node, session, back, says
):
    anna, ben = await node(), await session(**RESUME)
    await ben.says(utterance_index=2)
    later = await anna.job()
    ben = await back(ben, to=other, **says)
    await ben.says(utterance_index=1)
    await anna.answers(await anna.job(), "one")
    await anna.answers(later, "two")
    assert [(await ben.hears())["text_translated"] for _ in range(2)] == ["one", "two"]


async def test_a_socket_of_another_process_that_only_seems_open_gives_way(
    web, other, node, session, back
):
    anna, old = await node(), await session(**RESUME)
    ben = await back(old, to=other)
    assert await old.peer.closed() == 4409
    await answered(anna, ben, "one")
    assert web.process.sessions.get(ben.id) is None


async def test_a_job_that_waits_goes_on_waiting(web, other, node, session, back):
    anna, ben = await node(slots=1), await session(**RESUME)
    await ben.says()
    await ben.says()
    job = await anna.job()
    ben = await back(ben, to=other)
    await anna.answers(job, "one")
    await anna.answers(await anna.job(), "two")
    assert [(await ben.hears())["text_translated"] for _ in range(2)] == ["one", "two"]


async def test_it_goes_to_and_fro(web, other, node, session, back):
    anna, ben = await node(), await session(**RESUME)
    await ben.says()
    job = await anna.job()
    for _ in range(3):
        ben = await back(ben, to=other)
        ben = await back(ben, to=web)
    await anna.answers(job, "one")
    assert (await ben.hears())["text_translated"] == "one"
    assert other.process.sessions.get(ben.id) is None


async def test_a_process_that_slept_does_not_take_it_back(web, other, node, session, back):
    """It was never told, and replays what it thinks it has."""
    anna, ben = await node(), await session(**RESUME)
    await ben.says()
    job = await anna.job()
    asleep = web.process.sessions.get(ben.id)
    web.process.handle(Moved, lambda cell, message: None)
    ben = await back(ben, to=other, last_utterance_index=None)
    assert web.process.sessions.get(ben.id) is asleep
    web.process.suspect(0)
    await until(lambda: web.process.sessions.get(ben.id) is None)
    await anna.answers(job, "one")
    assert (await ben.hears())["text_translated"] == "one"


async def test_a_process_that_shuts_down_leaves_its_sessions_to_another(
    web, other, stage, store, jobs, session, back
):
    async with Web(store, jobs, NodeSettings()) as brief:
        joining = hand_session(brief.session_url, "en", "zh", **RESUME)
        ben = await stage.enter_async_context(joining)
        anna = await stage.enter_async_context(
            hand_node(other.node_url, "anna", languages=["en", "zh"], slots=1)
        )
        await ben.says()
        job = await anna.job()
    await anna.answers(job, "one")
    ben = await back(ben, to=other)
    assert (await ben.hears())["text_translated"] == "one"


async def test_a_stream_goes_on_counting_at_another_process(web, other, node, session, back):
    anna, ben = await node(), await session(**RESUME)
    await answered(anna, ben, "zero", "one")
    raw = {"audio_format": "pcm16", "sample_rate": 16_000}
    ben = await back(ben, to=other, last_utterance_index=1, **raw)
    await ben.streams(b"\1\0" * 1_600, final=True)
    await anna.answers(await anna.job(), "two")
    assert (await ben.hears())["utterance_index"] == 2


@pytest.mark.parametrize("jobs", [JobSettings(lease_pause_ms=200, reap_pause_ms=50, resend_ms=0)])
async def test_a_stream_takes_no_number_of_what_was_told_long_ago(web, other, node, session, back):
    """So long ago that Redis has forgotten how it ended."""
    anna, ben = await node(), await session(**RESUME)
    await answered(anna, ben, "zero", "one")
    with redis.Redis.from_url(web.store.url) as client:
        assert client.delete(f"{web.process.cells.prefixes[0]}answers:{ben.id}")
    raw = {"audio_format": "pcm16", "sample_rate": 16_000}
    ben = await back(ben, to=other, **raw)
    await ben.streams(b"\1\0" * 1_600, final=True)
    await anna.answers(await anna.job(), "two")
    assert (await ben.hears())["utterance_index"] == 2


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("node_is", ["where it was", "where it goes"])
async def test_a_job_that_came_to_redis_too_late_to_be_found_is_answered(
    web, other, stage, session, back, monkeypatch, node_is, times
):
    """Its former process was just about to send it."""
    url = (web if node_is == "where it was" else other).node_url
    joining = hand_node(url, "anna", languages=["en", "zh"], slots=1)
    anna, ben = await stage.enter_async_context(joining), await session(**RESUME)
    await ben.says()
    job = await anna.job()
    real = views.session_jobs

    async def too_early(cells, name):
        return replace(await real(cells, name), live=[])

    monkeypatch.setattr(views, "session_jobs", too_early)
    ben = await back(ben, to=other)
    for _ in range(1, times):
        await vanished(ben, other)
        ben = await back(ben, to=other)
    await anna.answers(job, "one")
    assert (await ben.hears())["text_translated"] == "one"


async def test_a_job_that_ends_while_the_session_is_taken_in_is_answered_once(
    web, other, node, session, back, monkeypatch
):
    anna, ben = await node(), await session(**RESUME)
    await ben.says()
    job = await anna.job()
    real = views.session_jobs

    async def slowly(cells, name):
        past = await real(cells, name)
        settle, told = Progress.settle, asyncio.Event()

        def settled(progress, outcome):
            told.set()
            return settle(progress, outcome)

        monkeypatch.setattr(Progress, "settle", settled)
        await anna.answers(job, "one")
        await told.wait()
        monkeypatch.setattr(Progress, "settle", settle)
        return past

    monkeypatch.setattr(views, "session_jobs", slowly)
    ben = await back(ben, to=other)
    assert (await ben.hears())["text_translated"] == "one"
    await answered(anna, ben, "two")
    assert len(ben.outcomes) == 2


async def test_a_session_outlives_the_loss_of_redis_while_its_client_is_away(
    web, node, session, back
):
    anna, ben = await node(slots=1), await session(**RESUME)
    for _ in range(2):
        await ben.says()
    job = await anna.job()
    await vanished(ben, web)
    redis_forgets(web)
    await anna.answers(job, "one")
    await anna.answers(await anna.job(), "two")
    ben = await back(ben)
    assert [(await ben.hears())["text_translated"] for _ in range(2)] == ["one", "two"]


async def test_a_session_whose_process_died_outlives_a_second_loss(web, other, node, session, back):
    """What the second process found in Redis it can make again."""
    anna, ben = await node(slots=1), await session(**RESUME)
    for _ in range(2):
        await ben.says()
    job = await anna.job()
    ben = await back(ben, to=other)
    redis_forgets(web, other)
    await anna.answers(job, "one")
    await anna.answers(await anna.job(), "two")
    assert [(await ben.hears())["text_translated"] for _ in range(2)] == ["one", "two"]


class TestFull:
    @pytest.fixture
    def jobs(self) -> JobSettings:
        return JobSettings(max_sessions=1, lease_pause_ms=200, reap_pause_ms=50)

    async def test_no_more_clients_may_be_away_than_there(self, web, session, back):
        ben = await session(**RESUME)
        await vanished(ben, web)
        await until(lambda: web.process.callers == 0)
        carl = await session(**RESUME)
        carl.peer.vanish()
        await until(lambda: web.process.sessions.get(carl.id) is None)
        await back(ben)


class TestShortly:
    @pytest.fixture
    def store(self, redis_url, prefix):
        return StoreSettings(url=redis_url, prefix=prefix, limits=Limits(resume_window_ms=500))

    async def test_who_never_comes_back_is_forgotten(self, web, node, session):
        anna, ben = await node(slots=1), await session(**RESUME)
        for _ in range(2):
            await ben.says()
        job = await anna.job()
        await vanished(ben, web)
        await anna.peer.expect("job_cancel", job_id=job["job_id"])
        await until(lambda: web.process.sessions.get(ben.id) is None)
        await refused(web.session_url, resume_token=ben.token, **RESUME)
        await anna.answers(job, "too late")
        carl = await session()
        await carl.says()
        await anna.answers(await anna.job(), "next")
        assert (await carl.hears())["text_translated"] == "next"

    async def test_who_comes_back_in_time_stays(self, web, node, session, back):
        anna, ben = await node(), await session(**RESUME)
        await vanished(ben, web)
        ben = await back(ben)
        await asyncio.sleep(0.7)  # longer than the window
        await answered(anna, ben, "still here")

    async def test_one_that_was_here_before_takes_nothing_from_the_one_that_is(
        self, web, other, session, back
    ):
        """Redis tells it that it is elsewhere, after its client has come back, and gone."""
        ben = await session(**RESUME)
        before = web.process.sessions.get(ben.id)
        ben = await back(await back(ben, to=other))
        await vanished(ben, web)
        await before.open()
        await until(lambda: web.process.sessions.get(ben.id) is None, 3.0)
