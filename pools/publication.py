"""What operators decided, on its way from SQL to the cells and so to every process.

SQL is the truth. A cell that knows an older version (or nothing, after a loss of Redis) is told
again by a periodic task.
"""

import asyncio
from collections.abc import Callable

import structlog
from asgiref.sync import sync_to_async
from django.db import DatabaseError, transaction
from django.db.models import F
from django.http import HttpRequest

from lua import scripts, views
from lua.client import Cells
from pools.configuration import Auto, Choosing, OwnPool, decode, encode
from pools.kinds import Kind, Mode, Policy, Scope, TenantRule
from pools.models import Configuration, DefinedPool
from pools.snapshot import Snapshot
from pools.store import call, store

log = structlog.get_logger(__name__)

FIRST_READ_S = 2.0


def _none() -> tuple[list[str], list[str]]:
    return [], []


# Nodes lie above pools: their app says here what was decided of them.
of_nodes: Callable[[], tuple[list[str], list[str]]] = _none


def count_change() -> int:
    """A new version. Call it in the transaction of the change, and ``publish`` after it."""
    Configuration.objects.get_or_create(pk=1)
    Configuration.objects.filter(pk=1).update(version=F("version") + 1)
    return Configuration.objects.values_list("version", flat=True).get(pk=1)


@transaction.atomic
def current() -> tuple[int, bytes]:
    """Version and content, as SQL has them now. Version 0: nothing was ever decided."""
    row = Configuration.objects.filter(pk=1).first() or Configuration()
    disabled, drained = of_nodes()
    content = encode(
        disabled=disabled,
        drained=drained,
        pools=[own_pool(pool) for pool in DefinedPool.objects.filter(enabled=True)],
        auto=auto_of(row),
        choosing=Choosing(Policy(row.policy), row.hash_seed, row.fallback_scan),
    )
    return row.version, content


def own_pool(pool: DefinedPool) -> OwnPool:
    """As the processes know it."""
    return OwnPool(
        id=pool.pool_id,
        kind=Kind(pool.kind),
        languages=tuple(pool.languages),
        services=tuple(pool.services),
        scope=Scope(pool.scope),
        mode=Mode(pool.mode),
        tenants=tuple(pool.tenants),
        tenant_rule=TenantRule(pool.tenant_rule),
        priority=pool.priority,
        sample_k=pool.sample_k,
    )


def auto_of(row: Configuration) -> Auto:
    """Which classes of nodes have pools."""
    classes = None if row.auto_classes is None else frozenset(row.auto_classes)
    return Auto(row.auto_on, classes, row.catch_all)


async def tell(snapshot: Snapshot, cells: int) -> None:
    """Have a process that begins know what SQL has, in case Redis has lost it. Without SQL it
    learns from Redis alone.
    """
    try:
        async with asyncio.timeout(FIRST_READ_S):
            version, content = await sync_to_async(current)()
    except (DatabaseError, TimeoutError) as error:
        log.warning("what operators decided can't be read", why=str(error))
        return
    for cell in range(cells):
        snapshot.decide(cell, decode(version, content))


def is_published() -> bool:
    """Whether every cell has SQL's version, or nothing was ever decided. Raises RedisError."""
    row = Configuration.objects.filter(pk=1).first()
    return row is None or all(cell.config >= row.version for cell in views.cells(store()))


async def publish(cells: Cells, version: int, content: bytes) -> None:
    """Write a configuration to every cell that has an older one. Raises StoreError."""
    for cell in range(cells.count):
        await scripts.write_config(cells, cell=cell, version=version, content=content)


def publish_now(request: HttpRequest | None = None) -> None:
    """Publish what SQL has. Raises StoreError when Redis is away; then the periodic task does."""
    version, content = current()
    call(lambda cells: publish(cells, version, content), request)
