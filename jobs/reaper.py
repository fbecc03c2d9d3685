"""The reaper: has a cell do what time demands. Any process may, and all do, out of step."""

import asyncio
import random

import structlog

from lua import scripts
from lua.client import Cells
from lua.errors import ScriptFailed, StoreError

log = structlog.get_logger(__name__)


async def reap(cells: Cells, cell: int, *, pause_ms: int, limit: int) -> None:
    """Every ``pause_ms`` or so, ``limit`` due timers a call; at once again while more are due.

    Never ends.
    """
    fault = ""
    while True:
        more = False
        try:
            more = (await scripts.reap(cells, cell=cell, limit=limit)).more
            fault = ""
        except ScriptFailed as error:
            if str(error) != fault:  # not four times a second
                log.error("time stands still: ask the doctor", cell=cell, why=str(error))
            fault = str(error)
        except StoreError:
            pass
        if not more:
            await asyncio.sleep(pause_ms / 1000 * random.uniform(0.75, 1.25))
