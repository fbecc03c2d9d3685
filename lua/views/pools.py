"""Pools as they are now."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lua.client import StoreSettings
from lua.keys import cell_prefix
from lua.reader import client


@dataclass(frozen=True)
class PoolView:
    """A pool with members, over all cells. ``ready``: those that can take a job now.
    ``definition`` is that of an automatic pool. ``offers``: ``has:`` value → members that offer it.
    """

    pool: str
    definition: dict[str, Any]
    members: int
    ready: int
    offers: dict[str, int]


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
            pipe.hgetall(f"{prefix}offers")
        replies = pipe.execute()
        definitions = {name.decode(): body for cell in replies[::2] for name, body in cell.items()}
        offers = _summed(line for cell in replies[1::2] for line in cell.items())
        for pool in offers:
            for prefix in prefixes:
                pipe.scard(f"{prefix}pool:{pool}")
                pipe.scard(f"{prefix}ready:{pool}")
        counts = iter(pipe.execute())
    sizes = {pool: [(next(counts), next(counts)) for _ in prefixes] for pool in offers}
    return {
        pool: PoolView(
            pool,
            json.loads(definitions.get(pool, b"{}")),
            members=sum(members for members, _ in sizes[pool]),
            ready=sum(ready for _, ready in sizes[pool]),
            offers=dict(offered),
        )
        for pool, offered in offers.items()
    }


def _summed(lines: Iterable[tuple[bytes, bytes]]) -> dict[str, Counter[str]]:
    """By pool, from lines of ``offers``."""
    found: dict[str, Counter[str]] = {}
    for line, count in lines:
        pool, *values = line.decode().split()
        found.setdefault(pool, Counter()).update(dict.fromkeys(values, int(count)))
    return found


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
