"""Sessions that go on over another socket."""

import asyncio

import pytest

from lua.client import StoreSettings
from lua.limits import Limits
from tests.harness.actors import hand_session
from tests.harness.frames import session_init
from tests.peers.raw import raw_peer
from tests.peers.until import until

RESUME = {"accepts": ["resume"]}


@pytest.fixture
def back(stage, web):
    """``await back(ben)``: the client is back, over a socket of its own."""

    async def enter(gone, to=web, **init):
        token = {"resume_token": gone.token, **RESUME}
        session = await stage.enter_async_context(
            hand_session(to.session_url, "en", "zh", **{**token, **init})
        )
        assert session.id == gone.id
        session.goes_on(gone)
        return session

    return enter


async def vanished(session, web):
    """Its network is gone, and the process has noticed."""
    session.peer.vanish()
    await until(lambda: web.process.sessions.get(session.id).away)


async def refused(url: str, **init) -> None:
    async with raw_peer(url) as peer:
        await peer.send(session_init("en", "zh", **init))
        await peer.expect("error", code="INVALID_SESSION")
        assert await peer.closed() == 4400


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


async def answered(anna, ben, *texts):
    for text in texts:
        await ben.says()
        await anna.answers(await anna.job(), text)
        await ben.hears()


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


async def test_each_token_is_good_for_one_return(web, session, back):
    first = await session(**RESUME)
    await vanished(first, web)
    second = await back(first)
    assert second.token not in (None, first.token)
    await refused(web.session_url, resume_token=first.token, **RESUME)
    await vanished(second, web)
    await back(second)


async def test_a_client_may_decline_to_come_back_once_more(web, session, back):
    ben = await session(**RESUME)
    await vanished(ben, web)
    last = await back(ben, accepts=[])
    assert last.token is None
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


async def test_a_session_that_said_goodbye_is_over(web, session):
    ben = await session(**RESUME)
    await ben.ends()
    await until(lambda: web.process.sessions.get(ben.id) is None)
    await refused(web.session_url, resume_token=ben.token, **RESUME)


async def test_who_does_not_accept_it_ends_with_the_socket(web, node, session):
    anna, ben = await node(), await session()
    await ben.says()
    job = await anna.job()
    ben.peer.vanish()
    await anna.peer.expect("job_cancel", job_id=job["job_id"])
    assert web.process.sessions.get(ben.id) is None


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
