"""The five invariants of the live state, checked on a whole cell between two commands.

1. ``used`` is the number of jobs a node holds, and no more than its capacity.
2. A job is in one state; final ones never change; every transition is in exactly one event.
3. ``ready:P`` holds exactly the members of P whose record says usable and not full.
4. Whatever is not at its end has a timer.
5. No key without an owner or a TTL.
"""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator

from lua.client import Cells
from lua.keys import Life
from lua.limits import Limits
from lua.states import PLACED, TERMINAL, JobState, NodeState
from tests.lua.ledger import Ledger
from tests.lua.snapshot import READ_CELL, Snapshot, kind_of, may_stay

LIMITS = Limits()
HOLDING = PLACED | {JobState.CANCELLED}


async def read_cell(cells: Cells, cell: int) -> Snapshot:
    """All keys of a cell, at one moment."""
    return Snapshot(await cells.plain.eval(READ_CELL, 0, cells.prefixes[cell]))


async def assert_cell_sound(
    cells: Cells, cell: int = 0, *, overfull: Collection[str] = (), ledger: Ledger | None = None
) -> Snapshot:
    """All invariants hold. ``overfull``: nodes whose capacity was lowered below what they hold.

    Without a ``ledger`` of earlier checks the whole stream of events is read: nothing may have
    been trimmed.
    """
    snapshot = await read_cell(cells, cell)
    wrong = [
        *broken(snapshot, overfull=overfull),
        *(ledger or Ledger()).read(snapshot),
    ]
    assert not wrong, "\n".join(wrong)
    return snapshot


async def assert_nothing_left(cells: Cells) -> None:
    """After the end of all nodes, jobs and sessions: only what is for ever, or ends by itself."""
    snapshots = await asyncio.gather(*(read_cell(cells, cell) for cell in range(cells.count)))
    for snapshot in snapshots:
        assert not sorted(left_over(snapshot))


def left_over(cell: Snapshot) -> Iterator[str]:
    """Keys that neither stay for ever nor end by themselves."""
    for key, content in cell.keys.items():
        kind = kind_of(key)
        if content.ttl_ms == -1 and (kind is None or kind.life is not Life.FOREVER):
            yield key


def broken(cell: Snapshot, *, overfull: Collection[str] = ()) -> Iterator[str]:
    """What is wrong with a cell, in words."""
    yield from _slots(cell, overfull)
    for check in CHECKS:
        yield from check(cell)


def _keys(cell: Snapshot) -> Iterator[str]:
    for key, content in cell.keys.items():
        kind = kind_of(key)
        if kind is None:
            yield f"{key}: no such key"
        elif content.type != kind.type:
            yield f"{key}: a {content.type} and no {kind.type}"
        elif not may_stay(kind, content.ttl_ms):
            yield f"{key}: TTL {content.ttl_ms}, though its life is {kind.life}"


def _slots(cell: Snapshot, overfull: Collection[str]) -> Iterator[str]:
    if set(cell.fleet) != set(cell.nodes):
        yield f"fleet has {sorted(cell.fleet)}, hashes {sorted(cell.nodes)}"
    for node, record in cell.fleet.items():
        held = cell.held_by(node)
        if record.used != len(held):
            yield f"{node}: used {record.used}, holds {sorted(held)}"
        if record.used > record.capacity and node not in overfull:
            yield f"{node}: used {record.used} of {record.capacity}"
        for job in held:
            if cell.jobs.get(job, {}).get("node") != node or not _has_slot(cell, job):
                yield f"{node} holds {job}, which is {cell.jobs.get(job)}"
    for job, fields in cell.jobs.items():
        if _has_slot(cell, job) and job not in cell.held_by(fields["node"]):
            yield f"{job} has a slot of {fields['node']}, which does not hold it"
    for key in cell.named("node"):
        if key.endswith(":jobs") and key.removesuffix(":jobs") not in cell.fleet:
            yield f"node:{key}: of no node"


def _has_slot(cell: Snapshot, job: str) -> bool:
    return cell.jobs.get(job, {}).get("slot") == "1"


