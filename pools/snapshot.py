"""What one process knows of all pools, to say where a job may go without asking anybody.

:meth:`Snapshot.compile_need` turns what a job asks into the ``Need`` that
:func:`lua.scripts.dispatch` places. Reloaded whenever a cell's pools or configuration change.
"""

import asyncio
import time
from collections.abc import Callable, Mapping

import msgspec

from lua.client import Cells
from lua.scripts import Need
from pools.ask import Ask
from pools.configuration import Configuration, decode
from pools.definition import Definition
from pools.known import Known
from pools.lacks import Offers
from pools.offered import Offered, offered
from pools.order import ANYBODY, Caller, Chooser
from pools.pinned import refusal_by
from pools.routes import Refusal, Route, refusal
from pools.serving import asked_of_one
from pools.settings import PoolSettings

CACHED_NEEDS = 4096
CACHED_SOURCES = 256


class Snapshot:
    """The pools of every cell and the configuration, as last read."""

    def __init__(self, cells: int, settings: PoolSettings | None = None) -> None:
        self._settings = settings or PoolSettings()
        self._cells = [Known() for _ in range(cells)]
        self.watchers: list[Callable[[int], None]] = []
        """Called with the cell whose configuration has a new version."""

    async def reload(self, cells: Cells, cell: int | None = None) -> None:
        """Read one cell's pools and configuration, or all cells'. Raises StoreError."""
        for number in range(len(self._cells)) if cell is None else (cell,):
            read_at_s = time.monotonic()
            pools, offers, (version, content) = await asyncio.gather(
                cells.pools(number), cells.offers(number), cells.config(number)
            )
            definitions = {
                name: msgspec.json.decode(body, type=Definition) for name, body in pools.items()
            }
            self.learn(number, definitions, decode(version, content), offers)
            self._cells[number].read_at_s = read_at_s

    def doubt(self, cell: int) -> None:
        """Redis has lost the pools, until their nodes are told again: meanwhile those known before
        count as well.
        """
        doubt_s = self._settings.doubt_ms / 1000
        self._cells[cell].doubted_until_s = time.monotonic() + doubt_s

    def is_doubted(self, cell: int) -> bool:
        """Whether nodes may be missing from a cell only because Redis lost them."""
        return time.monotonic() < self._cells[cell].doubted_until_s

    def learn(
        self,
        cell: int,
        pools: dict[str, Definition],
        configuration: Configuration,
        offers: Mapping[str, Offers] | None = None,
    ) -> None:
        """Replace what is known of a cell; an older configuration never replaces a newer."""
        known, offers = self._cells[cell], offers or {}
        if self.is_doubted(cell):
            pools = known.automatic | pools
            both = known.offers.keys() | offers.keys()
            offers = {one: {**known.offers.get(one, {}), **offers.get(one, {})} for one in both}
        known.automatic, known.offers = dict(sorted(pools.items())), offers
        self.decide(cell, configuration)

    def decide(self, cell: int, configuration: Configuration) -> None:
        """Take over what operators decided, unless something newer is known."""
        known = self._cells[cell]
        known.forget()
        if configuration.version > known.configuration.version:
            known.configuration, known.chooser = configuration, Chooser(configuration)
            for watcher in self.watchers:
                watcher(cell)

    def configuration(self, cell: int) -> Configuration:
        """What operators decided, as this cell has it."""
        return self._cells[cell].configuration

    def pools(self, cell: int) -> dict[str, Definition]:
        """The auto pools that have members in a cell."""
        return self._cells[cell].automatic

    def offered(self, cell: int, src: str) -> Offered:
        """What somebody who speaks ``src``, a primary subtag or ``auto``, can have translated."""
        known = self._cells[cell]
        if len(known.offered) > CACHED_SOURCES:
            known.offered.clear()
        found = known.offered.get(src)
        if found is None:
            found = known.offered[src] = offered(known, known.chooser, src)
        return found

    def why_not(self, cell: int, route: Route) -> Refusal:
        """Why no pool serves the languages."""
        known = self._cells[cell]
        return refusal(route, known.automatic.values(), others=known.offers)

    def cells_serving(self, route: Route) -> dict[int, list[str]]:
        """Cells in which some node can serve the languages, each with the pools of such nodes."""
        speaking = {number: cell.speaking(route) for number, cell in enumerate(self._cells)}
        return {cell: pools for cell, pools in speaking.items() if pools}

    async def find_cells(self, cells: Cells, route: Route) -> dict[int, list[str]]:
        """As :meth:`cells_serving`, but asks Redis before it says that there is none.

        Suspends only then. Raises StoreError.
        """
        asked_s = time.monotonic()
        found = self.cells_serving(route)
        if not found:
            every = range(len(self._cells))
            await asyncio.gather(*(self._read_since(asked_s, cells, cell) for cell in every))
            found = self.cells_serving(route)
        return found

    def compile_need(
        self, cell: int, ask: Ask, *, caller: Caller = ANYBODY, pin: str = ""
    ) -> Need | Refusal:
        """Where a job may go: equal requirements give the same ``Need``. Never suspends.

        A refusal may only be a matter of being late: see :meth:`need`.
        """
        if pin:
            return Need(pools=(), has=(*asked_of_one(ask.route), *ask.has), pin=pin)
        known = self._cells[cell]
        if len(known.needs) + len(known.served) > CACHED_NEEDS:
            known.forget()
        served = known.served.get(ask)
        if served is None:
            served = known.served[ask] = known.serving(ask)
        caller = known.chooser.variant(served.pools, caller)
        most = self._settings.job_pools
        return known.needs.get((ask, caller)) or known.need(ask, served, caller, most=most)

    async def need(
        self, cells: Cells, cell: int, ask: Ask, *, caller: Caller = ANYBODY, pin: str = ""
    ) -> Need | Refusal:
        """As :meth:`compile_need`, but asks Redis before it refuses: a pool may be new; and whether
        a node that is ``pin``ned does it.

        Suspends only then, for the ``reload_pause_ms`` between two readings at most. Raises
        StoreError.
        """
        asked_s = time.monotonic()
        if pin and (refused := await refusal_by(cells, pin, ask)):
            return refused
        need = self.compile_need(cell, ask, caller=caller, pin=pin)
        if isinstance(need, Refusal):
            await self._read_since(asked_s, cells, cell)
            need = self.compile_need(cell, ask, caller=caller, pin=pin)
        return need

    async def _read_since(self, asked_s: float, cells: Cells, cell: int) -> None:
        """One reading serves all who asked before it."""
        known = self._cells[cell]
        async with known.reading:
            if known.read_at_s >= asked_s:
                return
            next_s = known.read_at_s + self._settings.reload_pause_ms / 1000
            await asyncio.sleep(max(0.0, next_s - time.monotonic()))
            await self.reload(cells, cell)
