"""All pools there are: those with members, those that operators defined, and automatic ones that
just emptied. SQL's list of the last is kept in step with the cells.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from lua import views
from lua.views import PoolView
from pools.defining import values_of
from pools.kinds import Kind
from pools.models import Configuration, DefinedPool, Pool, PoolKind
from pools.store import store

EMPTY_FOR = timedelta(minutes=10)


@dataclass(frozen=True)
class PoolNow:
    """A pool as people see it. ``ready``: members that can take a job now; ``offers``: how many
    members offer each ``has:`` value. ``definition``: what an automatic pool serves, or what an
    operator said of another.
    """

    pool_id: str
    kind: str
    name: str
    definition: dict[str, Any]
    members: int = 0
    ready: int = 0
    offers: dict[str, int] = field(default_factory=dict)


def pools_now() -> dict[str, PoolNow]:
    """All pools, by id. Raises RedisError."""
    live = views.pools(store())
    defined = {pool.pool_id: values_of(pool) for pool in DefinedPool.objects.all()}
    known = {row.pool_id: row.definition for row in Pool.objects.exclude(pool_id__in=live)}
    known |= {pool: view.definition for pool, view in live.items()} | defined
    return {pool: _now(pool, known[pool], live) for pool in sorted(known)}


def kind_of(pool: str) -> str:
    """``auto``, ``pair``, ``mix``, ``own``; ``other`` is its own."""
    return pool.partition(":")[0]


def name_of(pool: str) -> str:
    """Without its kind: ``auto:en-zh`` is ``en-zh``."""
    return pool.partition(":")[2] or pool


def remember_pools(live: dict[str, PoolView], *, now: datetime) -> None:
    """Note the automatic pools that have members, as seen ``now``."""
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
            if kind_of(pool) == Kind.AUTO
        ],
        update_conflicts=True,
        unique_fields=["pool_id"],
        update_fields=["definition", "last_seen"],
    )


@transaction.atomic
def lead_cleanup(leader: str) -> Configuration:
    """Mark who does the periodic work from now on: whoever did it before may change nothing more,
    even if it wakes up after its lease.
    """
    Configuration.objects.get_or_create(pk=1)
    Configuration.objects.filter(pk=1).update(leader=leader)
    return Configuration.objects.get(pk=1)


@transaction.atomic
def forget_empty_pools(*, now: datetime, leader: str) -> int:
    """Remove automatic pools that have had no member for a while; returns how many. Nothing, when
    another leads by now.
    """
    # The write comes first: it makes two leaders wait for each other.
    if not Configuration.objects.filter(pk=1, leader=leader).update(leader=leader):
        return 0
    empty = Pool.objects.filter(kind=PoolKind.AUTO, last_seen__lt=now - EMPTY_FOR)
    return empty.delete()[0]


def _now(pool: str, definition: dict[str, Any], live: Mapping[str, PoolView]) -> PoolNow:
    view = live.get(pool)
    given = (pool, kind_of(pool), name_of(pool), definition)
    return PoolNow(*given, view.members, view.ready, view.offers) if view else PoolNow(*given)
