"""Jobs: their states, timers, requests, queues and sessions."""

from collections import defaultdict
from collections.abc import Iterator

from lua.doctor.difference import differ
from lua.doctor.nodes import has_slot
from lua.doctor.snapshot import Snapshot
from lua.states import PLACED, TERMINAL, JobState

HOLDING = PLACED | {JobState.CANCELLED}


def _jobs(cell: Snapshot) -> Iterator[str]:
    for job, fields in cell.jobs.items():
        state, slot = JobState(fields["state"]), has_slot(cell, job)
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
                yield f"{job}: has a result while it lives"


def _on_time(cell: Snapshot, job: str, fields: dict[str, str]) -> bool:
    """A timer may fire early, never late."""
    return cell.timers.get(f"job:{job}", 0) <= float(fields["due"])


def _bytes(cell: Snapshot) -> Iterator[str]:
    live = [one for one in cell.jobs.values() if one["state"] not in TERMINAL]
    expected = sum(int(one.get("payload", 0)) for one in live)
    counted = cell["live_bytes"].flat
    known = int(counted[0] if counted else 0)
    if known != expected:
        yield f"live_bytes/{known} {expected}: by the jobs it is the latter"


def _requests(cell: Snapshot) -> Iterator[str]:
    for job, fields in cell.jobs.items():
        request, live = fields.get("request", ""), fields["state"] not in TERMINAL
        content = cell[f"request:{request}"]
        if request and live and (content.flat != [job.encode()] or content.ttl_ms != -1):
            yield f"{job}: its request {request} does not lead to it"
    for request, content in cell.named("request").items():
        job = content.flat[0].decode()
        owner = cell.jobs.get(job)
        if content.ttl_ms == -1 and (owner is None or owner["request"] != request):
            yield f"request:{request}: no job {job}"
        if content.ttl_ms == -1 and owner and cell[f"job:{job}"].ttl_ms != -1:
            yield f"request:{request}: stays longer than {job}"


def _queues(cell: Snapshot) -> Iterator[str]:
    waiting: dict[str, dict[str, float]] = defaultdict(dict)
    heads: dict[str, dict[str, float]] = defaultdict(dict)
    needs = {}
    for job, fields in cell.jobs.items():
        if _is_queued(fields):
            waiting[fields["sig"]][job] = _rank(fields, cell.limits.priority_step_ms)
            needs[fields["sig"]] = fields["need"]
    for sig, need in needs.items():
        pools, _, pin = need.split("\t")
        names = [name.lstrip("|").partition("@")[0] for name in pools.split()]
        listed = [name for name in names if name[0] != "~"]
        for head in [f"node:{pin}"] if pin else listed:
            heads[head][sig] = min(waiting[sig].values())
    for stem, expected in (("waiting", waiting), ("heads", heads)):
        present = cell.named(stem)
        for name in sorted(present.keys() | expected.keys()):
            here = present[name].zset if name in present else {}
            yield from differ(f"{stem}:{name}", here, expected[name])
    yield from differ("sigs", cell["sigs"].hash, needs)
    yield from differ("queues", dict.fromkeys(cell["queues"].zset, ""), dict.fromkeys(needs, ""))
    if needs and "sweep" not in cell.timers:
        yield f"queues/{min(needs)}: jobs wait and nobody sweeps"


def _is_queued(fields: dict[str, str]) -> bool:
    return fields["state"] == JobState.WAITING and fields.get("claim") != "1"


def _rank(fields: dict[str, str], step_ms: int) -> float:
    """Place of a job among those that wait: its deadline, moved by its priority."""
    return float(fields["due"]) + (int(fields["priority"]) - 3) * step_ms


def _sessions(cell: Snapshot) -> Iterator[str]:
    live: dict[str, set[str]] = defaultdict(set)
    for job, fields in cell.jobs.items():
        if fields.get("session") and fields["state"] not in TERMINAL:
            live[fields["session"]].add(job)
    for session, fields in cell.sessions.items():
        waiting = sum(_is_queued(cell.jobs[one]) for one in live[session])
        if int(fields.get("waiting", 0)) != waiting:
            yield f"session:{session}: counts {fields.get('waiting')} waiting, there are {waiting}"
        known = {name.removeprefix("job:") for name in fields if name.startswith("job:")}
        for job in sorted(live[session] - known):
            yield f"{job}: {session} does not know it"
        if strangers := known - live[session]:
            yield f"session:{session}: knows {len(strangers)} jobs that are not its live ones"
        owned = session in cell[f"process:{fields['process']}:sessions"].set
        if owned == (f"session:{session}" in cell.timers):
            yield f"session:{session}: of its process {owned}, timer {not owned}"
    for session in sorted(set(cell.named("indexes")) - set(cell.sessions)):
        yield f"indexes:{session}: there is no session {session}"
    for session in set(live) - set(cell.sessions):
        for job in sorted(live[session]):
            yield f"{job}: is live, its session {session} is gone"


CHECKS = (_jobs, _bytes, _requests, _queues, _sessions)
