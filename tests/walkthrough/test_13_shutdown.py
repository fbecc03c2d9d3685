"""A web process that is told to stop finishes what it has begun; another takes over its port."""

import asyncio
import base64

import pytest

from lua import views
from tests.harness.actors import hand_node, hand_session
from tests.harness.deployment import Deployment
from tests.peers.until import until

LARGE = base64.b64encode(bytes(5 * 2**20)).decode()


@pytest.fixture
async def deployment():
    async with Deployment(webs=1, celery=False) as deployed:
        yield deployed


async def test_what_has_begun_is_finished_before_the_sockets_close(deployment):
    node = hand_node(deployment.node_url("web-1"), "anna", languages=["en", "zh"], slots=2)
    session = hand_session(deployment.session_url("web-1"), "en", "zh")
    async with node as anna, session as ben:
        await ben.says()
        job = await anna.job()

        deployment.terminate("web-1")
        await until(lambda: not views.nodes(deployment.store, ["anna"])["anna"].enabled)
        await ben.says()
        await ben.peer.expect("ui_event", event="ERROR", error_code="SCHEDULER_DEPENDENCY_DOWN")
        await anna.answers(job, "你好", tts_audio=LARGE)

        assert (await ben.hears())["tts_audio"] == LARGE
        assert (await ben.hears())["reason"] == "job_failed"
        assert await ben.peer.closed() == 1012
        assert await anna.peer.closed() == 1012
        assert len(anna.jobs) == 1
    assert await deployment.ended("web-1") == 0


async def test_a_connection_made_meanwhile_waits_for_the_next_process(deployment):
    async with hand_session(deployment.session_url("web-1"), "en", "zh") as ben:
        deployment.terminate("web-1")
        assert await ben.peer.closed() == 1012
    waiting = asyncio.create_task(_open_and_end(deployment.session_url("web-1")))
    await deployment.ended("web-1")
    assert not waiting.done()

    deployment.start_web("web-1")

    await asyncio.wait_for(waiting, 30)


async def _open_and_end(url):
    async with hand_session(url, "en", "zh") as session:
        await session.ends()
