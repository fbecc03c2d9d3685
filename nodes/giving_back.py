"""Gives back a job whose frame was not written: the slot is free, and no try is used up."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from jobs.pauses import pauses
from lua import scripts
from lua.client import Cells
from lua.errors import StoreError


@dataclass(frozen=True)
class Placing:
    """An attempt of a job on a node."""

    cell: int
    node: str
    job: str
    attempt: int


async def give_back(
    cells: Cells, placing: Placing, code: str, *, is_wanted: Callable[[], bool] = lambda: True
) -> bool:
    """Tell Redis until it answers, while ``is_wanted``; True when ``offer`` is to be called.

    A ``take`` without an answer may have run, or run later, and after this it finds nothing.
    """
    over_s = time.monotonic() + cells.limits.job_life_ms / 1000
    pause_s = pauses()
    while time.monotonic() < over_s and is_wanted():
        try:
            reply = await scripts.release(
                cells,
                cell=placing.cell,
                job=placing.job,
                attempt=placing.attempt,
                node=placing.node,
                code=code,
            )
        except StoreError:
            await asyncio.sleep(next(pause_s))
        else:
            return isinstance(reply, scripts.Released) and reply.more
    return False
