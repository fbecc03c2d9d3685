"""SQL's list of pools, kept in step with the cells, so that people find those that just emptied."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lua import views
from lua.views import PoolView
from pools.models import Pool, PoolKind
from pools.store import store

EMPTY_FOR = timedelta(minutes=10)


@dataclass(frozen=True)
class PoolNow:
    """A pool as people see it. ``ready``: members that can take a job now."""

    pool_id: str
    kind: str
    name: str
    definition: dict[str, Any]
    members: int
    ready: int


def pools_now() -> dict[str, PoolNow]:
    """Pools with members, and those that had some a while ago, by id. Raises RedisError."""
    live = views.pools(store())
    empty = Pool.objects.exclude(pool_id__in=live)
    found = [
        *(PoolNow(p, PoolKind.AUTO, name_of(p), v.definition, v.members, v.ready)
          for p, v in live.items()),
        *(PoolNow(row.pool_id, row.kind, row.name, row.definition, 0, 0) for row in empty),
    ]  # fmt: skip
    return {pool.pool_id: pool for pool in sorted(found, key=lambda pool: pool.pool_id)}


def name_of(pool: str) -> str:
    """Without its kind: ``auto:en-zh`` is ``en-zh``."""
    return pool.partition(":")[2]


def remember_pools(live: dict[str, PoolView], *, now: datetime) -> None:
    """Note the pools that have members, as seen ``now``."""
    Pool.objects.bulk_create(
        [
            Pool(
                pool_id=pool,
                kind=PoolKind.AUTO,
                name=name_of(pool),
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
