"""One web process, and who comes to it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from jobs.settings import JobSettings
from lua.client import StoreSettings
from nodes.settings import NodeSettings
from tests.harness.actors import HandNode, HandSession, hand_node, hand_session
from tests.harness.web import Web

GetNode = Callable[..., Awaitable[HandNode]]
GetSession = Callable[..., Awaitable[HandSession]]


@pytest.fixture
async def stage() -> AsyncIterator[AsyncExitStack]:
    """Whoever enters it leaves when the test ends, last in, first out."""
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
async def web(stage: AsyncExitStack, redis_url: str, prefix: str) -> Web:
    store = StoreSettings(url=redis_url, prefix=prefix)
    return await stage.enter_async_context(Web(store, JobSettings(), NodeSettings()))


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


@pytest.fixture
async def http(stage: AsyncExitStack, address: str) -> httpx.AsyncClient:
    return await stage.enter_async_context(httpx.AsyncClient(base_url=address, timeout=10))
