"""What operators do to a node. A decision is kept in SQL first, so it survives everything; then the
cells are told, and the node itself.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from jobs.services import hand_out
from lua import ids, scripts, views
from lua.client import Cells
from lua.scripts import Command
from lua.states import NodeState
from nodes.models import Node
from pools import publication
from pools.store import call, store


class UnknownNode(Exception):
    """Neither SQL nor Redis knows the node."""


def drain(
    node: str,
    *,
    reason: str = "",
    deadline_s: int | None = None,
    request: HttpRequest | None = None,
) -> NodeState | None:
    """No new jobs, until it is resumed. Returns its state now; None while it is not there.

    What still runs after ``deadline_s`` is given to others; None: it may run to its end. Raises
    UnknownNode; StoreError when Redis is away: the decision is kept all the same.
    """
    until = None if deadline_s is None else timezone.now() + timedelta(seconds=deadline_s)
    _decide(node, drain=True, drain_until=until, note=reason)
    # The configuration alone would drain it too, but nobody would learn why.
    deadline_ms = -1 if deadline_s is None else 1000 * deadline_s
    state = control(node, Command.DRAIN, reason=reason, deadline_ms=deadline_ms, request=request)
    publication.publish_now(request)
    return state


def resume(node: str, *, request: HttpRequest | None = None) -> NodeState | None:
    """Take jobs again: ends a drain and switches a disabled node on. Otherwise as ``drain``."""
    _decide(node, drain=False, drain_until=None, enabled=True, note="")
    # First, because a registration by the old configuration would drain it again.
    publication.publish_now(request)
    return control(node, Command.RESUME, request=request)


def disable(node: str, *, reason: str = "", request: HttpRequest | None = None) -> None:
    """Never use it, also when it registers anew. Otherwise as ``drain``."""
    _decide(node, enabled=False, note=reason)
    control(node, Command.DISABLE, reason=reason, request=request)
    publication.publish_now(request)


def kick(node: str, *, reason: str = "", request: HttpRequest | None = None) -> NodeState | None:
    """Close its connection now. Deployed agents come back once, after 5 s. Raises StoreError."""
    _make_sure_it_exists(node)
    return control(node, Command.KICK, reason=reason, request=request)


def clear(node: str, *, reason: str = "", request: HttpRequest | None = None) -> NodeState | None:
    """Close its breaker, whatever it did before. Raises UnknownNode and StoreError."""
    _make_sure_it_exists(node)
    return control(node, Command.CLEAR, reason=reason, request=request)


def control(
    node: str,
    command: Command,
    *,
    reason: str = "",
    deadline_ms: int = -1,
    request: HttpRequest | None = None,
) -> NodeState | None:
    """Tell a live node; None if it is not there."""

    async def tell(cells: Cells) -> NodeState | None:
        cell = ids.cell_of_node(node, cells.count)
        reply = await scripts.control_node(
            cells,
            cell=cell,
            node=node,
            command=command,
            reason=reason,
            deadline_ms=deadline_ms,
        )
        if not isinstance(reply, scripts.Ok):
            return None
        if reply.more:
            await hand_out(cells, cell, node)
        return reply.state

    return call(tell, request)


def _decide(node: str, **decision: str | bool | datetime | None) -> None:
    _make_sure_it_exists(node)
    with transaction.atomic():
        Node.objects.filter(pk=node).update(**decision)
        publication.count_change()


def _make_sure_it_exists(node: str) -> None:
    if Node.objects.filter(pk=node).exists():
        return
    if node not in views.nodes(store(), [node]):
        raise UnknownNode(node)
    now = timezone.now()
    Node.objects.get_or_create(pk=node, defaults={"first_seen": now, "last_seen": now})
