"""Who could take a job, worked out from a whole cell: slow, plain, and without drawing lots."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from lua.limits import Limits
from lua.records import Record
from lua.scripts import NewJob
from tests.lua.snapshot import Snapshot

LIMITS = Limits()


@dataclass(frozen=True)
class Wish:
    """What matters of a job when a node is chosen."""

    groups: tuple[tuple[str, ...], ...]
    """Pools; those of a group are looked at when nobody is free in the groups before."""
    wishes: frozenset[str]
    has: frozenset[str]
    pin: str
    preferred: str
    had: frozenset[str]
    avoid: frozenset[str]
    may_wait: bool
    patient: bool  # still passes over the nodes to avoid

    @property
    def pools(self) -> frozenset[str]:
        return frozenset(chain.from_iterable(self.groups))

    @property
    def skip(self) -> frozenset[str]:
        return self.had | self.avoid if self.patient else self.had


def _split(pools: str) -> dict[str, Any]:
    """Pools and wishes of a requirement, which has both in one list."""
    listed = pools.split()
    return {
        "groups": groups_of(pools),
        "wishes": frozenset(name[1:] for name in listed if name[0] == "~"),
    }


def groups_of(pools: str) -> tuple[tuple[str, ...], ...]:
    """The pools of a requirement, wishes and sizes of samples left out."""
    groups: list[list[str]] = []
    for name in pools.split():
        if name[0] == "~":
            continue
        if name[0] == "|" or not groups:
            groups.append([])
        groups[-1].append(name.lstrip("|").partition("@")[0])
    return tuple(map(tuple, groups))


def wish_of(spec: NewJob) -> Wish:
    """Of a new job."""
    pools, has, pin = spec.need.split("\t")
    return Wish(
        **_split(pools),
        has=frozenset(has.split()),
        pin=pin,
        preferred=spec.preferred,
        had=frozenset(),
        avoid=frozenset(spec.avoid),
        may_wait=spec.deadline_ms != 0,
        patient=True,
    )


def wish_in(fields: Mapping[str, str], now_ms: int, *, had: Collection[str] = ()) -> Wish:
    """Of a job by its hash; ``had``: further nodes that it must not go to."""
    pools, has, pin = fields["need"].split("\t")
    waits = fields["state"] == "WAITING"
    return Wish(
        **_split(pools),
        has=frozenset(has.split()),
        pin=pin,
        preferred=fields["preferred"],
        had=frozenset([*fields.get("had", "").split(), *had]),
        avoid=frozenset(fields.get("avoid", "").split()),
        may_wait=fields["deadline_ms"] != "0",
        patient=not waits or now_ms - int(fields["since"]) < LIMITS.avoid_ms,
    )


def may_take(cell: Snapshot, node: str, wish: Wish, now_ms: int) -> bool:
    """Whether a free node may take the job, but for the nodes it skips."""
    record, fields = cell.fleet[node], cell.nodes[node]
    room = record.used + record.foreign < record.capacity
    if not room or now_ms - record.beat_ms > LIMITS.stale_ms:
        return False
    if not wish.has <= set(fields["has"].split()):
        return False
    if wish.pin:
        return node == wish.pin and record.why in (0, 3)
    return record.why == 0 and not wish.pools.isdisjoint(fields["pools"].split())


def candidates(cell: Snapshot, wish: Wish, now_ms: int) -> set[str]:
    """Nodes one of which must be chosen. One to avoid rather than nobody, if it may not wait."""
    able = {node for node in cell.fleet if may_take(cell, node, wish, now_ms)}
    found = able - wish.skip
    return found if found or wish.may_wait else able - wish.had


def best(cell: Snapshot, wish: Wish, now_ms: int) -> set[str]:
    """The candidates that rank first."""
    found = candidates(cell, wish, now_ms)
    if wish.preferred in found and not wish.pin:
        return {wish.preferred}
    for group in wish.groups:
        here = {node for node in found if not {*group}.isdisjoint(_pools_of(cell, node))}
        if here:
            found = here
            break
    fitting = {node for node in found if wish.wishes <= set(cell.nodes[node]["has"].split())}
    found = found if wish.pin else fitting or found

    def rank(node: str) -> tuple[float, int]:
        record: Record = cell.fleet[node]
        age = int((now_ms - record.beat_ms) * 3 // LIMITS.stale_ms)
        return (record.used + record.foreign) / record.capacity, age

    first = min(map(rank, found), default=None)
    return {node for node in found if rank(node) == first}


def _pools_of(cell: Snapshot, node: str) -> list[str]:
    return cell.nodes[node]["pools"].split()


def possible(cell: Snapshot, wish: Wish) -> bool:
    """Whether some node, ready or not, could ever serve it that has not had it."""
    for node, fields in cell.nodes.items():
        listed = node == wish.pin if wish.pin else wish.pools & set(fields["pools"].split())
        if not wish.pin and fields["public"] != "1":
            continue
        if listed and wish.has <= set(fields["has"].split()) and node not in wish.had:
            return True
    return False


def crowded(cell: Snapshot, limits: Limits, sig: str, session: str) -> bool:
    """Whether one more job of the requirement and session would be too many that wait."""
    queues = cell["queues"].zset
    mine = cell.sessions.get(session, {}).get("waiting", "0")
    return (
        len(cell[f"waiting:{sig}"].zset) >= limits.queue_jobs
        or (sig not in queues and len(queues) >= limits.queues)
        or (session != "" and int(mine) >= limits.session_jobs)
    )


def idle(cell: Snapshot, now_ms: int) -> list[tuple[str, str]]:
    """Free nodes and jobs that wait though they could have them: must be empty after a sweep.

    Only the first 8 of each queue are promised one.
    """
    found = []
    queues = cell.named("waiting")
    for job, fields in cell.jobs.items():
        if fields["state"] != "WAITING" or fields.get("claim") == "1":
            continue
        order = sorted(queues[fields["sig"]].zset.items(), key=lambda item: (item[1], item[0]))
        if job in [name for name, _ in order[:8]]:
            wish = wish_in(fields, now_ms)
            found += [(node, job) for node in candidates(cell, wish, now_ms)]
    return found
