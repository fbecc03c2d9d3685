"""A process's lease in one cell: says every half second that it lives, and learns what is new."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from lua import scripts
from lua.client import Cells
from lua.errors import StoreError
from pools.configuration import content_of
from pools.snapshot import Snapshot


class Lease:
    """``on_loss(cell)`` is called when Redis may not know any more what this process holds: the
    lease had ended, the connection was lost, or it is another life of Redis.
    """

    def __init__(
        self,
        cells: Cells,
        snapshot: Snapshot,
        *,
        cell: int,
        process: str,
        pause_ms: int,
        on_loss: Callable[[int], None],
    ) -> None:
        self.held = asyncio.Event()  # set once it was had for the first time
        self._cells = cells
        self._snapshot = snapshot
        self._cell = cell
        self._process = process
        self._pause_s = pause_ms / 1000
        self._on_loss = on_loss
        self._asked = asyncio.Event()
        self._in_doubt = False
        self._epoch = ""
        self._read: tuple[int, int] | None = None  # versions that the snapshot has

    def look(self) -> None:
        """Something is new: renew now, which tells what."""
        self._asked.set()

    def doubt(self) -> None:
        """Redis may have lost something: whatever it answers, this counts as a loss."""
        self._in_doubt = True
        self._asked.set()

    async def keep(self) -> None:
        """Never ends."""
        while True:
            self._asked.clear()
            with suppress(StoreError):
                await self._renew()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s):
                    await self._asked.wait()

    async def _renew(self) -> None:
        reply = await scripts.renew_lease(self._cells, cell=self._cell, process=self._process)
        if self._epoch not in ("", reply.epoch):
            self._snapshot.doubt(self._cell)
        forgot = await self._remind(reply.version)
        is_new = isinstance(reply, scripts.Lease) or reply.epoch != self._epoch
        if is_new or forgot or self._in_doubt:
            self._in_doubt, self._epoch, self._read = False, reply.epoch, None
            self._on_loss(self._cell)
        self.held.set()
        versions = (reply.version, reply.pools)
        if versions != self._read:
            await self._snapshot.reload(self._cells, self._cell)
            self._read = None if self._snapshot.is_doubted(self._cell) else versions

    async def _remind(self, version: int) -> bool:
        """A cell that lost what operators decided is told it by whoever finds out first, before its
        nodes are told again. True when it had.
        """
        known = self._snapshot.configuration(self._cell)
        if known.version <= version:
            return False
        reply = await scripts.write_config(
            self._cells, cell=self._cell, version=known.version, content=content_of(known)
        )
        return isinstance(reply, scripts.Taught)
