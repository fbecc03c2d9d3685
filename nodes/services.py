"""What operators do to nodes, one or many at once. A decision is kept in SQL first, so it survives
everything; then the cells are told, and the nodes themselves.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from jobs.services import hand_out
from lua import ids, scripts, views
from lua.client import Cells
from lua.errors import StoreError
from lua.scripts import Command
from lua.states import NodeState
from nodes.models import Node
from pools import publication
from pools.store import call, store

AT_ONCE = 64
States = dict[str, NodeState | None]


class UnknownNode(Exception):
    """Neither SQL nor Redis knows the node."""


@dataclass(frozen=True)
class Told:
    """``states``: of each node now, None while it is not there. ``pending``: Redis is away; what
    was decided is kept, and done when it is back.
    """

    states: States
    pending: bool = False


def drain(
    nodes: Sequence[str],
    *,
    reason: str = "",
    deadline_s: int | None = None,
    request: HttpRequest | None = None,
) -> Told:
    """No new jobs, until they are resumed.

    What still runs after ``deadline_s`` is given to others; None: it may run to its end. Raises
    UnknownNode; RedisError when Redis is away and SQL does not know a node.
    """
    until = None if deadline_s is None else timezone.now() + timedelta(seconds=deadline_s)
    _decide(nodes, drain=True, drain_until=until, note=reason)
    deadline_ms = -1 if deadline_s is None else 1000 * deadline_s
    try:
        # The configuration alone would drain them too, but nobody would learn why.
        states = _tell(nodes, Command.DRAIN, reason, request, deadline_ms=deadline_ms)
        publication.publish_now(request)
    except StoreError:
        return _pending(nodes)
    return Told(states)


def resume(nodes: Sequence[str], *, request: HttpRequest | None = None) -> Told:
    """Take jobs again: ends a drain and switches disabled nodes on. Otherwise as ``drain``."""
    _decide(nodes, drain=False, drain_until=None, enabled=True, note="")
    try:
        # First, because a registration by the old configuration would drain it again.
        publication.publish_now(request)
        states = _tell(nodes, Command.RESUME, "", request)
    except StoreError:
        return _pending(nodes)
    return Told(states)


def disable(nodes: Sequence[str], *, reason: str = "", request: HttpRequest | None = None) -> Told:
    """Never use them, also when they register anew. Otherwise as ``drain``."""
    _decide(nodes, enabled=False, note=reason)
    try:
        states = _tell(nodes, Command.DISABLE, reason, request)
        publication.publish_now(request)
    except StoreError:
        return _pending(nodes)
    return Told(states)


def control(
    nodes: Sequence[str],
    command: Command,
    *,
    reason: str = "",
    request: HttpRequest | None = None,
) -> Told:
    """What is done now or not at all. Raises UnknownNode, RedisError and StoreError.

    KICK closes the connection; deployed agents come back once, after 5 s. SHUTDOWN gives no new
    jobs and closes it when those that run have ended; who comes back is used again. REFRESH asks
    for a heartbeat. CLEAR closes the breaker, whatever the node did before.
    """
    _make_sure_they_exist(nodes)
    return Told(_tell(nodes, command, reason, request))


def _tell(
    nodes: Sequence[str],
    command: Command,
    reason: str,
    request: HttpRequest | None,
    *,
    deadline_ms: int = -1,
) -> States:
    async def tell(cells: Cells, node: str) -> NodeState | None:
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

    async def tell_all(cells: Cells) -> States:
        states: States = {}
        for some in _chunks(nodes):
            told = await asyncio.gather(*(tell(cells, node) for node in some))
            states |= zip(some, told, strict=True)
        return states

    return call(tell_all, request)


def _pending(nodes: Sequence[str]) -> Told:
    return Told(dict.fromkeys(nodes), pending=True)


def _decide(nodes: Sequence[str], **decision: str | bool | datetime | None) -> None:
    _make_sure_they_exist(nodes)
    with transaction.atomic():
        for some in _chunks(nodes):
            Node.objects.filter(pk__in=some).update(**decision)
        publication.count_change()


def _make_sure_they_exist(nodes: Sequence[str]) -> None:
    now = timezone.now()
    for some in _chunks(nodes):
        known = set(Node.objects.filter(pk__in=some).values_list("node_id", flat=True))
        if not (new := [node for node in some if node not in known]):
            continue
        live = views.nodes(store(), new)
        if strangers := [node for node in new if node not in live]:
            raise UnknownNode(strangers[0])
        rows = [Node(node_id=node, first_seen=now, last_seen=now) for node in new]
        Node.objects.bulk_create(rows, ignore_conflicts=True)


def _chunks(nodes: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(nodes), AT_ONCE):
        yield nodes[start : start + AT_ONCE]