def _jobs(cell: Snapshot) -> Iterator[str]:
    for job, fields in cell.jobs.items():
        state, slot = JobState(fields["state"]), _has_slot(cell, job)
        if (state in PLACED) != slot and state is not JobState.CANCELLED:
            yield f"{job}: {state} with slot {slot}"
        if slot and state not in HOLDING:
            yield f"{job}: holds a slot while {state}"
        ended = state in TERMINAL and not slot
        if ended != (cell[f"job:{job}"].ttl_ms != -1):
            yield f"{job}: {state}, slot {slot}, TTL {cell[f'job:{job}'].ttl_ms}"
        if ended == (f"job:{job}" in cell.timers):
            yield f"{job}: {state}, slot {slot}, timer {cell.timers.get(f'job:{job}')}"
        if state in TERMINAL and f"payload:{job}" in cell.keys:
            yield f"{job}: keeps its payload while {state}"
        if not ended and fields.get("lost", "") == "" and not _on_time(cell, job, fields):
            yield f"{job}: due {fields['due']}, timer {cell.timers.get(f'job:{job}')}"
    for stem in ("payload", "result"):
        for job in cell.named(stem):
            if stem == "result" and cell.jobs.get(job, {}).get("state") not in (None, *TERMINAL):
                yield f"result:{job}: of a live job"


def _on_time(cell: Snapshot, job: str, fields: dict[str, str]) -> bool:
    """A timer may fire early, never late."""
    return cell.timers.get(f"job:{job}", 0) <= float(fields["due"])


def _bytes(cell: Snapshot) -> Iterator[str]:
    live = [one for one in cell.jobs.values() if one["state"] not in TERMINAL]
    expected = sum(int(one.get("payload", 0)) for one in live)
    counted = cell["live_bytes"].flat
    if int(counted[0] if counted else 0) != expected:
        yield f"live_bytes {counted}, by the jobs {expected}"


def _requests(cell: Snapshot) -> Iterator[str]:
    for job, fields in cell.jobs.items():
        request, live = fields.get("request", ""), fields["state"] not in TERMINAL
        content = cell[f"request:{request}"]
        if request and live and (content.flat != [job.encode()] or content.ttl_ms != -1):
            yield f"request:{request} of {job} is {content}"
    for request, content in cell.named("request").items():
        job = content.flat[0].decode()
        owner = cell.jobs.get(job)
        if content.ttl_ms == -1 and (owner is None or owner["request"] != request):
            yield f"request:{request}: no job {job}"
        if content.ttl_ms == -1 and owner and cell[f"job:{job}"].ttl_ms != -1:
            yield f"request:{request}: stays longer than {job}"


def _nodes(cell: Snapshot) -> Iterator[str]:
    for node, fields in cell.nodes.items():
        record = cell.fleet.get(node)
        if record is None:
            continue
        why = _judge(fields)
        if record.why not in (why, 1):
            yield f"{node}: record says {record.why}, its fields {why}: {fields}"
        slots = int(fields["capacity"])
        if fields.get("breaker") == "half_open":
            slots = min(slots, record.foreign + 1)
        if record.capacity != slots:
            yield f"{node}: capacity {record.capacity} and {slots}"
        state, timers = fields["state"], cell.timers
        offline = state == NodeState.OFFLINE
        if offline == (f"node:{node}:stale" in timers):
            yield f"{node}: {state}, stale timer {timers.get(f'node:{node}:stale')}"
        if not offline and f"node:{node}:grace" in timers:
            yield f"{node}: {state} with a grace"
        if (state == NodeState.REGISTERING) != (f"node:{node}:warmup" in timers):
            yield f"{node}: {state}, warm-up timer {timers.get(f'node:{node}:warmup')}"
        if offline == (node in cell[f"process:{fields['process']}:nodes"].set):
            yield f"{node}: {state}, process {fields['process']}"


def _breakers(cell: Snapshot) -> Iterator[str]:
    out = {node for node, fields in cell.nodes.items() if fields.get("breaker") == "open"}
    if set(cell["broken"].set) != out:
        yield f"broken: {set(cell['broken'].set)}, by the nodes {out}"
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
                yield f"{timer}: {cell.timers.get(timer)}, due {one}"
            timers.discard(timer)
    if timers or set(cell["lame"].set) != lame:
        yield f"{timers} of no service, lame {set(cell['lame'].set)}, by the nodes {lame}"


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
    pools, ready, has = defaultdict(set), defaultdict(set), defaultdict(set)
    offers: Counter[str] = Counter(
        f"{pool} {fields['has']}"
        for fields in cell.nodes.values()
        for pool in fields["pools"].split()
    )
    if cell["offers"].hash != {line: str(count) for line, count in offers.items()}:
        yield f"offers: {cell['offers'].hash}, by the nodes {dict(offers)}"
    for node, fields in cell.nodes.items():
        for pool in fields["pools"].split():
            pools[pool].add(node)
            if node in cell.fleet and cell.fleet[node].ready:
                ready[pool].add(node)
        for value in fields["has"].split():
            has[value].add(node)
    for stem, expected in (("pool", pools), ("ready", ready), ("has", has)):
        present = {name: set(content.set) for name, content in cell.named(stem).items()}
        if present != dict(expected):
            yield f"{stem}: {present}, by the nodes {dict(expected)}"
    if set(cell["pools"].hash) - set(pools):
        yield f"pools without members: {set(cell['pools'].hash) - set(pools)}"


