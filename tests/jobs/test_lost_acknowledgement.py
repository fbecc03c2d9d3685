"""A client is back, and the answer that says so does not get to it: it comes back once more."""

import asyncio
from typing import Any

import pytest
import redis

from jobs.settings import JobSettings
from lua import scripts, views
from lua.client import StoreSettings
from lua.limits import Limits
from parley import Backoff, Session
from parley.audio import tone
from tests.harness.loss import forget_everything
from tests.jobs.coming_back import (
    RESUME,
    answered,
    asking,
    heard,
    lose_acknowledgements,
    refused,
    unheard_of,
    vanished,
)
from tests.lua.proxy import Proxy
from tests.peers.until import until

WAYS = [
    pytest.param(["web"], "web", id="both times where it was"),
    pytest.param(["other"], "other", id="both times elsewhere"),
    pytest.param(["other"], "web", id="elsewhere and back"),
    pytest.param(["web"], "other", id="then elsewhere"),
    pytest.param(["other", "other", "web", "web"], "other", id="again and again"),
]


@pytest.fixture
def at(web, other):
    """The process of a name."""
    return {"web": web, "other": other}.get


@pytest.mark.parametrize("breaks", [True, False], ids=["broken", "half open"])
@pytest.mark.parametrize(("first", "then"), WAYS)
async def test_it_comes_back_with_the_token_that_it_has(
    at, node, session, back, stage, first, then, breaks
):
    """What was told meanwhile, to nobody, is told again."""
    anna, ben = await node(), await session(**RESUME)
    await answered(anna, ben, "zero")
    await ben.says()
    one = await anna.job()
    await ben.says()
    two = await anna.job()
    ben.peer.vanish()
    for number, name in enumerate(first):
        peer = await stage.enter_async_context(unheard_of(ben, at(name), last_utterance_index=0))
        if not number:
            await anna.answers(one, "one")
        if breaks:
            peer.vanish()
    ben = await back(ben, to=at(then), last_utterance_index=0)
    await anna.answers(two, "two")
    told = [await ben.hears() for _ in range(2)]
    assert [frame["utterance_index"] for frame in told] == [1, 2]
    assert [frame["text_translated"] for frame in told] == ["one", "two"]
    await answered(anna, ben, "three")
    assert len(ben.outcomes) == 3
    await vanished(ben, at(then))
    await answered(anna, await back(ben, to=at(then), last_utterance_index=3), "four")


@pytest.mark.parametrize("where", ["web", "other"])
async def test_once_it_is_heard_only_the_present_token_is_good(at, session, back, where):
    ben = await session(**RESUME)
    async with unheard_of(ben, at(where)) as peer:
        peer.vanish()
    last = await back(ben, to=at(where))
    await heard(last)
    for name in ("web", "other"):
        await refused(at(name).session_url, resume_token=ben.token, **RESUME)
    await back(last, to=at("web"))


class TestOneThatSaysNothing:
    """Its answers to pings keep its socket open; without them it would have been closed."""

    @pytest.fixture
    def jobs(self):
        return JobSettings(lease_pause_ms=200, reap_pause_ms=50, heard_ms=300)

    @pytest.mark.parametrize("where", ["web", "other"])
    async def test_has_its_acknowledgement_when_its_socket_stays(self, at, session, back, where):
        ben = await session(**RESUME)
        last = await back(ben, to=at(where))
        await until(lambda: not at(where).process.sessions.get(ben.id).tickets.former)
        for name in ("web", "other"):
            await refused(at(name).session_url, resume_token=ben.token, **RESUME)
        await back(last)

    async def test_may_not_have_it_when_its_socket_broke(self, web, session, back):
        ben = await session(**RESUME)
        async with unheard_of(ben, web) as peer:
            peer.vanish()
        await until(lambda: web.process.sessions.get(ben.id).away)
        await asyncio.sleep(0.5)  # longer than that
        await back(ben)


