import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import pytest
import redis
import uvloop

from jobs.settings import JobSettings
from lua.client import StoreSettings
from nodes.settings import NodeSettings
from tests.harness.actors import HandNode, HandSession, hand_node, hand_session
from tests.harness.web import Web
from tests.jobs.coming_back import RESUME
from tests.jobs.streams import Stream
from tests.peers.raw import RawPeer, raw_peer


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The product's loop."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
def store(redis_url: str, prefix: str) -> StoreSettings:
    return StoreSettings(url=redis_url, prefix=prefix)


@pytest.fixture
def stream(store: StoreSettings) -> Iterator[Stream]:
    """The empty event stream of cell 0, in a first life of Redis."""
    client = redis.Redis.from_url(store.url, protocol=2)
    stream = Stream(store, client)
    stream.begin_life("first")
    yield stream
    client.close()


@pytest.fixture
async def stage() -> AsyncIterator[AsyncExitStack]:
    """Whoever enters it leaves when the test ends, last in, first out."""
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
def jobs() -> JobSettings:
    """Settings of the web process; tests that need others override this fixture."""
    return JobSettings(lease_pause_ms=200, reap_pause_ms=50)


@pytest.fixture
async def web(stage: AsyncExitStack, store: StoreSettings, jobs: JobSettings) -> Web:
    """A web process with both sockets."""
    return await stage.enter_async_context(Web(store, jobs, NodeSettings()))


@pytest.fixture
async def client(stage: AsyncExitStack, web: Web) -> RawPeer:
    """A connection to the session socket that has sent nothing yet."""
    return await stage.enter_async_context(raw_peer(web.session_url))


@pytest.fixture
def node(stage: AsyncExitStack, web: Web) -> Callable[..., Awaitable[HandNode]]:
    """``await node("anna")``: a registered node."""
    return partial(_enter_node, stage, web)


async def _enter_node(
    stage: AsyncExitStack, web: Web, name: str = "anna", *, slots: int = 8, **changes: Any
) -> HandNode:
    joining = hand_node(web.node_url, name, languages=["en", "zh"], slots=slots, **changes)
    return await stage.enter_async_context(joining)


@pytest.fixture
async def elsewhere(
    stage: AsyncExitStack, store: StoreSettings, jobs: JobSettings
) -> Callable[..., Awaitable[HandNode]]:
    """``await elsewhere("anna")``: a node of another web process."""
    other = await stage.enter_async_context(Web(store, jobs, NodeSettings()))
    return partial(_enter_node, stage, other)


@pytest.fixture
def session(stage: AsyncExitStack, web: Web) -> Callable[..., Awaitable[HandSession]]:
    """``await session()``: an open session, from English to Chinese."""

    async def enter(**init: Any) -> HandSession:
        joining = hand_session(web.session_url, "en", "zh", **init)
        return await stage.enter_async_context(joining)

    return enter


@pytest.fixture
async def other(stage: AsyncExitStack, store: StoreSettings, jobs: JobSettings) -> Web:
    """A second web process."""
    return await stage.enter_async_context(Web(store, jobs, NodeSettings()))


@pytest.fixture
def back(stage: AsyncExitStack, web: Web) -> Callable[..., Awaitable[HandSession]]:
    """``await back(ben)``: the client is back, over a socket of its own."""

    async def enter(gone: HandSession, to: Web = web, **init: Any) -> HandSession:
        token = {"resume_token": gone.token, **RESUME}
        joining = hand_session(to.session_url, "en", "zh", **{**token, **init})
        session = await stage.enter_async_context(joining)
        assert session.id == gone.id
        session.goes_on(gone)
        return session

    return enter
