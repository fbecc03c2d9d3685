"""A session whose connection breaks goes on over the next one, wherever that leads."""

import pytest

from lua import views
from parley import Answer, Backoff, Session
from parley.audio import tone
from tests.harness.actors import hand_session
from tests.harness.deployment import Deployment
from tests.harness.frames import session_init
from tests.harness.relay import Relay
from tests.peers.raw import raw_peer
from tests.peers.until import until

RESUME = {"accepts": ["resume"]}


async def test_what_is_said_before_the_break_is_answered_after_it(two_processes, node, session):
    """The client says how far it has heard, and gets the rest in order, once."""
    here, there = two_processes
    anna, ben = await node("anna", at=there), await session("en", "zh", at=here, **RESUME)
    for text in ("one", "two"):
        await ben.says()
        await anna.answers(await anna.job(), text)
        await ben.hears()
    await ben.says()
    await ben.says()
    third, fourth = await anna.job(), await anna.job()

    ben.peer.vanish()
    await anna.answers(fourth, "four")
    init = {"resume_token": ben.token, "last_utterance_index": 0, **RESUME}
    async with hand_session(there.session_url, "en", "zh", **init) as again:
        assert again.id == ben.id
        assert again.token != ben.token
        assert (await again.hears())["text_translated"] == "two"
        await anna.answers(third, "three")
        assert [(await again.hears())["text_translated"] for _ in range(2)] == ["three", "four"]


async def test_a_token_is_good_for_one_return(parley, session):
    """As its answer may be lost, the next frame of the client settles it."""
    ben = await session("en", "zh", **RESUME)
    ben.peer.vanish()
    init = session_init("en", "zh", resume_token=ben.token, **RESUME)
    async with raw_peer(parley.session_url) as back, raw_peer(parley.session_url) as thief:
        await back.send(init)
        await back.expect("session_init_ack", session_id=ben.id)
        await back.send({"type": "client_heartbeat", "session_id": ben.id, "timestamp": 1})
        await back.expect("server_heartbeat")
        await thief.send(init)
        await thief.expect("error", code="INVALID_SESSION")
        assert await thief.closed() == 4400


@pytest.fixture
async def deployment():
    async with Deployment(webs=2, celery=False) as deployed:
        yield deployed


async def test_killing_a_web_process_loses_nothing_that_was_said(deployment):
    """The SDK comes back by itself, and the balancer leads it to the process that is left."""
    names = {"anna": "web-1", "mary": "web-2"}
    for name, web in names.items():
        deployment.start_node(name, web, delay_ms=300, slots=4)
    await until(lambda: len(views.nodes(deployment.store, names)) == len(names), 20)
    async with (
        Relay(deployment.session_url("web-1")) as balancer,
        Session(balancer.url, src_lang="en", tgt_lang="zh", backoff=Backoff(first=0.1)) as speaker,
    ):
        name = speaker.session_id
        for _ in range(8):
            await speaker.send(tone(0.2))
        speaker.finish()
        outcomes = []
        async for event in speaker:
            outcomes.append(event)
            if len(outcomes) == 2:
                balancer.to = deployment.session_url("web-2")
                deployment.kill("web-1")
        assert speaker.session_id == name
    answers = [event for event in outcomes if isinstance(event, Answer)]
    assert len(answers) == len(outcomes)
    said = [f"{name} {index}" for index in range(8)]
    assert [answer.text_translated for answer in answers] == said
