"""The reaper: has a cell do what time demands. Any process may, and all do, out of step."""

import asyncio
import random

from lua import scripts
from lua.client import Cells
from lua.errors import StoreError


async def reap(cells: Cells, cell: int, *, pause_ms: int, limit: int) -> None:
    """Every ``pause_ms`` or so, ``limit`` due timers a call; at once again while more are due.

    Never ends.
    """
    while True:
        try:
            more = (await scripts.reap(cells, cell=cell, limit=limit)).more
        except StoreError:
            more = False
        if not more:
            await asyncio.sleep(pause_ms / 1000 * random.uniform(0.75, 1.25))
