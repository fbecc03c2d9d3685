"""Keeps SQL's list of pools in step with the cells, so that people find those that just emptied."""

from datetime import datetime, timedelta

from lua.views import PoolView
from pools.models import Pool, PoolKind

EMPTY_FOR = timedelta(minutes=10)


def remember_pools(live: dict[str, PoolView], *, now: datetime) -> None:
    """Note the pools that have members, as seen ``now``."""
    Pool.objects.bulk_create(
        [
            Pool(
                pool_id=pool,
                kind=PoolKind.AUTO,
                name=pool.partition(":")[2],
                definition=view.definition,
                first_seen=now,
                last_seen=now,
            )
            for pool, view in live.items()
        ],
        update_conflicts=True,
        unique_fields=["pool_id"],
        update_fields=["definition", "last_seen"],
    )


def forget_empty_pools(*, now: datetime) -> int:
    """Remove automatic pools that have had no member for a while; returns how many."""
    empty = Pool.objects.filter(kind=PoolKind.AUTO, last_seen__lt=now - EMPTY_FOR)
    return empty.delete()[0]
