"""Calls that make what is derived equal again to what it is derived from: see :mod:`lua.doctor`.

Each looks anew before it writes, so that all is safe while traffic runs.
"""

from dataclasses import dataclass

from lua.client import Cells
from lua.script import Script


@dataclass(frozen=True)
class Mended:
    """How many entries were wrong and are right now."""

    changes: int


MEND_NODE = Script("mend_node", (Mended,))
MEND_JOB = Script("mend_job", (Mended,))
MEND_SESSION = Script("mend_session", (Mended,))
MEND_QUEUE = Script("mend_queue", (Mended,))
MEND_ENTRY = Script("mend_entry", (Mended,))


async def mend_node(cells: Cells, *, cell: int, node: str) -> Mended:
    """Its record, jobs, memberships and timers, by its hash."""
    return await cells.run(MEND_NODE, cell, node)


async def mend_job(cells: Cells, *, cell: int, job: str) -> Mended:
    """Its timer and its places, by its hash."""
    return await cells.run(MEND_JOB, cell, job)


async def mend_session(cells: Cells, *, cell: int, session: str) -> Mended:
    """What it counts, which jobs it has, and who or what ends it, by its hash and its jobs."""
    return await cells.run(MEND_SESSION, cell, session)


async def mend_queue(
    cells: Cells, *, cell: int, sig: str, head: str = "", member: str = ""
) -> Mended:
    """A queue by the jobs in it; ``head``: a pool that may list it in vain; ``member``: an entry of
    it that may be no job's.
    """
    return await cells.run(MEND_QUEUE, cell, sig, head, member)


async def mend_entry(cells: Cells, *, cell: int, key: str, member: str = "") -> Mended:
    """An entry, or a whole key, that may have no owner. ``key`` without the cell's prefix.

    Of ``live_bytes`` and ``offers`` the ``member`` says what was counted: see the script.
    """
    return await cells.run(MEND_ENTRY, cell, key, member)
