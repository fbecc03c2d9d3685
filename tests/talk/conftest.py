"""One web process, and who comes to it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser

from jobs.settings import JobSettings, OrderSettings
from lua.client import StoreSettings
from nodes.settings import NodeSettings
from tests.harness.actors import HandNode, HandSession, hand_node, hand_session
from tests.harness.web import Web
from tests.talk.browser import MISSING, chromium, microphone

GetNode = Callable[..., Awaitable[HandNode]]
GetSession = Callable[..., Awaitable[HandSession]]


async_fixture = pytest_asyncio.fixture(loop_scope="package")


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """One for all tests: its microphone hears the same sentence again and again."""
    if MISSING:
        pytest.skip(MISSING)
    async with chromium(microphone(tmp_path_factory.mktemp("microphone"))) as started:
        yield started


@async_fixture
async def stage() -> AsyncIterator[AsyncExitStack]:
    """Whoever enters it leaves when the test ends, last in, first out."""
    async with AsyncExitStack() as stack:
        yield stack


@async_fixture
async def web(stage: AsyncExitStack, redis_url: str, prefix: str) -> Web:
    store = StoreSettings(url=redis_url, prefix=prefix)
    jobs = JobSettings(order=OrderSettings(gap_ms=500))
    return await stage.enter_async_context(Web(store, jobs, NodeSettings()))


@pytest.fixture
def address(web: Web) -> str:
    """``http://HOST:PORT``"""
    return web.node_url.replace("ws://", "http://").removesuffix("/ws/node")


@pytest.fixture
def node(stage: AsyncExitStack, web: Web) -> GetNode:
    """``await node("anna", languages=["en", "zh"])``: a node that is registered."""

    async def enter(name: str, **registration: Any) -> HandNode:
        said = {"languages": ["en", "zh"], "slots": 2, **registration}
        return await stage.enter_async_context(hand_node(web.node_url, name, **said))

    return enter


@pytest.fixture
def session(stage: AsyncExitStack, web: Web) -> GetSession:
    """``await session("en", "zh")``: an open session."""

    async def enter(src: str, tgt: str, **init: Any) -> HandSession:
        return await stage.enter_async_context(hand_session(web.session_url, src, tgt, **init))

    return enter


@async_fixture
async def http(stage: AsyncExitStack, address: str) -> httpx.AsyncClient:
    return await stage.enter_async_context(httpx.AsyncClient(base_url=address, timeout=10))
