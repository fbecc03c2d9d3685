"""Pages of live nodes, by name. A page starts after the name that its cursor holds."""

from base64 import b64decode, urlsafe_b64encode
from bisect import bisect_right
from dataclasses import dataclass

from rest_framework.exceptions import ValidationError

from lua import views
from lua.views import NodeView
from nodes.api.serializers import shown_state
from pools.store import store

CHUNK = 200


@dataclass(frozen=True)
class Page:
    """Some nodes, and where the next page starts; None: this is the last."""

    nodes: list[NodeView]
    next: str | None


def page(*, cursor: str, size: int, state: str | None, pool: str) -> Page:
    """At most ``size`` nodes, optionally of a state and a pool. Raises ValidationError."""
    names = _names(pool)
    names = names[bisect_right(names, _name(cursor)) :] if cursor else names
    found: list[NodeView] = []
    for start in range(0, len(names), CHUNK):
        chunk = views.nodes(store(), names[start : start + CHUNK]).values()
        found += [node for node in chunk if state in (None, shown_state(node))]
        if len(found) > size:
            return Page(found[:size], cursor_after(found[size - 1].node))
    return Page(found, None)


def cursor_after(node: str) -> str:
    """The opaque text for a page that starts after a node."""
    return urlsafe_b64encode(node.encode()).decode()


def _name(cursor: str) -> str:
    try:
        return b64decode(cursor, altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise ValidationError({"cursor": "This is no cursor of ours."}) from error


def _names(pool: str) -> list[str]:
    if pool:
        return [member.node for member in views.members(store(), pool)]
    return sorted(views.fleet(store()))
