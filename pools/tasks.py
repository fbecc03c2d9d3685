"""Periodic work on pools, done by one worker at a time."""

from celery import shared_task
from django.utils import timezone

from lua import views
from lua.lock import lead
from pools.services import forget_empty_pools, remember_pools
from pools.store import store

LEASE_MS = 25_000


@shared_task
def clean_pools() -> None:
    """Note the pools there are and remove those that have been empty for a while."""
    with lead(store(), "pools", ttl_ms=LEASE_MS) as leadership:
        if leadership is None:
            return
        now = timezone.now()
        remember_pools(views.pools(store()), now=now)
        if leadership.still_holds():
            forget_empty_pools(now=now)
