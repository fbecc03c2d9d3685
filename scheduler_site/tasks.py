"""What belongs to the service as a whole.

The canary: while it sings, the broker, beat and the worker do their work.
"""

import time

from celery import shared_task
from django.core.cache import cache

from lua.libraries import forget_unused
from pools.store import store

CANARY_KEY = "canary"
CANARY_TTL_S = 3600


@shared_task
def sing() -> None:
    """Leave the time of this sign of life, Unix ms, in the cache."""
    cache.set(CANARY_KEY, int(time.time() * 1000), CANARY_TTL_S)


def last_song_ms() -> int | None:
    """Time of the worker's last sign of life; None: none for an hour, or ever."""
    value: int | None = cache.get(CANARY_KEY)
    return value


@shared_task
def forget_functions() -> None:
    """Delete what earlier versions of the scripts left in Redis."""
    forget_unused(store())
