"""What everything amounts to, for ``stats/``, ``cluster/`` and ``/metrics``."""

from collections import Counter
from dataclasses import dataclass

from django.db.models import Sum

from jobs.models import AuditCursor, JobTotal
from lua import times, views
from lua.states import JobState, Reason
from lua.views import CellView
from pools.store import store


@dataclass(frozen=True)
class JobSum:
    """Jobs that entered ``state`` with ``code``; NEW: jobs made. ``ms``: their time, summed up."""

    state: str
    code: str
    count: int
    ms: int


@dataclass(frozen=True)
class FleetSum:
    """All nodes. ``by_reason`` counts them by why they take no public job, or ``usable``."""

    nodes: int
    by_reason: dict[str, int]
    capacity: int
    used: int
    foreign: int


def job_sums() -> list[JobSum]:
    """Since the history began; rows of jobs may be pruned, their sums stay."""
    rows = JobTotal.objects.values_list("state", "code").order_by("state", "code")
    return [JobSum(*row) for row in rows.annotate(Sum("count"), Sum("ms"))]


def fleet_sum() -> FleetSum:
    """Slots of offline nodes do not count. Raises RedisError."""
    loads = list(views.fleet(store()).values())
    live = [load for load in loads if load.reason is not Reason.OFFLINE]
    return FleetSum(
        nodes=len(loads),
        by_reason=dict(Counter(load.reason.value for load in loads)),
        capacity=sum(load.capacity for load in live),
        used=sum(load.used for load in live),
        foreign=sum(load.foreign for load in live),
    )


def waiting_by_cell() -> dict[int, int]:
    """Jobs that wait for a node. Raises RedisError."""
    waiting: Counter[int] = Counter()
    for queue in views.queues(store()):
        waiting[queue.cell] += queue.waiting
    return dict(waiting)


def speech() -> dict[str, int]:
    """Utterances of streams that are being spoken, and bytes of their sound. Raises RedisError."""
    held = times.read_held(store()).values()
    return {name: sum(one[name] for one in held) for name in ("utterances", "bytes")}


def cells() -> list[CellView]:
    """The cells as they are now. Raises RedisError."""
    return views.cells(store())


def count_of(sums: list[JobSum], state: JobState) -> int:
    """How many jobs entered a state, with whatever code."""
    return sum(one.count for one in sums if one.state == state)


def last_moves_ms() -> dict[int, int | None]:
    """When the history of each cell last moved on, Unix ms."""
    rows = AuditCursor.objects.values_list("cell", "moved_at")
    return {cell: None if at is None else round(at.timestamp() * 1000) for cell, at in rows}
