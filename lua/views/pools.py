"""Pools as they are now."""

import json
from dataclasses import dataclass
from typing import Any

from lua.client import StoreSettings
from lua.keys import cell_prefix
from lua.reader import client


@dataclass(frozen=True)
class PoolView:
    """A pool with members, over all cells. ``ready``: those that can take a job now."""

    pool: str
    definition: dict[str, Any]
    members: int
    ready: int


@dataclass(frozen=True)
class Member:
    """A node of a pool."""

    node: str
    ready: bool


def pools(store: StoreSettings) -> dict[str, PoolView]:
    """All pools that have members, in two round trips."""
    prefixes = [cell_prefix(store.prefix, cell) for cell in range(store.cells)]
    with client(store).pipeline(transaction=False) as pipe:
        for prefix in prefixes:
            pipe.hgetall(f"{prefix}pools")
        found = pipe.execute()
        definitions = {name.decode(): body for cell in found for name, body in cell.items()}
        for pool in definitions:
            for prefix in prefixes:
                pipe.scard(f"{prefix}pool:{pool}")
                pipe.scard(f"{prefix}ready:{pool}")
        counts = iter(pipe.execute())
    sizes = {pool: [(next(counts), next(counts)) for _ in prefixes] for pool in definitions}
    return {
        pool: PoolView(pool, json.loads(body), *map(sum, zip(*sizes[pool], strict=True)))
        for pool, body in definitions.items()
    }


def members(store: StoreSettings, pool: str) -> list[Member]:
    """The nodes of a pool by name, in one round trip."""
    with client(store).pipeline(transaction=False) as pipe:
        for cell in range(store.cells):
            prefix = cell_prefix(store.prefix, cell)
            pipe.smembers(f"{prefix}pool:{pool}")
            pipe.smembers(f"{prefix}ready:{pool}")
        replies = pipe.execute()
    everyone = set().union(*replies[::2])
    ready = set().union(*replies[1::2])
    return [Member(node.decode(), node in ready) for node in sorted(everyone)]