def _queues(cell: Snapshot) -> Iterator[str]:
    waiting: dict[str, dict[str, float]] = defaultdict(dict)
    heads: dict[str, dict[str, float]] = defaultdict(dict)
    needs = {}
    for job, fields in cell.jobs.items():
        if _is_queued(fields):
            waiting[fields["sig"]][job] = _rank(fields)
            needs[fields["sig"]] = fields["need"]
    for sig, need in needs.items():
        pools, _, pin = need.split("\t")
        listed = [name for name in pools.split() if name[0] != "~"]
        for head in [f"node:{pin}"] if pin else listed:
            heads[head][sig] = min(waiting[sig].values())
    for stem, expected in (("waiting", waiting), ("heads", heads)):
        present = {name: content.zset for name, content in cell.named(stem).items()}
        if present != dict(expected):
            yield f"{stem}: {present}, by the jobs {dict(expected)}"
    if cell["sigs"].hash != needs:
        yield f"sigs: {cell['sigs'].hash}, by the jobs {needs}"
    if set(cell["queues"].zset) != set(needs):
        yield f"queues: {cell['queues'].zset}, by the jobs {needs}"
    if needs and "sweep" not in cell.timers:
        yield "jobs wait and nobody sweeps"


def _is_queued(fields: dict[str, str]) -> bool:
    return fields["state"] == JobState.WAITING and fields.get("claim") != "1"


def _rank(fields: dict[str, str]) -> float:
    """Place of a job among those that wait: its deadline, moved by its priority."""
    return float(fields["due"]) + (int(fields["priority"]) - 3) * LIMITS.priority_step_ms


def _sessions(cell: Snapshot) -> Iterator[str]:
    live: dict[str, set[str]] = defaultdict(set)
    for job, fields in cell.jobs.items():
        if fields.get("session") and fields["state"] not in TERMINAL:
            live[fields["session"]].add(job)
    for session, fields in cell.sessions.items():
        waiting = [one for one in live[session] if _is_queued(cell.jobs[one])]
        if int(fields.get("waiting", 0)) != len(waiting):
            yield f"{session}: counts {fields['waiting']} waiting, there are {waiting}"
        known = {name.removeprefix("job:") for name in fields if name.startswith("job:")}
        if known != live[session]:
            yield f"{session}: has {known}, its live jobs are {live[session]}"
        owned = session in cell[f"process:{fields['process']}:sessions"].set
        if owned == (f"session:{session}" in cell.timers):
            yield f"{session}: of its process {owned}, timer {not owned}"
    for session in set(live) - set(cell.sessions):
        if live[session]:
            yield f"{session} is gone, its jobs {live[session]} are not"


def _processes(cell: Snapshot) -> Iterator[str]:
    """Whatever a process holds, or has told to it, ends with its lease."""
    processes = cell["processes"].set
    mailboxes = set(cell.named("mailbox"))
    if mailboxes != processes:
        yield f"mailboxes of {mailboxes}, processes {set(processes)}"
    for key in cell.named("process"):
        if f"process:{key.rpartition(':')[0]}" not in cell.timers:
            yield f"process:{key}: without a lease"
    for process in processes:
        if f"process:{process}" not in cell.timers:
            yield f"{process}: without an end to its lease"


def _timers(cell: Snapshot) -> Iterator[str]:
    for timer in cell.timers:
        kind, _, owner = timer.partition(":")
        owned = {
            "job": owner in cell.jobs,
            "node": owner.partition(":")[0] in cell.nodes,
            "session": owner in cell.sessions,
            "process": True,
            "sweep": True,
        }
        if not owned.get(kind, False):
            yield f"timer {timer}: of nobody"


CHECKS = (
    _keys, _jobs, _bytes, _requests, _nodes, _breakers, _services, _memberships, _queues,
    _sessions, _processes, _timers,
)  # fmt: skip