@pytest.mark.parametrize("where", ["web", "other"])
async def test_one_that_declines_a_further_return_may_lose_that_answer_too(
    at, node, session, back, where
):
    """Its session ends with its socket only after it was heard."""
    anna, ben = await node(), await session(**RESUME)
    await ben.says()
    async with unheard_of(ben, at(where), accepts=[]):
        await anna.answers(await anna.job(), "one")
        await until(lambda: not at(where).process.sessions.get(ben.id).unfinished)
    await until(lambda: at(where).process.sessions.get(ben.id).away)
    ben = await back(ben, to=at(where), accepts=[])
    assert (await ben.hears())["text_translated"] == "one"
    await heard(ben)
    ben.peer.vanish()
    await until(lambda: at(where).process.sessions.get(ben.id) is None)


async def test_a_return_that_was_thought_lost_takes_the_session_only_for_a_moment(
    at, node, session, back, monkeypatch
):
    """A process was asked, and asks Redis only after the client is back at another one."""
    anna, ben = await node(), await session(**RESUME)
    resume, asked, goes_on = scripts.resume_session, asyncio.Event(), asyncio.Event()

    async def slowly(cells, **given):
        if cells is at("other").process.cells:
            asked.set()
            await goes_on.wait()
        return await resume(cells, **given)

    monkeypatch.setattr(scripts, "resume_session", slowly)
    async with asking(ben, at("other")) as (peer, _):
        await asked.wait()
        peer.vanish()
        ben = await back(ben)
        goes_on.set()
        assert await ben.peer.closed() == 4409
    await answered(anna, await back(ben), "one")


async def test_two_returns_at_once_leave_the_session_with_the_later_one(
    other, node, session, back, monkeypatch
):
    """The first is still being taken in as the second asks."""
    anna, ben = await node(), await session(**RESUME)
    await ben.says()
    job = await anna.job()
    read, asked, goes_on = views.session_jobs, asyncio.Event(), asyncio.Event()

    async def slowly(cells, name):
        past = await read(cells, name)
        if not asked.is_set():
            asked.set()
            await goes_on.wait()
        return past

    monkeypatch.setattr(views, "session_jobs", slowly)
    async with asking(ben, other) as (_, relay):
        await asked.wait()
        ben = await back(ben, to=other)
        await anna.answers(job, "one")
        assert (await ben.hears())["text_translated"] == "one"
        goes_on.set()
        await until(lambda: b"SCHEDULER_DEPENDENCY_DOWN" in relay.lost)
        await answered(anna, ben, "two")


async def test_the_sdk_comes_back_until_it_is_told_so(web, node, monkeypatch):
    anna = await node()
    speaking = Session(web.session_url, src_lang="en", tgt_lang="zh", backoff=Backoff(first=0.01))
    async with speaking as speaker:
        name = speaker.session_id
        await speaker.send(tone(0.1))
        await anna.answers(await anna.job(), "one")
        assert (await speaker.outcome(0)).ok
        await speaker.send(tone(0.1))
        job = await anna.job()
        lost = lose_acknowledgements(monkeypatch, 2)
        web.process.sessions.get(name).line.close(1012)
        await until(lambda: len(lost) == 2)
        await anna.answers(job, "two")
        assert (await speaker.outcome(1)).ok
        assert (speaker.session_id, len(anna.jobs)) == (name, 2)


DOWN: dict[str, Any] = {"code": "SCHEDULER_DEPENDENCY_DOWN", "closed": 1013}


