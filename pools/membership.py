"""Live nodes seen through the matching rule: who would be in a pool, and what its members amount
to.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from lua import views
from lua.states import NodeState
from lua.views import NodeView
from pools.configuration import OwnPool
from pools.definition import Capabilities, ready_types
from pools.languages import primary
from pools.matching import why_not
from pools.store import store

NO_LANGUAGES = "no semantic languages"


@dataclass(frozen=True)
class Preview:
    """Live nodes that would be in a pool; and the others, with what keeps each out."""

    members: list[str]
    others: dict[str, str]


@dataclass(frozen=True)
class Summary:
    """What the live members of a pool offer: how many of them have each type, model, language of
    semantic repair. ``free_slots`` are those of members that can take a job now.
    """

    live: int
    free_slots: int
    types: dict[str, int]
    models: dict[str, int]
    languages: dict[str, int]


def preview(pool: OwnPool) -> Preview:
    """Raises RedisError."""
    members, others = [], {}
    for node in _live(list(views.fleet(store()))):
        if fault := _fault(pool, capabilities_of(node)):
            others[node.node] = fault
        else:
            members.append(node.node)
    return Preview(sorted(members), dict(sorted(others.items())))


def summary(pool: str) -> Summary:
    """Of the pool's members as they are now. Raises RedisError."""
    listed = views.members(store(), pool)
    ready = {member.node for member in listed if member.ready}
    live = _live([member.node for member in listed])
    loads = [node.load for node in live if node.node in ready]
    known = [(node, capabilities_of(node)) for node in live]
    return Summary(
        live=len(live),
        free_slots=sum(max(0, load.capacity - load.used - load.foreign) for load in loads),
        types=_counted(sorted(about.types) for _, about in known),
        models=_counted(_models(node) for node, _ in known),
        languages=_counted(sorted(about.semantic) for _, about in known),
    )


def capabilities_of(node: NodeView) -> Capabilities:
    """What its pools were decided by, as Redis has it."""
    values: dict[str, set[str]] = {}
    for value in node.has:
        kind, _, rest = value.partition(":")
        values.setdefault(kind, set()).add(rest)
    reported = node.caps.get("capability_by_type") or []
    services = node.caps.get("installed_services") or []
    known = node.caps.get("language_capabilities") or {}
    types = ready_types(
        [(entry["type"], entry["ready"]) for entry in reported],
        ((one["service_id"], one["type"], one["status"]) for one in services),
        semantic_core=bool(known.get("semantic_core_ready")),
        out=[one.service for one in node.out],
    )
    pairs = node.caps.get("nmt_pairs")
    return Capabilities(
        types=types,
        semantic=frozenset(values.get("semantic", ())),
        asr=frozenset(values.get("asr", ())),
        tts=frozenset(values.get("tts", ())),
        pairs=None if pairs is None else frozenset((primary(s), primary(t)) for s, t in pairs),
        formats=frozenset(values.get("format", ())),
    )


def _live(names: list[str]) -> list[NodeView]:
    nodes = views.nodes(store(), names).values()
    return [node for node in nodes if node.state is not NodeState.OFFLINE]


def _fault(pool: OwnPool, node: Capabilities) -> str:
    return why_not(pool, node) if node.semantic else NO_LANGUAGES


def _models(node: NodeView) -> list[str]:
    installed = node.caps.get("installed_models") or []
    return sorted({one["model_id"] for one in installed if one.get("enabled", True)})


def _counted(lists: Iterable[list[str]]) -> dict[str, int]:
    return dict(sorted(Counter(name for names in lists for name in names).items()))
