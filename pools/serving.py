"""Which pools of a cell can serve a job, and what their members must be asked for.

Members of an automatic pool are alike: what it serves and takes is known. The other pools promise
only what they were defined by, so their members are also asked for usual audio formats, and those
of ``other`` for the languages.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pools.ask import Ask
from pools.configuration import Configuration
from pools.definition import Definition
from pools.kinds import Kind
from pools.lacks import Offers
from pools.languages import AUTO
from pools.modules import BASE_FORMATS
from pools.routes import Route


@dataclass(frozen=True)
class Serving:
    """Pools that can serve a job, by name; ``lacking``: those in which no member offers all of
    ``has``, what its node must offer; ``wishes``: what some member offers of what it had better.
    """

    pools: tuple[str, ...]
    lacking: frozenset[str]
    has: tuple[str, ...]
    wishes: tuple[str, ...] = ()


@dataclass
class CellPools:
    """What is known of a cell: automatic pools with members, what the members of every pool offer,
    and the configuration.
    """

    automatic: dict[str, Definition] = field(default_factory=dict)
    offers: Mapping[str, Offers] = field(default_factory=dict)
    configuration: Configuration = field(default_factory=Configuration)

    def speaking(self, route: Route) -> list[str]:
        """Pools in which somebody can serve the languages."""
        return list(self._for_languages(route))

    def serving(self, ask: Ask) -> Serving:
        """Where a job may go, whoever wants it."""
        pools = [name for name in self._for_languages(ask.route) if self._takes(name, ask)]
        has = list(ask.has)
        if any(name not in self.automatic for name in pools):
            has += [f"format:{ask.audio_format}"] if ask.audio_format in BASE_FORMATS else []
        if Kind.OTHER in pools:
            has += asked_of_one(ask.route)
        lacking, wishes = self._lacking(pools, has), self._wishes(ask, pools) if ask.wishes else ()
        return Serving(tuple(sorted(pools)), lacking, tuple(has), wishes)

    def _wishes(self, ask: Ask, pools: Collection[str]) -> tuple[str, ...]:
        """What of it some member of the pools offers."""
        offered = [values for pool in pools for values in self.offers.get(pool, ())]
        return tuple(wish for wish in ask.wishes if any(wish in values for values in offered))

    def automatic_for(self, route: Route) -> list[tuple[str, Definition]]:
        """The automatic pools that serve the languages, by name."""
        return [(name, pool) for name, pool in self.automatic.items() if route.served_by(pool)]

    def _for_languages(self, route: Route) -> Iterator[str]:
        yield from (name for name, _ in self.automatic_for(route))
        for pool in self.configuration.pools:
            if pool.id in self.offers and route.served_by(pool):
                yield pool.id
        if self._some_member(Kind.OTHER, asked_of_one(route)):
            yield Kind.OTHER.value

    def _takes(self, name: str, ask: Ask) -> bool:
        pool = self.automatic.get(name)
        return pool is None or ask.audio_format not in pool.lacks

    def _lacking(self, pools: Iterable[str], has: Collection[str]) -> frozenset[str]:
        known = (name for name in pools if name in self.offers)
        return frozenset(name for name in known if not self._some_member(name, has))

    def _some_member(self, pool: str, has: Collection[str]) -> bool:
        return any(offered.issuperset(has) for offered in self.offers.get(pool, ()))


def asked_of_one(route: Route) -> list[str]:
    """What a node must offer to serve the languages, where no pool of its says that it does."""
    if route.src == AUTO:
        return [f"semantic:{route.tgt}"]
    heard = (route.src, route.tgt) if route.both_ways else (route.src,)
    repaired = dict.fromkeys((route.src, route.tgt))
    return [*(f"asr:{one}" for one in heard), *(f"semantic:{one}" for one in repaired)]
