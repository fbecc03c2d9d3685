"""What operators decided of nodes and pools, as every process knows it.

Made from SQL, published to every cell with a version, and read into each process's snapshot.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import msgspec

from pools.kinds import Kind, Mode, Policy, Scope, TenantRule
from pools.languages import AUTO

DEFAULT_PRIORITY = 100


class OwnPool(msgspec.Struct, frozen=True, omit_defaults=True):
    """A pool that an operator defined.

    ``languages``: of a pair the source and the target, of a mixed pool the target, else any number,
    each of which every member translates into each other. ``priority``: 1 comes first.
    ``sample_k``: members looked at for a job; 0: as many as usual.
    """

    id: str
    kind: Kind
    languages: tuple[str, ...]
    services: tuple[str, ...] = ()
    scope: Scope = Scope.CORE_ONLY
    mode: Mode = Mode.CONTAINS
    tenants: tuple[str, ...] = ()
    tenant_rule: TenantRule = TenantRule.FIRST
    priority: int = DEFAULT_PRIORITY
    sample_k: int = 0

    @property
    def sources(self) -> tuple[str, ...]:
        """Languages that every member understands."""
        return self.languages[: {Kind.PAIR: 1, Kind.MIXED: 0}.get(self.kind)]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """What every member translates; of a mixed pool nothing that is known beforehand."""
        match self.kind:
            case Kind.PAIR:
                return [(self.languages[0], self.languages[1])]
            case Kind.MIXED:
                return []
        return [(src, tgt) for src in self.languages for tgt in self.languages if src != tgt]

    def serves(self, src: str, tgt: str) -> bool:
        """Whether its members serve the pair; from ``auto``: from any language."""
        match self.kind:
            case Kind.PAIR:
                return src in (AUTO, self.languages[0]) and tgt == self.languages[1]
            case Kind.MIXED:
                return src == AUTO and tgt == self.languages[0]
        return tgt in self.languages and src != tgt and src in (AUTO, *self.languages)


class Auto(msgspec.Struct, frozen=True, omit_defaults=True):
    """Automatic pools. ``classes``: those that may have a pool of their own; None: every class.
    ``catch_all``: whether nodes of the others are in the pool ``other``.
    """

    on: bool = True
    classes: frozenset[str] | None = None
    catch_all: bool = True


class Choosing(msgspec.Struct, frozen=True, omit_defaults=True):
    """How jobs choose among the pools that serve them. ``fallback_scan``: when the pools that a
    policy prefers have nobody free, the others are looked at as well.
    """

    policy: Policy = Policy.SPREAD
    hash_seed: int = 0
    fallback_scan: bool = True


@dataclass(frozen=True)
class Configuration:
    """Nodes that are not used at all, nodes that take no new jobs, and what is said of pools.

    ``matched``: what the matching rule has answered, because many nodes are alike.
    """

    version: int = 0
    disabled: frozenset[str] = frozenset()
    drained: frozenset[str] = frozenset()
    pools: tuple[OwnPool, ...] = ()
    auto: Auto = Auto()  # noqa: RUF009 - frozen
    choosing: Choosing = Choosing()  # noqa: RUF009 - frozen
    matched: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)


class _Content(msgspec.Struct):
    disabled_nodes: list[str] = []
    drained_nodes: list[str] = []
    pools: tuple[OwnPool, ...] = ()
    auto: Auto = Auto()
    choosing: Choosing = Choosing()


def encode(
    *,
    disabled: Collection[str],
    drained: Collection[str],
    pools: Collection[OwnPool],
    auto: Auto,
    choosing: Choosing,
) -> bytes:
    """As it is published, the same for equal decisions."""
    content = _Content(
        sorted(disabled),
        sorted(drained),
        tuple(sorted(pools, key=lambda pool: pool.id)),
        auto,
        choosing,
    )
    return msgspec.json.encode(content, order="sorted")


def content_of(configuration: Configuration) -> bytes:
    """As it was published."""
    return encode(
        disabled=configuration.disabled,
        drained=configuration.drained,
        pools=configuration.pools,
        auto=configuration.auto,
        choosing=configuration.choosing,
    )


def decode(version: int, content: bytes) -> Configuration:
    """What was published; empty before the first decision."""
    if not content:
        return Configuration(version)
    read = msgspec.json.decode(content, type=_Content)
    return Configuration(
        version,
        frozenset(read.disabled_nodes),
        frozenset(read.drained_nodes),
        read.pools,
        read.auto,
        read.choosing,
    )
