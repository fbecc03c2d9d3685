"""Nodes: their slots, records, breakers, services and memberships."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator

from lua.doctor.difference import differ
from lua.doctor.snapshot import Snapshot
from lua.records import TEXTS, Record
from lua.states import NodeState

SETS = ("pool", "ready", "idle", "has")


def slots(cell: Snapshot, overfull: Collection[str]) -> Iterator[str]:
    for node in sorted(set(cell.records) ^ set(cell.nodes)):
        yield f"{node}: is {'' if node in cell.records else 'not '}in the fleet, against its hash"
    for node in sorted(set(cell.records) - set(cell.fleet)):
        yield f"{node}: has a record that cannot be read"
    for node, record in cell.fleet.items():
        held = cell.held_by(node)
        if record.used != len(held):
            yield f"{node}: used {record.used}, holds {sorted(held)}"
        if record.used > record.capacity and node not in overfull:
            yield f"{node}: used {record.used} of {record.capacity}"
        for job in held:
            if cell.jobs.get(job, {}).get("node") != node or not has_slot(cell, job):
                state = cell.jobs.get(job, {}).get("state", "unknown")
                yield f"{node}: holds {job}, which is {state} and not its own"
    for job, fields in cell.jobs.items():
        if has_slot(cell, job) and job not in cell.held_by(fields["node"]):
            yield f"{job}: has a slot of {fields['node']}, which does not hold it"
    for key in cell.named("node"):
        if key.endswith(":jobs") and key.removesuffix(":jobs") not in cell.fleet:
            yield f"{key.removesuffix(':jobs')}: has jobs and is no node"


def has_slot(cell: Snapshot, job: str) -> bool:
    return cell.jobs.get(job, {}).get("slot") == "1"


def _nodes(cell: Snapshot) -> Iterator[str]:
    for node, fields in cell.nodes.items():
        record = cell.fleet.get(node)
        if record is None:
            continue
        why = _judge(fields)
        if record.why not in (why, 1):
            yield f"{node}: record says {record.why}, its fields {why}"
        slots = int(fields["capacity"])
        if fields.get("breaker") == "half_open":
            slots = min(slots, record.foreign + 1)
        if record.capacity != slots:
            yield f"{node}: capacity {record.capacity} and {slots}"
        yield from _mirrored(node, record, fields)
        state, timers = fields["state"], cell.timers
        offline = state == NodeState.OFFLINE
        if offline == (f"node:{node}:stale" in timers):
            yield f"{node}: {state}, stale timer {timers.get(f'node:{node}:stale')}"
        if not offline and f"node:{node}:grace" in timers:
            yield f"{node}: {state} with a grace"
        if (state == NodeState.REGISTERING) != (f"node:{node}:warmup" in timers):
            yield f"{node}: {state}, warm-up timer {timers.get(f'node:{node}:warmup')}"
        borne = node in cell[f"process:{fields['process']}:nodes"].set
        if borne != (not offline and fields["process"] != ""):
            yield f"{node}: {state}, process {fields['process']}"


def _mirrored(node: str, record: Record, fields: dict[str, str]) -> Iterator[str]:
    """What the record repeats of the hash."""
    known = fields | {"ear": fields["process"] or fields.get("ear", "")}
    for name in TEXTS:
        told = getattr(record, name)
        if told != known.get(name, ""):
            yield f"{node}: record says {name} {told!r}, its hash {known.get(name)!r}"


def _breakers(cell: Snapshot) -> Iterator[str]:
    out = {node for node, fields in cell.nodes.items() if fields.get("breaker") == "open"}
    yield from differ("broken", _marks(cell["broken"].set), _marks(out))
    for node, fields in cell.nodes.items():
        if (node in out) != (f"node:{node}:probe" in cell.timers):
            yield f"{node}: {fields.get('breaker')}, timer {cell.timers.get(f'node:{node}:probe')}"
        marks = fields.get("marks", "").split()
        if (fields.get("breaker") == "marked") != bool(set(marks) - {"."}) or len(marks) > 5:
            yield f"{node}: {fields.get('breaker')} with {marks}"


def _services(cell: Snapshot) -> Iterator[str]:
    lame = set()
    timers = {timer for timer in cell.timers if ":service:" in timer}
    for node, fields in cell.nodes.items():
        services = json.loads(fields.get("services", "{}"))
        out = sorted(name for name, one in services.items() if one["phase"] == "out")
        if fields.get("out", "").split() != out:
            yield f"{node}: out {fields.get('out')}, by its services {services}"
        if any(services[name]["pause"] > 0 for name in out):
            lame.add(node)
        for name, one in services.items():
            timer = f"node:{node}:service:{name}"
            if cell.timers.get(timer, 0) < one["due"]:
                yield f"{node}: {timer} at {cell.timers.get(timer)}, due {one['due']}"
            timers.discard(timer)
    for timer in sorted(timers):
        yield f"timers/{timer}: of no service"
    yield from differ("lame", _marks(cell["lame"].set), _marks(lame))


def _judge(fields: dict[str, str]) -> int:
    """Index of the Reason that a node's fields give."""
    if fields["state"] == NodeState.OFFLINE:
        return 1
    unfit = fields["enabled"] != "1" or fields.get("breaker") == "open"
    if unfit or fields["state"] != NodeState.READY:
        return 2
    if fields["gpu"] != "1":
        return 4
    if fields["hot"] == "1":
        return 5
    if fields["arbitrates"] == "1" and int(fields["queue"]) > 0:
        return 6
    return 0 if fields["public"] == "1" else 3


def _memberships(cell: Snapshot) -> Iterator[str]:
    sets: dict[str, dict[str, set[str]]] = {stem: defaultdict(set) for stem in SETS}
    offers: Counter[str] = Counter(
        f"{pool} {fields['has']}"
        for fields in cell.nodes.values()
        for pool in fields["pools"].split()
    )
    yield from differ("offers", cell["offers"].hash, {k: str(n) for k, n in offers.items()})
    for node, fields in cell.nodes.items():
        for pool in fields["pools"].split():
            sets["pool"][pool].add(node)
            if node in cell.fleet and cell.fleet[node].ready:
                sets["ready"][pool].add(node)
            if node in cell.fleet and cell.fleet[node].idle:
                sets["idle"][pool].add(node)
        for value in fields["has"].split():
            sets["has"][value].add(node)
    for stem, expected in sets.items():
        present = cell.named(stem)
        for name in sorted(present.keys() | expected.keys()):
            here = present[name].set if name in present else frozenset()
            yield from differ(f"{stem}:{name}", _marks(here), _marks(expected[name]))
    yield from _definitions(cell)


def _definitions(cell: Snapshot) -> Iterator[str]:
    """Of the pool that a node is in first, when its members are alike."""
    members, said = cell.named("pool"), defaultdict(set)
    for fields in cell.nodes.values():
        if fields["pools"] and fields.get("definition"):
            said[fields["pools"].split()[0]].add(fields["definition"])
    present = cell["pools"].hash
    for pool in sorted(said.keys() | present.keys()):
        if pool not in present:
            yield f"pools/{pool}: is missing"
        elif pool not in members:
            yield f"pools/{pool}: has no members"
        elif said[pool] and present[pool] not in said[pool]:
            yield f"pools/{pool}: is not what its members serve"


def _marks(names: Collection[str]) -> dict[str, bool]:
    return dict.fromkeys(names, True)


CHECKS = (_nodes, _breakers, _services, _memberships)
