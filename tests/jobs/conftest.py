import asyncio
from collections.abc import Callable, Iterator, Mapping

import pytest
import redis
import uvloop

from lua.client import StoreSettings
from tests.jobs.streams import Stream


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
