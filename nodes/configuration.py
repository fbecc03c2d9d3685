"""What operators decided, on its way from SQL to the cells and so to every process.

SQL is the truth. A cell that knows an older version (or nothing, after a loss of Redis) is told
again by a periodic task.
"""

import msgspec
from django.db import transaction
from django.db.models import F

from lua import scripts, views
from lua.client import Cells
from nodes.models import Node
from pools.models import Configuration
from pools.store import store


class Content(msgspec.Struct):
    """What :mod:`pools.snapshot` reads in every process."""

    disabled_nodes: list[str]
    drained_nodes: list[str]


def count_change() -> None:
    """A new version. Call it in the transaction of the change, and ``publish`` after it."""
    Configuration.objects.get_or_create(pk=1)
    Configuration.objects.filter(pk=1).update(version=F("version") + 1)


@transaction.atomic
def current() -> tuple[int, bytes]:
    """Version and content, as SQL has them now. Version 0: nothing was ever decided."""
    row = Configuration.objects.filter(pk=1).first()
    disabled = Node.objects.filter(enabled=False).values_list("node_id", flat=True)
    drained = Node.objects.filter(drain=True).values_list("node_id", flat=True)
    content = Content(sorted(disabled), sorted(drained))
    return (row.version if row else 0), msgspec.json.encode(content)


def is_published() -> bool:
    """Whether every cell has SQL's version, or nothing was ever decided. Raises RedisError."""
    row = Configuration.objects.filter(pk=1).first()
    return row is None or all(cell.config >= row.version for cell in views.cells(store()))


async def publish(cells: Cells, version: int, content: bytes) -> None:
    """Write a configuration to every cell that has an older one. Raises StoreError."""
    for cell in range(cells.count):
        await scripts.write_config(cells, cell=cell, version=version, content=content)
