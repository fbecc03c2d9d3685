"""The order in which a job tries the pools that serve it: decided here and nowhere else."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby

import msgspec

from pools.configuration import DEFAULT_PRIORITY, Configuration, OwnPool
from pools.kinds import Policy, TenantRule

FNV_OFFSET, FNV_PRIME = 0x811C9DC5, 0x01000193  # of FNV-1a, 32 bits
Groups = list[list[str]]


class Caller(msgspec.Struct, frozen=True):
    """Who wants a job done. ``session`` may be empty; ``present``: the pool that its session had
    last for the same languages.
    """

    tenant: str = ""
    session: str = ""
    present: str = ""


ANYBODY = Caller()


@dataclass(frozen=True)
class Ranking:
    """Pools in groups, each tried when nobody is free in those before; why others are left out."""

    groups: tuple[tuple[str, ...], ...]
    passed: tuple[tuple[str, str], ...] = ()

    @property
    def pools(self) -> tuple[str, ...]:
        return tuple(chain.from_iterable(self.groups))

    @property
    def starts(self) -> frozenset[str]:
        """The first pool of every group but the first."""
        return frozenset(group[0] for group in self.groups[1:])

    def first(self, most: int) -> "Ranking":
        """The first ``most`` pools; the others are passed over."""
        kept = set(self.pools[:most])
        groups = (tuple(pool for pool in group if pool in kept) for group in self.groups)
        left = tuple((pool, "limit") for pool in self.pools[most:])
        return Ranking(tuple(group for group in groups if group), self.passed + left)


def fnv1a(text: str, seed: int) -> int:
    """FNV-1a of the text's UTF-8, 32 bits; the seed changes where it begins."""
    found = FNV_OFFSET ^ (seed & 0xFFFFFFFF)
    for byte in text.encode():
        found = ((found ^ byte) * FNV_PRIME) & 0xFFFFFFFF
    return found


class Chooser:
    """The policy of one configuration."""

    def __init__(self, configuration: Configuration) -> None:
        self._choosing = configuration.choosing
        self._own = {pool.id: pool for pool in configuration.pools}
        self._of_tenant: dict[str, list[OwnPool]] = {}
        for pool in configuration.pools:
            for tenant in pool.tenants:
                self._of_tenant.setdefault(tenant, []).append(pool)

    def variant(self, serving: Sequence[str], caller: Caller) -> Caller:
        """What of the caller matters: callers that have the same get the same ranking."""
        tenant = caller.tenant if caller.tenant in self._of_tenant else ""
        match self._choosing.policy:
            case Policy.AFFINITY if serving:
                place = fnv1a(caller.tenant or caller.session, self._choosing.hash_seed)
                return Caller(tenant, present=serving[place % len(serving)])
            case Policy.SESSION if caller.present in serving:
                return Caller(tenant, present=caller.present)
        return Caller(tenant)

    def rank(self, serving: Sequence[str], lacking: Collection[str], caller: Caller) -> Ranking:
        """Order the pools that serve a job, by name, for what :meth:`variant` said of its caller.

        Pools of which no member offers all that is asked come last. What members offer may have
        changed since it was read, so no pool is left out for it.
        """
        mine, others, passed = self._split(serving, caller.tenant)
        groups = [mine, *self._by_policy(others, caller)]
        if not self._choosing.fallback_scan:
            first = next((group for group in groups if group), [])
            passed += [(one, "no_fallback") for one in chain(*groups) if one not in first]
            groups = [first]
        willing = [[one for one in group if one not in lacking] for group in groups]
        unwilling = [one for group in groups for one in group if one in lacking]
        kept = (tuple(group) for group in (*willing, unwilling) if group)
        return Ranking(tuple(kept), tuple(passed))

    def samples(self, pools: Iterable[str]) -> tuple[tuple[str, int], ...]:
        """Pools that say how many of their members are looked at."""
        sizes = ((pool, self._own[pool].sample_k) for pool in pools if pool in self._own)
        return tuple((pool, size) for pool, size in sizes if size)

    def _split(
        self, serving: Sequence[str], tenant: str
    ) -> tuple[list[str], list[str], list[tuple[str, str]]]:
        """The tenant's own pools, those for everybody, and those for neither, with the reason."""
        bound = {pool.id: pool.tenant_rule for pool in self._of_tenant.get(tenant, ())}
        mine = [pool for pool in serving if pool in bound]
        others = [pool for pool in serving if pool not in bound and not self._tenants(pool)]
        passed = [
            (pool, "other_tenant") for pool in serving if pool not in bound and self._tenants(pool)
        ]
        if TenantRule.STRICT in bound.values():
            passed += [(pool, "strict_tenant") for pool in others]
            strict = [pool for pool in mine if bound[pool] is TenantRule.STRICT]
            return strict, [], passed
        return mine, others, passed

    def _tenants(self, pool: str) -> tuple[str, ...]:
        return self._own[pool].tenants if pool in self._own else ()

    def _by_policy(self, pools: list[str], caller: Caller) -> Groups:
        present = caller.present
        match self._choosing.policy:
            case Policy.PRIORITY:
                ordered = sorted(pools, key=lambda pool: (self._priority(pool), pool))
                return [list(group) for _, group in groupby(ordered, key=self._priority)]
            case Policy.AFFINITY:
                return [[pool] for pool in _ring(pools, present)]
            case Policy.SESSION if present in pools:
                return [[present], [pool for pool in pools if pool != present]]
        return [pools]

    def _priority(self, pool: str) -> int:
        return self._own[pool].priority if pool in self._own else DEFAULT_PRIORITY


def _ring(pools: Sequence[str], first: str) -> Iterator[str]:
    """From ``first``, or the place where it would be, around."""
    start = sum(pool < first for pool in pools)
    yield from pools[start:]
    yield from pools[:start]
