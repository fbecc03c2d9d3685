"""Periodic work on pools, done by one worker at a time."""

from uuid import uuid4

from celery import shared_task
from django.utils import timezone

from lua import views
from lua.lock import lead
from pools.classes import chosen
from pools.defining import save_classes
from pools.publication import publish_now
from pools.services import forget_empty_pools, lead_cleanup, remember_pools
from pools.store import store

LEASE_MS = 25_000


@shared_task
def clean_pools() -> None:
    """Note the pools there are, remove those that have been empty for a while, and decide which
    classes of nodes have pools while their number is limited.
    """
    with lead(store(), "pools", ttl_ms=LEASE_MS) as leadership:
        if leadership is None:
            return
        leader, now = uuid4().hex, timezone.now()
        row, live = lead_cleanup(leader), views.pools(store())
        remember_pools(live, now=now)
        if leadership.still_holds():
            forget_empty_pools(now=now, leader=leader)
        classes = chosen(row, live)
        changed = classes != row.auto_classes and leadership.still_holds()
        if changed and save_classes(classes, leader=leader):
            publish_now()
