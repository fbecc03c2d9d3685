"""Which classes of nodes have a pool of their own, while that is limited."""

from collections import Counter
from collections.abc import Collection, Mapping

from lua import views
from lua.views import PoolView
from pools.definition import definition_of, name_of
from pools.kinds import Kind
from pools.membership import capabilities_of
from pools.models import Configuration
from pools.store import store


def sizes(live: Mapping[str, PoolView]) -> Counter[str]:
    """Nodes of each class: those in their own pool, and those in ``other``. Raises RedisError."""
    found = Counter({
        pool: view.members for pool, view in live.items() if pool.startswith(f"{Kind.AUTO}:")
    })  # fmt: skip
    others = [member.node for member in views.members(store(), Kind.OTHER)]
    for node in views.nodes(store(), others).values():
        found[name_of(definition_of(capabilities_of(node)))] += 1
    return found


def choose(
    found: Mapping[str, int],
    present: Collection[str] | None,
    *,
    min_nodes: int,
    max_pools: int,
) -> list[str] | None:
    """The largest classes of ``min_nodes`` or more, at most ``max_pools`` (0: any number); one that
    has a pool keeps it until it has shrunk to less than half of that. None: every class.
    """
    if min_nodes <= 1 and not max_pools:
        return None
    kept = set(present or ())
    enough = [
        name
        for name, size in found.items()
        if size >= min_nodes or (name in kept and 2 * size >= min_nodes)
    ]
    ranked = sorted(enough, key=lambda name: (name not in kept, -found[name], name))
    return sorted(ranked[: max_pools or None])


def chosen(row: Configuration, live: Mapping[str, PoolView]) -> list[str] | None:
    """As the settings want it now. Raises RedisError."""
    return choose(
        sizes(live),
        row.auto_classes,
        min_nodes=row.auto_min_nodes,
        max_pools=row.auto_max_pools,
    )
