"""What one process knows of one cell's pools, and what it has worked out of that."""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, islice

from lua.scripts import Need
from pools.ask import Ask
from pools.configuration import Configuration
from pools.kinds import Kind
from pools.lacks import counted, refusal_by_pools
from pools.offered import Offered
from pools.order import Caller, Chooser, Ranking
from pools.routes import Refusal, refusal, tenant_refusal
from pools.serving import CellPools, Serving, asked_of_one


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
        if served.lacking.issuperset(ranking.pools):
            why = self._shortfall(served.has, ranking.pools)
            return replace(why, need=self._need(served, ranking.first(most)))
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
        asked, pools = asked_of_one(ask.route), [name for name, _ in ranking.passed]
        if pools:
            why, asked = tenant_refusal(), []
        elif pools := [name for name, _ in self.automatic_for(ask.route)]:
            return self._shortfall((f"format:{ask.audio_format}",), pools)
        else:
            why = refusal(ask.route, self.automatic.values(), others=self.offers)
            # Every node is in one of these, if there are any; some of its further pools may be too.
            pools = [name for name in self.offers if name in self.automatic or name == Kind.OTHER]
        offers = [self.offers[name] for name in pools or self.offers if name in self.offers]
        return replace(why, breakdown=counted(offers, asked, otherwise=why.reason))

    def _shortfall(self, has: Sequence[str], pools: Collection[str]) -> Refusal:
        """They serve the languages, but none of their members offers all that is asked."""
        offers = [self.offers[name] for name in pools if name in self.offers]
        serving = [self.automatic[name] for name in pools if name in self.automatic]
        why = refusal_by_pools(has, offers, serving)
        return replace(why, breakdown=counted(offers, has, otherwise=why.reason))

    def _need(self, served: Serving, ranking: Ranking) -> Need:
        return Need(
            pools=ranking.pools,
            has=served.has,
            starts=ranking.starts,
            sample=self.chooser.samples(ranking.pools),
            wishes=served.wishes,
            passed=" ".join(f"{pool}:{why}" for pool, why in ranking.passed),
        )
