"""A web process that serves the node socket, and a caller that wants jobs done."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack

import pytest
import uvloop

from jobs.settings import SocketSettings
from lua.client import StoreSettings
from lua.limits import Limits
from nodes.settings import NodeSettings
from tests.nodes.caller import Caller
from tests.nodes.web import Web

LoopFactory = Callable[[], asyncio.AbstractEventLoop]
SETTINGS = NodeSettings(register_timeout_ms=400)
LIMITS = Limits(reservation_ttl_ms=1_000, grace_ms=300, lonely_grace_ms=600)


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, LoopFactory]:
    """The product's loop."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
def cells() -> int:
    return 1


@pytest.fixture
def store(redis_url: str, prefix: str, cells: int) -> StoreSettings:
    return StoreSettings(url=redis_url, prefix=prefix, cells=cells, limits=LIMITS)


@pytest.fixture
async def open_web(store: StoreSettings) -> AsyncIterator[Callable[..., object]]:
    """Starts web processes: ``await open_web()`` for each."""
    async with AsyncExitStack() as stack:

        async def open_one(
            settings: NodeSettings = SETTINGS, sockets: SocketSettings | None = None
        ) -> Web:
            web = Web(store, settings, sockets)
            await stack.enter_async_context(web)
            return web

        yield open_one


@pytest.fixture
async def web(open_web) -> Web:
    web: Web = await open_web()
    return web


@pytest.fixture
async def caller(store: StoreSettings) -> AsyncIterator[Caller]:
    async with Caller(store) as caller:
        yield caller
