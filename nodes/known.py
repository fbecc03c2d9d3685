"""Which nodes there are and were: SQL remembers them, Redis forgets those that left long ago."""

from datetime import datetime, timedelta

from jobs.models import Note
from jobs.services import hand_out
from lua import ids, scripts, views
from lua.client import Cells
from lua.scripts import Command
from lua.states import Reason
from lua.views import Load
from nodes.models import Node
from pools.store import store

MANY_LOST = "many_lost"
NOTED_EVERY = timedelta(minutes=1)
# What selection says of nodes that an operator has drained.
IDLE = (Reason.OFFLINE, Reason.STATUS_NOT_READY)
OFFLINE_MS = 3_600_000
# When most of a fleet is gone something else is wrong: then forget late and slowly.
OFFLINE_MS_WHEN_MOST_ARE_GONE = 86_400_000
LOST_TOGETHER_MS = 105_000  # within a minute, and silent for 45 s before that is seen
ALERT_EVERY = timedelta(minutes=10)
AT_ONCE, AT_ONCE_WHEN_MOST_ARE_GONE = 256, 4


def remember(fleet: dict[str, Load], *, now: datetime) -> None:
    """Keep a row of every node, and about when it was last seen."""
    known = dict(Node.objects.values_list("node_id", "last_seen"))
    live = [node for node, load in fleet.items() if load.reason is not Reason.OFFLINE]
    Node.objects.bulk_create(
        [Node(node_id=node, first_seen=now, last_seen=now) for node in fleet if node not in known],
        ignore_conflicts=True,
    )
    stale = [node for node in live if node in known and now - known[node] > NOTED_EVERY]
    for start in range(0, len(stale), 500):
        Node.objects.filter(node_id__in=stale[start : start + 500]).update(last_seen=now)


def to_forget(fleet: dict[str, Load], *, now: datetime) -> list[str]:
    """Nodes that have been silent for an hour (a day, while most are gone), the longest first, a
    bounded number.
    """
    offline = [node for node, load in fleet.items() if load.reason is Reason.OFFLINE]
    few = 2 * len(offline) <= len(fleet)
    limit = AT_ONCE if few else AT_ONCE_WHEN_MOST_ARE_GONE
    silent_ms = OFFLINE_MS if few else OFFLINE_MS_WHEN_MOST_ARE_GONE
    before_ms = now.timestamp() * 1000 - silent_ms
    old = [node for node in offline if fleet[node].beat_ms < before_ms]
    return sorted(old, key=lambda node: fleet[node].beat_ms)[:limit]


def alert_if_many_are_lost(fleet: dict[str, Load], *, now: datetime) -> None:
    """One alert in the history when more than half of the nodes, and not just one, were lost within
    a minute.
    """
    since_ms = now.timestamp() * 1000 - LOST_TOGETHER_MS
    live = sum(load.reason is not Reason.OFFLINE for load in fleet.values())
    offline = (load for load in fleet.values() if load.reason is Reason.OFFLINE)
    lost = sum(load.beat_ms >= since_ms for load in offline)
    told = Note.objects.filter(what=MANY_LOST, at__gt=now - ALERT_EVERY)
    if lost > max(1, live) and not told.exists():
        text = f"{lost} of {lost + live} nodes"
        entry = f"{MANY_LOST} {now.timestamp():.0f}"
        Note.objects.create(cell=0, entry=entry, at=now, alert=True, what=MANY_LOST, text=text)


async def forget(cells: Cells, nodes: list[str]) -> None:
    """Have Redis forget them; it keeps those that have come back or still hold jobs."""
    for node in nodes:
        cell = ids.cell_of_node(node, cells.count)
        await scripts.forget_node(cells, cell=cell, node=node, offline_ms=OFFLINE_MS)


def not_told_to_drain() -> list[str]:
    """Nodes that are drained in SQL but not where they live, or there without their deadline,
    because Redis was away.
    """
    drained = dict(Node.objects.filter(drain=True).values_list("node_id", "drain_until"))
    return [
        node
        for node, view in views.nodes(store(), drained).items()
        if not view.drain or (drained[node] is not None and not view.drain_until_ms)
    ]


def not_told_to_resume(fleet: dict[str, Load]) -> list[str]:
    """Nodes of the fleet that are drained where they live, but not in SQL."""
    idle = [node for node, load in fleet.items() if load.reason in IDLE]
    # Redis is read first: a decision is in SQL before it is there.
    views_now = views.nodes(store(), idle).items()
    drained = [node for node, view in views_now if view.drain and not view.leaving]
    if not drained:
        return []
    resumed = set(Node.objects.filter(drain=False).values_list("node_id", flat=True))
    return [node for node in drained if node in resumed]


def decisions(nodes: list[str], *, now: datetime) -> dict[str, tuple[str, int]]:
    """Of each: why it is drained, and in how many ms what still runs goes elsewhere (-1: never)."""
    rows = Node.objects.filter(node_id__in=nodes).values_list("node_id", "note", "drain_until")
    return {
        node: (note or "kept", -1 if until is None else _ms_to(until, now))
        for node, note, until in rows
    }


def _ms_to(until: datetime, now: datetime) -> int:
    return max(0, round((until - now).total_seconds() * 1000))


async def tell_again(cells: Cells, decided: dict[str, tuple[str, int]], command: Command) -> None:
    """Tell nodes once more what was decided; ``decided`` as :func:`decisions` says it."""
    for node, (reason, deadline_ms) in decided.items():
        cell = ids.cell_of_node(node, cells.count)
        reply = await scripts.control_node(
            cells, cell=cell, node=node, command=command, reason=reason, deadline_ms=deadline_ms
        )
        if isinstance(reply, scripts.Ok) and reply.more:
            await hand_out(cells, cell, node)