class TestRedisAway:
    @pytest.fixture
    async def proxy(self, stage, redis_url):
        return await stage.enter_async_context(Proxy(redis_url))

    @pytest.fixture
    def limits(self):
        return Limits()

    @pytest.fixture
    def store(self, proxy, prefix, limits):
        return StoreSettings(url=proxy.url, prefix=prefix, limits=limits)

    @pytest.fixture
    def leaves(self, proxy, monkeypatch):
        """Redis goes away after it has given the session to the process that asked for it."""
        read = views.session_jobs

        async def in_vain(cells, name):
            await proxy.refuse()
            return await read(cells, name)

        monkeypatch.setattr(views, "session_jobs", in_vain)
        return lambda: monkeypatch.setattr(views, "session_jobs", read)

    async def test_as_it_asks(self, web, other, proxy, node, session, back):
        anna, ben = await node(), await session(**RESUME)
        await ben.says()
        job = await anna.job()
        await vanished(ben, web)
        await proxy.refuse()
        await refused(other.session_url, **DOWN, resume_token=ben.token, **RESUME)
        await proxy.accept()
        ben = await back(ben, to=other)
        await anna.answers(job, "one")
        assert (await ben.hears())["text_translated"] == "one"

    async def test_and_the_answer_of_redis_is_lost(self, web, proxy, node, session, back):
        """The session has not been elsewhere, though Redis has counted a return."""
        anna, ben = await node(), await session(**RESUME)
        await answered(anna, ben, "zero")
        await ben.says()
        job = await anna.job()
        await vanished(ben, web)
        live = web.process.sessions.get(ben.id)
        proxy.stall()
        await refused(web.session_url, **DOWN, resume_token=ben.token, **RESUME)
        proxy.flow()
        ben = await back(ben, last_utterance_index=0)
        assert web.process.sessions.get(ben.id) is live
        await anna.answers(job, "one")
        assert (await ben.hears())["text_translated"] == "one"
        await answered(anna, ben, "two")

    @pytest.mark.parametrize("then", ["web", "other"])
    async def test_before_its_jobs_are_found(
        self, at, other, proxy, node, session, back, leaves, then
    ):
        anna, ben = await node(), await session(**RESUME)
        await ben.says()
        job = await anna.job()
        for _ in range(2):  # it is asked for again while Redis is away still
            await refused(other.session_url, **DOWN, resume_token=ben.token, **RESUME)
        leaves()
        await proxy.accept()
        ben = await back(ben, to=at(then))
        await anna.answers(job, "one")
        assert (await ben.hears())["text_translated"] == "one"
        await answered(anna, ben, "two")

    @pytest.mark.parametrize("jobs", [JobSettings(lease_pause_ms=60_000, reap_pause_ms=50)])
    async def test_and_it_has_forgotten_all(self, web, proxy, node, session, back, redis_url):
        """Its process knows it still, and tells Redis as soon as it can."""
        anna, ben = await node(), await session(**RESUME)
        await ben.says()
        job = await anna.job()
        await vanished(ben, web)
        with redis.Redis.from_url(redis_url) as client:
            prefix = web.process.cells.prefixes[0]
            forget_everything(redis_url, web.store.prefix)
            await refused(web.session_url, **DOWN, resume_token=ben.token, **RESUME)
            await until(lambda: client.exists(f"{prefix}session:{ben.id}"))
        ben = await back(ben)
        await anna.answers(job, "one")
        assert (await ben.hears())["text_translated"] == "one"

    @pytest.mark.parametrize("jobs", [JobSettings(lease_pause_ms=60_000, reap_pause_ms=50)])
    async def test_and_another_process_finds_out_first(
        self, web, other, proxy, node, session, back, redis_url
    ):
        """The one that knows the session has not told Redis again yet."""
        anna, ben = await node(), await session(**RESUME)
        await ben.says()
        job = await anna.job()
        await vanished(ben, web)
        with redis.Redis.from_url(redis_url) as client:
            prefix = web.process.cells.prefixes[0]
            forget_everything(redis_url, web.store.prefix)
            other.process.suspect(0)
            await refused(other.session_url, **DOWN, resume_token=ben.token, **RESUME)
            web.process.suspect(0)
            await until(lambda: client.exists(f"{prefix}session:{ben.id}"))
        ben = await back(ben, to=other)
        await anna.answers(job, "one")
        assert (await ben.hears())["text_translated"] == "one"

    class TestShortly:
        @pytest.fixture
        def limits(self):
            return Limits(resume_window_ms=800)

        async def test_who_never_comes_back_is_forgotten(
            self, web, other, proxy, node, session, leaves
        ):
            anna, ben = await node(), await session(**RESUME)
            await ben.says()
            job = await anna.job()
            await refused(other.session_url, **DOWN, resume_token=ben.token, **RESUME)
            leaves()
            await proxy.accept()
            await anna.peer.expect("job_cancel", job_id=job["job_id"])
            await until(lambda: other.process.sessions.get(ben.id) is None)
            await refused(web.session_url, resume_token=ben.token, **RESUME)
