"""Pools as they are now."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from lua.client import Cells, StoreSettings
from lua.errors import UNREACHABLE, StoreUnavailable
from lua.keys import cell_prefix
from lua.reader import client
from lua.states import Reason
from lua.views.nodes import load_of

LOOKED_AT = 20


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


async def standing(cells: Cells, cell: int, pools: Collection[str]) -> dict[str, Reason]:
    """How each pool of a cell stands: USABLE when a member can take a job now, else the reason of
    most of 20 of its members; NO_NODES without any. Raises StoreUnavailable.
    """
    prefix, names = cells.prefixes[cell], list(pools)
    try:
        async with cells.plain.pipeline(transaction=False) as pipe:
            for pool in names:
                pipe.scard(f"{prefix}ready:{pool}")
                pipe.srandmember(f"{prefix}pool:{pool}", LOOKED_AT)
            replies = await pipe.execute()
            found = dict(zip(names, zip(replies[::2], replies[1::2], strict=True), strict=True))
            some = sorted({node for ready, few in found.values() if not ready for node in few})
            if some:
                pipe.hmget(f"{prefix}fleet", some)
            records = (await pipe.execute())[0] if some else []
    except UNREACHABLE as error:
        raise StoreUnavailable(str(error)) from error
    why = {node: _reason(raw) for node, raw in zip(some, records, strict=True)}
    return {
        pool: Reason.USABLE if ready else _most(why[node] for node in few)
        for pool, (ready, few) in found.items()
    }


async def ready_members(cells: Cells, pools: Mapping[int, Collection[str]]) -> list[int]:
    """How many members of some pools of each cell can take a job now; one in two pools counts
    twice. One round trip. Raises StoreUnavailable.
    """
    try:
        async with cells.plain.pipeline(transaction=False) as pipe:
            for cell, names in pools.items():
                for pool in names:
                    pipe.scard(f"{cells.prefixes[cell]}ready:{pool}")
            counts = iter(await pipe.execute())
    except UNREACHABLE as error:
        raise StoreUnavailable(str(error)) from error
    return [sum(islice(counts, len(names))) for names in pools.values()]


def _reason(raw: bytes | None) -> Reason:
    """A node without a free slot may still be usable."""
    reason = load_of(raw).reason if raw else Reason.OFFLINE
    return Reason.CAPACITY_EXCEEDED if reason is Reason.USABLE else reason


def _most(reasons: Iterable[Reason]) -> Reason:
    counted = Counter(reasons)
    if Reason.CAPACITY_EXCEEDED in counted:  # somebody who is only busy is worth waiting for
        return Reason.CAPACITY_EXCEEDED
    return counted.most_common(1)[0][0] if counted else Reason.NO_NODES


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
