"""Tells a cell again what this process holds, after anything that may have made it forget."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from lua.errors import StoreError

log = structlog.get_logger(__name__)

Replayer = Callable[[int], Awaitable[None]]
PAUSE_S = 0.25


class Replay:
    """One a cell: one run at a time; asked again meanwhile, it runs once more."""

    def __init__(self, cell: int, replayers: Sequence[Replayer]) -> None:
        self._cell = cell
        self._replayers = replayers
        self._due = asyncio.Event()

    def ask(self) -> None:
        """Replay as soon as possible."""
        self._due.set()

    async def run(self) -> None:
        """Never ends."""
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                await asyncio.gather(*(replay(self._cell) for replay in self._replayers))
            except StoreError as error:
                log.warning("a replay is repeated", cell=self._cell, why=str(error))
                self._due.set()
                await asyncio.sleep(PAUSE_S)
