"""Anna's machine may open no sockets: she fetches her jobs over REST, from any process.

Each request of hers comes to the other of two processes, as behind a load balancer.
"""

from dataclasses import replace

import httpx
import pytest

from lua.client import StoreSettings
from tests.harness.rest_node import RestNode, http_of
from tests.walkthrough.conftest import LIMITS


@pytest.fixture
def store(redis_url: str, prefix: str) -> StoreSettings:
    """With time enough for two requests before an ack is missed."""
    return StoreSettings(url=redis_url, prefix=prefix, limits=replace(LIMITS, ack_timeout_ms=5_000))


@pytest.fixture
async def anna(stage, two_processes):
    client = await stage.enter_async_context(httpx.AsyncClient(timeout=20))
    node = RestNode(client, "anna", http_of(two_processes[0]))
    await node.registers()
    return node


async def test_she_fetches_acknowledges_and_answers(two_processes, anna, session):
    here, there = map(http_of, two_processes)
    ben = await session("en", "zh")
    await ben.says()

    anna.at = there
    job = await anna.job()
    anna.at = here
    await anna.acks(job)
    anna.at = there
    await anna.beats(running=1)
    await anna.answers(job, "你好")
    assert (await ben.hears())["text_translated"] == "你好"


async def test_a_request_that_broke_loses_nothing(two_processes, anna, session):
    ben = await session("en", "zh")
    await ben.says()
    lost = await anna.job()  # as if this answer had never arrived

    anna.at = http_of(two_processes[1])
    again = await anna.job()
    assert again == lost
    await anna.acks(again)
    assert (await anna.asks(wait_s=0))["jobs"] == []
    await anna.answers(again, "你好")
    assert (await ben.hears())["text_translated"] == "你好"


async def test_what_she_cannot_do_goes_elsewhere(anna, node, session):
    ben = await session("en", "zh")
    await ben.says()
    job = await anna.job()
    mary = await node("mary")
    assert (await anna.fails(job, "INTERNAL_ERROR"))["answer"] == "RETRIED"
    await mary.answers(await mary.job(), "你好")
    assert (await ben.hears())["text_translated"] == "你好"
