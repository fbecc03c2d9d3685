"""What one process knows of one cell's pools, and what it has worked out of that."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, islice

from lua.scripts import Need
from pools.ask import Ask
from pools.configuration import Configuration
from pools.offered import Offered
from pools.order import Caller, Chooser, Ranking
from pools.routes import Refusal, format_refusal, refusal, tenant_refusal
from pools.serving import CellPools, Serving


@dataclass
class Known(CellPools):
    """``served``, ``needs`` and ``offered``: what was worked out. ``read_at_s``: when it was read,
    by the monotonic clock. ``turn``: where in a ring of pools the next job begins.
    """

    chooser: Chooser = field(default_factory=lambda: Chooser(Configuration()))
    served: dict[Ask, Serving] = field(default_factory=dict)
    needs: dict[tuple[Ask, Caller], Need] = field(default_factory=dict)
    offered: dict[str, Offered] = field(default_factory=dict)
    read_at_s: float = float("-inf")
    doubted_until_s: float = float("-inf")
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    turn: Iterator[int] = field(default_factory=count)

    def forget(self) -> None:
        """What was worked out is to be worked out anew."""
        self.served.clear()
        self.needs.clear()
        self.offered.clear()

    def need(self, ask: Ask, served: Serving, caller: Caller, *, most: int) -> Need | Refusal:
        """Where a job may go, worked out anew: to so many pools at most."""
        ranking = self.chooser.rank(served.pools, served.lacking, caller)
        if not ranking.pools:
            return self._refusal(ask, ranking)
        if len(ranking.pools) <= most:
            need = self.needs[ask, caller] = self._need(served, ranking)
            return need
        if len(ranking.groups) == 1:  # another part of the ring each time
            pools, start = ranking.pools, next(self.turn) * most % len(ranking.pools)
            some = sorted(islice(pools[start:] + pools, most))
            left = tuple((pool, "limit") for pool in pools if pool not in some)
            return self._need(served, Ranking((tuple(some),), ranking.passed + left))
        return self._need(served, ranking.first(most))

    def _refusal(self, ask: Ask, ranking: Ranking) -> Refusal:
        if ranking.passed:
            return tenant_refusal()
        if serving := self.automatic_for(ask.route):
            return format_refusal(ask.audio_format, serving)
        return refusal(ask.route, self.automatic.values(), others=self.offers)

    def _need(self, served: Serving, ranking: Ranking) -> Need:
        return Need(
            pools=ranking.pools,
            has=served.has,
            starts=ranking.starts,
            sample=self.chooser.samples(ranking.pools),
            wishes=served.wishes,
            passed=" ".join(f"{pool}:{why}" for pool, why in ranking.passed),
        )
