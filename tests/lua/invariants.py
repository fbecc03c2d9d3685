"""The five invariants of the live state, checked on a whole cell between two commands.

1. ``used`` is the number of jobs a node holds, and no more than its capacity.
2. A job is in one state; final ones never change; every transition is in exactly one event.
3. ``ready:P`` holds exactly the members of P whose record says usable and not full,
   ``idle:P`` those of them that have no work.
4. Whatever is not at its end has a timer.
5. No key without an owner or a TTL.
"""

import asyncio
from collections.abc import Collection, Iterator

from lua.client import Cells
from lua.doctor import broken
from lua.keys import Life
from tests.lua.ledger import Ledger
from tests.lua.snapshot import READ_CELL, Snapshot, kind_of

__all__ = ["assert_cell_sound", "assert_nothing_left", "broken", "left_over", "read_cell"]


async def read_cell(cells: Cells, cell: int) -> Snapshot:
    """All keys of a cell, at one moment."""
    return Snapshot(await cells.plain.eval(READ_CELL, 0, cells.prefixes[cell]))


async def assert_cell_sound(
    cells: Cells, cell: int = 0, *, overfull: Collection[str] = (), ledger: Ledger | None = None
) -> Snapshot:
    """All invariants hold. ``overfull``: nodes whose capacity was lowered below what they hold.

    Without a ``ledger`` of earlier checks the whole stream of events is read: nothing may have
    been trimmed.
    """
    snapshot = await read_cell(cells, cell)
    wrong = [
        *broken(snapshot, overfull=overfull),
        *(ledger or Ledger()).read(snapshot),
    ]
    assert not wrong, "\n".join(wrong)
    return snapshot


async def assert_nothing_left(cells: Cells) -> None:
    """After the end of all nodes, jobs and sessions: only what is for ever, or ends by itself."""
    snapshots = await asyncio.gather(*(read_cell(cells, cell) for cell in range(cells.count)))
    for snapshot in snapshots:
        assert not sorted(left_over(snapshot))


def left_over(cell: Snapshot) -> Iterator[str]:
    """Keys that neither stay for ever nor end by themselves."""
    for key, content in cell.keys.items():
        kind = kind_of(key)
        if content.ttl_ms == -1 and (kind is None or kind.life is not Life.FOREVER):
            yield key
