"""What is being spoken at this moment, as operators see it."""

import asyncio
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from pytest_django import Settings

from jobs.settings import JobSettings, StreamSettings
from lua.client import StoreSettings
from nodes.settings import NodeSettings
from tests.harness.actors import hand_session
from tests.harness.frames import opus
from tests.harness.web import Web

pytestmark = pytest.mark.django_db(transaction=True)

PATIENT = StreamSettings(stream_timeout_ms=60_000)


@pytest.fixture
async def web(live_state: StoreSettings, settings: Settings) -> AsyncIterator[Web]:
    settings.PARLEY_AUTH = "off"
    async with Web(live_state, JobSettings(streams=PATIENT), NodeSettings()) as web:
        yield web


@pytest.fixture
async def http(web: Web) -> AsyncIterator[httpx.AsyncClient]:
    address = web.node_url.replace("ws://", "http://").replace("/ws/node", "/")
    async with httpx.AsyncClient(base_url=address, timeout=30) as client:
        yield client


async def speech(http: httpx.AsyncClient) -> dict[str, int]:
    found: dict[str, int] = (await http.get("api/v1/stats/")).json()["speech"]
    return found


async def test_speech_that_is_not_cut_yet_is_counted(web: Web, http: httpx.AsyncClient) -> None:
    assert await speech(http) == {"utterances": 0, "bytes": 0}
    async with hand_session(web.session_url, "en", "zh") as ben:
        await ben.streams(opus(9))
        expected = {"utterances": 1, "bytes": len(opus(9))}
        async with asyncio.timeout(10):
            while await speech(http) != expected:
                pass
        metrics = (await http.get("metrics")).text
    for name, value in expected.items():
        found = re.search(rf'parley_spoken_{name}{{process="{web.process.id}"}} (\S+)', metrics)
        assert found
        assert float(found[1]) == value
    async with asyncio.timeout(10):
        while (await speech(http))["bytes"]:
            pass
