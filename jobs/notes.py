"""Notes in the history of what peers said and nobody could use: ids and codes, never free text."""

import asyncio
import re
import time
from collections import Counter

import structlog

from lua import ids, scripts
from lua.client import Cells
from lua.errors import StoreError
from lua.scripts import Sight

log = structlog.get_logger(__name__)

MOST_A_MINUTE = 20  # of one node: one that goes wild must not fill the history
MINUTE_S = 60.0
CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def code_of(text: str) -> str:
    """A code that a peer gave, if it looks like one: it may be anything."""
    return text if CODE.fullmatch(text) else "OTHER"


class Notes:
    """One a process. A note that Redis does not take is lost."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._counts: Counter[str] = Counter()
        self._counted_from_s = time.monotonic()
        self._tasks: set[asyncio.Task[None]] = set()

    def tell(self, what: Sight, *, cell: int, node: str, job: str = "", text: str = "") -> None:
        """Record it in the history of ``cell``; what is no job id of ours is left out."""
        if time.monotonic() - self._counted_from_s > MINUTE_S:
            self._counts.clear()
            self._counted_from_s = time.monotonic()
        self._counts[node] += 1
        if self._counts[node] > MOST_A_MINUTE:
            return
        known = job if ids.is_job(job) else ""
        task = asyncio.create_task(self._write(what, cell, node, known, text))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Give up what is not written yet."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _write(self, what: Sight, cell: int, node: str, job: str, text: str) -> None:
        try:
            await scripts.note(self._cells, cell=cell, what=what, job=job, node=node, text=text)
        except StoreError as error:
            log.warning("a note is lost", what=what, node=node, job=job, why=str(error))
