"""A session's utterances while Redis is away, slow, or has forgotten everything."""

import pytest
import redis

from jobs.settings import JobSettings
from lua import scripts
from lua.client import StoreSettings
from lua.errors import StoreUnavailable
from nodes.settings import NodeSettings
from tests.harness.actors import hand_node, hand_session
from tests.harness.frames import session_init
from tests.harness.web import Web
from tests.peers.raw import raw_peer
from tests.peers.until import until

QUICK = JobSettings(lease_pause_ms=50, reap_pause_ms=20)


@pytest.fixture
def jobs() -> JobSettings:
    return QUICK


@pytest.fixture
def client(store):
    with redis.Redis.from_url(store.url, protocol=2) as client:
        yield client


async def test_an_outcome_that_was_told_to_no_mailbox_is_found(web, elsewhere, session, client):
    """The lease ended while the process slept; its mailbox went with it."""
    anna, ben = await elsewhere(), await session()
    await ben.says()
    job = await anna.job()
    prefix = web.process.cells.prefixes[0]
    client.delete(f"{prefix}mailbox:{web.process.id}")
    await anna.answers(job, "你好")
    await until(lambda: client.hget(f"{prefix}job:{job['job_id']}", "state") == b"DONE")
    assert ben.outcomes == []
    client.srem(f"{prefix}processes", web.process.id)
    assert (await ben.hears())["text_translated"] == "你好"


@pytest.mark.parametrize("ran", [True, False], ids=["it had run", "it had not run"])
@pytest.mark.parametrize("where", ["node", "elsewhere"])
async def test_a_job_whose_dispatch_was_not_answered_has_one_answer(
    request, elsewhere, session, monkeypatch, ran, where
):
    """Whatever came of the call: the utterance is answered at once, and the job is called off."""
    enter = request.getfixturevalue(where)
    anna, ben = await enter(slots=1), await session()
    real, sent = scripts.dispatch, []

    async def lose_the_reply(cells, *, job, process, **given):
        if ran:
            await real(cells, job=job, process=process, **given)
        if ran and enter is elsewhere:
            sent.append(await anna.job())
        raise StoreUnavailable("no answer")

    monkeypatch.setattr(scripts, "dispatch", lose_the_reply)
    await ben.says()
    missing = await ben.hears()
    assert (missing["reason"], missing["code"]) == ("job_failed", "SCHEDULER_DEPENDENCY_DOWN")
    monkeypatch.setattr(scripts, "dispatch", real)
    for job in sent:
        await anna.peer.expect("job_cancel", job_id=job["job_id"])
        await anna.answers(job, "too late")
    await ben.says()
    await anna.answers(await anna.job(), "next")
    assert (await ben.hears())["text_translated"] == "next"
    assert len(ben.outcomes) == 2


async def test_a_session_that_redis_forgot_is_opened_again_by_its_next_utterance(
    web, node, session, client
):
    anna, ben = await node(), await session()
    client.delete(f"{web.process.cells.prefixes[0]}session:{ben.id}")
    await ben.says()
    await anna.answers(await anna.job(), "你好")
    assert (await ben.hears())["text_translated"] == "你好"


async def test_a_result_that_redis_lost_is_no_silence(web, elsewhere, session, client):
    anna, ben = await elsewhere(), await session()
    await ben.says()
    await ben.says()
    first, second = await anna.job(), await anna.job()
    await anna.answers(second, "two")
    prefix = web.process.cells.prefixes[0]
    await until(lambda: client.exists(f"{prefix}result:{second['job_id']}"))
    client.delete(f"{prefix}result:{second['job_id']}")
    await anna.answers(first, "one")
    assert (await ben.hears())["text_translated"] == "one"
    missing = await ben.hears()
    assert (missing["reason"], missing["code"]) == ("job_failed", "STATE_LOST")


class TestAway:
    @pytest.fixture
    def store(self, valkey, prefix):
        return StoreSettings(url=valkey.url, prefix=prefix)

    async def test_a_new_session_is_told_to_try_again(self, web, valkey):
        await valkey.stop()
        async with raw_peer(web.session_url) as peer:
            await peer.send(session_init("en", "zh"))
            error = await peer.expect("error", within_s=10)
            assert error["code"] == "SCHEDULER_DEPENDENCY_DOWN"
            assert await peer.closed() == 1013

    async def test_a_session_that_ended_meanwhile_is_closed_when_redis_is_back(self, web, valkey):
        async with hand_session(web.session_url, "en", "zh") as ben:
            await valkey.stop()
        await until(lambda: web.process.sessions.get(ben.id) is None)
        await valkey.start()
        key = f"{web.process.cells.prefixes[0]}session:{ben.id}"
        with redis.Redis.from_url(valkey.url) as client:
            await until(lambda: not client.exists(key), within_s=10)

    async def test_a_process_starts_without_redis_and_serves_when_it_is_there(
        self, valkey, store, stage
    ):
        await valkey.stop()
        web = await stage.enter_async_context(Web(store, QUICK, NodeSettings()))
        await valkey.start()
        async with (
            hand_node(web.node_url, "anna", languages=["en", "zh"], slots=1) as anna,
            hand_session(web.session_url, "en", "zh") as ben,
        ):
            await ben.says()
            await anna.answers(await anna.job(), "你好")
            assert (await ben.hears())["text_translated"] == "你好"
