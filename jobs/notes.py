"""Notes in the history of what peers said and nobody could use: ids and codes, never free text."""

import asyncio
import re
from collections import Counter

import structlog

from jobs.chores import Chores
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
    """One a process. Of what is too much only the number is told, when the minute is over; a note
    that Redis does not take is lost.
    """

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._counts: Counter[tuple[int, str]] = Counter()  # by cell and node
        self._minute: asyncio.TimerHandle | None = None
        self._chores = Chores()

    def tell(self, what: Sight, *, cell: int, node: str, job: str = "", text: str = "") -> None:
        """Record it in the history of ``cell``; what is no job id of ours is left out."""
        if self._minute is None:
            self._minute = asyncio.get_running_loop().call_later(MINUTE_S, self.end_minute)
        self._counts[cell, node] += 1
        if self._counts[cell, node] <= MOST_A_MINUTE:
            self._start(what, cell, node, job if ids.is_job(job) else "", text)

    def end_minute(self) -> None:
        """Tell how much was left out, and count anew."""
        if self._minute is not None:
            self._minute.cancel()
            self._minute = None
        for (cell, node), count in self._counts.items():
            if count > MOST_A_MINUTE:
                self._start(Sight.LEFT_OUT, cell, node, "", str(count - MOST_A_MINUTE))
        self._counts.clear()

    async def stop(self) -> None:
        """Give up what is not written yet."""
        if self._minute is not None:
            self._minute.cancel()
        await self._chores.stop()

    def _start(self, what: Sight, cell: int, node: str, job: str, text: str) -> None:
        self._chores.start(self._write(what, cell, node, job, text))

    async def _write(self, what: Sight, cell: int, node: str, job: str, text: str) -> None:
        try:
            await scripts.note(self._cells, cell=cell, what=what, job=job, node=node, text=text)
        except StoreError as error:
            log.warning("a note is lost", what=what, node=node, job=job, why=str(error))
