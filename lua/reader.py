"""A blocking client for what people and periodic tasks read: never used between two frames."""

from functools import cache

import redis

from lua.client import SOCKET_OPTIONS, StoreSettings


@cache
def client(settings: StoreSettings) -> redis.Redis:
    """One pooled client for each store, shared by all threads. Replies are bytes."""
    return redis.Redis.from_url(settings.url, **SOCKET_OPTIONS)
