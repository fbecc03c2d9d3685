from collections.abc import Iterator

import pytest
import redis

from lua.client import StoreSettings
from tests.jobs.streams import Stream


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
