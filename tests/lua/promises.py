"""What each script promises, checked on the cell before and after a call of it."""

from collections.abc import Callable, Iterator

from lua import scripts
from lua.scripts.job import Missing, NoSession
from lua.scripts.node import Unknown as UnknownNode
from lua.states import TERMINAL, NodeState
from tests.lua.budgets import broken_budget
from tests.lua.selection import best, candidates, crowded, possible, wish_in, wish_of
from tests.lua.snapshot import Snapshot
from tests.lua.step import Step

PLACED_HERE = "SELECTING RESERVED DISPATCHED"  # by dispatch, on a node of the asking process
UNSENT = ("WS_DISCONNECTED", "SCHEDULER_DEPENDENCY_DOWN")  # released so, its node never had it
NOTHING_DONE = (
    scripts.Repeat,
    scripts.Conflict,
    NoSession,
    Missing,
    scripts.Gone,
    scripts.Late,
    scripts.Unknown,
    scripts.Final,
    scripts.Runs,
    scripts.Known,
    scripts.Stale,
    scripts.Outdated,
    scripts.Services,
    scripts.IdConflict,
    UnknownNode,
    scripts.Live,
    scripts.Config,
    scripts.Denied,
    scripts.Elsewhere,
    scripts.NameTaken,
    scripts.Noted,
    scripts.InUse,
    scripts.Spent,
    scripts.Limited,
    scripts.Simulated,
)
"""Replies after which all is as before, but for a note and the value that was laid down."""


def broken_promises(step: Step) -> Iterator[str]:
    """What a call did that it must not do, or did not do."""
    yield from _placements(step)
    yield from _outcomes(step)
    yield from _told_places(step)
    yield from _charges(step)
    yield from broken_budget(step)
    if isinstance(step.reply, NOTHING_DONE) and not unchanged(step.before, step.after):
        yield "something has changed"
    check = CHECKS.get(step.script)
    if check is not None:
        yield from check(step)


def unchanged(before: Snapshot, after: Snapshot) -> bool:
    """But for notes, and large values that were laid down or thrown away."""
    return _bare(before) == _bare(after)


def _bare(cell: Snapshot) -> dict[str, object]:
    bare = {k: v for k, v in cell.comparable().items() if not k.startswith("inbox:")}
    moves = [entry for entry in cell.events() if entry[1]["e"] not in ("note", "alert")]
    return bare | {"events": moves}


# --- of every script ---


def _placements(step: Step) -> Iterator[str]:
    """A reservation is on a node that may have the job, and the node's process knows of it."""
    for event in step.events:
        if event["e"] != "job" or not event["moves"].endswith(("RESERVED", PLACED_HERE)):
            continue
        job, node = event["job"], event["node"]
        fields, place = step.after.jobs[job], step.after.nodes[node]
        _, has, pin = fields["need"].split("\t")
        if pin not in ("", node) or not set(has.split()) <= set(place["has"].split()):
            yield f"{job} with {fields['need']!r} on {node}: {place}"
        if not pin and event["pool"] not in place["pools"].split():
            yield f"{job} on {node} by pool {event['pool']}"
        if node in fields.get("had", "").split():
            yield f"{job} on {node} again"
        if event["moves"].endswith(PLACED_HERE):
            if place["process"] != step.given["process"] or step.reply.conn != place["conn"]:
                yield f"{job} is for {place}, said {step.reply}"
            continue
        told = [m for m in step.messages("assign", job) if m["attempt"] == event["attempt"]]
        listening = place["process"] in step.after["processes"].set
        if listening and not any(m["conn"] == place["conn"] for m in told):
            yield f"{job} is {node}'s and nobody knows"


def _outcomes(step: Step) -> Iterator[str]:
    """The session's process is told of an end once; of a refusal it learns by the reply, where it
    asked itself.
    """
    for event in step.events:
        if event["e"] != "job" or event["moves"].split()[-1] not in TERMINAL:
            continue
        job = event["job"]
        session = step.after.jobs[job].get("session", "")
        sessions = step.after.sessions if session in step.after.sessions else step.before.sessions
        owner = sessions.get(session, {}).get("process", "")
        told = len(step.messages("outcome", job))
        kept = job.encode() in step.after[f"answers:{session}"].flat
        refused = step.script in ("dispatch", "refuse_job")
        if refused and step.after.jobs[job]["index"] == str(scripts.NO_UTTERANCE):
            if kept or told:
                yield f"{job}, no utterance, was refused: kept {kept}, told {told}"
            continue
        resumable = step.after.sessions.get(session, {}).get("proof", "") != ""
        if kept != resumable and session in step.after.sessions:
            yield f"{job} ended: kept for a client that returns: {kept}"
        if step.told_by_reply(job):
            if told or owner != step.given["process"]:
                yield f"{job} ended: the reply and {told} messages told {owner}"
            continue
        expected = owner in step.before["processes"].set and not step.refused_to(owner, job)
        if told != expected and (told > 1 or step.script != "reap"):
            yield f"{job} ended: {owner} was told {told} times"


def _told_places(step: Step) -> Iterator[str]:
    """Of a job that waits now its session learns how crowded its queue is."""
    for _, message in step.told:
        if message["kind"] != "placed":
            continue
        waits, level = message["state"] == "WAITING", message["level"]
        if waits != (level in ("SLOW_DOWN", "BUSY", "PAUSE")) or not (waits or level == ""):
            yield f"{message}"


def _charges(step: Step) -> Iterator[str]:
    """A breaker opens by a failure that was the node's alone, and not for more than half a pool."""
    for event in step.events:
        if event["e"] != "alert" or event["what"] not in ("breaker_open", "service_out"):
            continue
        node, job = event["node"], step.after.jobs[event["job"]]
        if [word.partition("=")[0] for word in job["failed"].split()] != [node]:
            yield f"{node} is charged with {job}"
        if job["state"] not in ("DONE", "FAILED"):
            yield f"{node} is charged with {job} before its end"
        for pool in step.before.nodes[node]["pools"].split():
            members = step.before[f"pool:{pool}"].set
            for kind in ("broken", "lame"):
                if 2 * len(members & step.after[kind].set) > len(members):
                    yield f"{kind}: {step.after[kind].set} of {members}"


# --- of a job's life ---


def _dispatch(step: Step) -> Iterator[str]:
    spec, wish, cell = step.given["job"], wish_of(step.given["job"]), step.before
    others = [e for e in step.events if e["e"] == "job" and e["job"] != spec.job]
    first = best(cell, wish, step.now_ms)
    crowd, held = crowded(cell, step.limits, spec.sig, spec.session), cell["brake"].flat
    new = spec.job not in cell.jobs
    match step.reply:
        case scripts.Dispatched() | scripts.Reserved() | scripts.Waiting() if new and held:
            yield f"was taken on in spite of {held}"
        case scripts.Dispatched(node=node) | scripts.Reserved(node=node) if new and not others:
            if node not in first:
                yield f"{node} was chosen, not one of {first}"
            for job in _first_waiting(cell, spec.sig):
                theirs = wish_in(cell.jobs[job], step.now_ms)
                if node not in theirs.skip:
                    yield f"{spec.job} overtook {job}"
        case scripts.Waiting() if new and not others and first:
            yield f"waits though {first} could take it"
        case scripts.Waiting() if new and not others and crowd:
            yield "waits though too many do"
        case scripts.Refused(reason=reason) if new and held:
            if reason != held[0].decode():
                yield f"was refused for {reason}, not for {held}"
        case scripts.Refused(code="NODE_OVERLOADED") if new and not others and not crowd:
            yield "is one too many where there is room"
        case scripts.Refused(code=code) if new:
            if (code == "NO_CAPABLE_NODE") == possible(cell, wish):
                yield f"{code}, though it is possible: {possible(cell, wish)}"
            if not others and first:
                yield f"refused though {first} could take it"
        case NoSession() if not spec.session or spec.session in cell.sessions:
            yield "knows the session"
    placed = isinstance(step.reply, scripts.Dispatched | scripts.Reserved | scripts.Waiting)
    taken = placed or isinstance(step.reply, scripts.Refused)
    if taken and spec.session and int(step.after.sessions[spec.session]["newest"]) < spec.index:
        yield f"the newest is {step.after.sessions[spec.session]['newest']}"
    earlier = [job.decode() for job in cell[f"request:{spec.request}"].flat if spec.request]
    if placed and set(earlier) & set(cell.jobs) - {spec.job}:
        yield f"{spec.request} was {earlier}"


def _first_waiting(cell: Snapshot, sig: str) -> list[str]:
    queue = cell[f"waiting:{sig}"].zset
    return sorted(queue, key=lambda job: (queue[job], job))[:8]


def _take(step: Step) -> Iterator[str]:
    job, node, conn = step.given["job"], step.given["node"], step.given["conn"]
    was = step.before.jobs.get(job, {})
    mine = was.get("node") == node and was.get("attempt") == str(step.given["attempt"])
    if isinstance(step.reply, scripts.Taken):
        if not mine or was["state"] not in ("RESERVED", "DISPATCHED"):
            yield f"{job} was {was}"
        if was["state"] == "RESERVED":
            last = step.before[f"indexes:{was['session']}"].hash.get(f"node:{node}")
            if last is not None and step.reply.index != int(last) + 1:
                yield f"index {step.reply.index} after {last}"
        elif was["conn"] != conn or step.reply.index != int(was["uidx"]):
            yield f"{job} was handed to {was['conn']} as {was['uidx']}"
        if step.after.jobs[job]["state"] != "DISPATCHED":
            yield f"{job} is {step.after.jobs[job]['state']}"
    waits = mine and was["state"] == "RESERVED" and step.before.nodes[node]["conn"] == conn
    if waits and isinstance(step.reply, scripts.Gone):
        yield f"{job} was waiting to be taken"


def _ack(step: Step) -> Iterator[str]:
    job = step.given["job"]
    was = step.before.jobs.get(job, {})
    if isinstance(step.reply, scripts.Acked):
        now = step.after.jobs[job]
        if was["state"] not in ("DISPATCHED", "ACKED") or now["state"] != "ACKED":
            yield f"{job} was {was['state']} and is {now['state']}"
        if int(now["due"]) <= step.now_ms:
            yield "no time is left"


def _finish(step: Step) -> Iterator[str]:
    outcome = step.given["outcome"]
    job, node = outcome.job, outcome.node
    was, now = step.before.jobs.get(job, {}), step.after.jobs.get(job, {})
    again = was.get("token") == outcome.token
    holds = was.get("node") == node and was.get("slot") == "1" and was["state"] != "RESERVED"
    unclaimed = was.get("state") == "WAITING" and was.get("claim") == "1"
    known = was != {} and was.get("stub") != "1" and not unclaimed
    if isinstance(step.reply, scripts.Unknown) == known and not isinstance(step.reply, Missing):
        yield f"{step.reply} of {was}"
    if known and holds and not again and isinstance(step.reply, scripts.Late):
        yield f"late, though it holds {was}"
    if known and not holds and not again and not isinstance(step.reply, scripts.Late):
        yield f"{step.reply}, though {node} does not hold {was}"
    if holds and known and not isinstance(step.reply, Missing):
        if job in step.after.held_by(node):
            yield "keeps the slot"
        if outcome.verdict == "done" and was["state"] != "CANCELLED" and now["state"] != "DONE":
            yield f"is {now['state']}"
    if isinstance(step.reply, scripts.Retried | scripts.Failed) and holds:
        yield from _retried(step, job)
    if isinstance(step.reply, scripts.Done) and not again:
        yield from _turn_ended(step, job)


def _turn_ended(step: Step, job: str) -> Iterator[str]:
    """With the last part of a turn those before it on its node are done, and no others."""
    last = step.before.jobs[job]
    for other, was in step.before.jobs.items():
        held = was.get("slot") == "1" and was["state"] in ("DISPATCHED", "ACKED")
        if not held or other == job:
            continue
        ends = last.get("turn", "") == was.get("turn", "") + "." and was["node"] == last["node"]
        ends = ends and int(was["index"]) < int(last["index"])
        now = step.after.jobs[other]
        if ends != (now["state"] == "DONE"):
            yield f"{other} of {was.get('turn')!r} is {now['state']} after {last.get('turn')!r}"
        if ends and (now["size"] != "0" or other in step.after.held_by(was["node"])):
            yield f"{other} is done with {now}"


def _release(step: Step) -> Iterator[str]:
    if isinstance(step.reply, scripts.Released):
        job = step.given["job"]
        was = step.before.jobs[job]
        if job in step.after.held_by(step.given["node"]) and was["state"] != "RESERVED":
            yield "keeps the slot"
        if was["state"] not in TERMINAL and was.get("stub") != "1":
            yield from _retried(step, job)


def _retried(step: Step, job: str) -> Iterator[str]:
    """Placed again, waiting or failed: as what was free then says."""
    event = next(e for e in step.events if e.get("job") == job and e["e"] == "job")
    if "RETRYING" not in event["moves"]:
        return  # the input's fault
    was = step.before.jobs[job]
    soft = was["state"] == "RESERVED" or step.given.get("code") in UNSENT
    wish = wish_in(
        was | {"avoid": f"{was['avoid']} {was['node'] if soft else ''}"},
        step.now_ms,
        had=[] if soft else [was["node"]],
    )
    tries = int(event["tries"])
    counted = isinstance(step.reply, scripts.Retried | scripts.Failed)
    if tries != int(was.get("tries", 0)) + counted:
        yield f"{tries} tries after {was.get('tries')}"
    able = candidates(step.before, wish, step.now_ms)
    left = tries <= int(was["retries"]) and step.now_ms - int(was["born"]) < 180_000
    match event["moves"].split()[-1]:
        case "RESERVED" if event["node"] not in able or not left:
            yield f"placed on {event['node']} of {able}, {tries} tries"
        case "WAITING" if able or not left:
            yield f"waits though {able} could take it, {tries} tries"
        case "FAILED" if event.get("reason") == "retry_budget":
            pass
        case "FAILED" if event["code"] == "NODE_OVERLOADED":
            if able or not crowded(step.before, step.limits, was["sig"], was["session"]):
                yield f"is one too many, though {able} could take it or there is room"
        case "FAILED" if left and (able or (wish.may_wait and possible(step.before, wish))):
            yield f"failed though {able} could take it, {tries} tries"


def _cancel(step: Step) -> Iterator[str]:
    job = step.given["job"]
    was = step.before.jobs.get(job)
    idle = was is None or was["state"] == "WAITING"
    if isinstance(step.reply, scripts.Runs) and (idle or not step.given.get("only_idle")):
        yield f"{was} was not cancelled"
    if isinstance(step.reply, scripts.Cancelled) and step.given.get("only_idle") and not idle:
        yield f"{was} was cancelled"
    if isinstance(step.reply, scripts.Cancelled):
        now = step.after.jobs[job]
        assert was is not None
        process = step.given.get("process")
        unsent = process and was.get("begun") == f"{process} {was['attempt']}"
        kept = was["state"] == "ACKED" or (was["state"] == "DISPATCHED" and not unsent)
        if now["state"] != "CANCELLED" or (now["slot"] == "1") != kept:
            yield f"was {was}, is {now}"
        if kept and not step.messages("cancel", job):
            process = step.before.nodes[now["node"]]["process"]
            if process in step.before["processes"].set:
                yield "its node does not know"


def _restore_job(step: Step) -> Iterator[str]:
    job = step.given["job"].job
    match step.reply:
        case scripts.Held() if job in step.before.jobs:
            yield f"was {step.before.jobs[job]}"
        case scripts.Claimed(node=node) if step.after.jobs[job]["node"] != node:
            yield f"is on {step.after.jobs[job]['node']}"


# --- of a node's life ---


def _register_node(step: Step) -> Iterator[str]:
    told, node = step.given["registration"], step.given["registration"].node
    if not isinstance(step.reply, scripts.Ok | scripts.Already):
        return
    now = step.after.nodes[node]
    if (now["conn"], now["process"]) != (told.conn, told.process):
        yield f"{told.conn} at {told.process}, but {now}"
    yield from _described(step, node, told.about)
    if told.draining and now["state"] != NodeState.DRAINING:
        yield f"{now['state']}, not draining"
    if step.before.nodes.get(node, {}).get("mark") == told.mark:
        return  # it came before, and knows nothing of what was begun after it
    held = dict(told.held) if told.held is not None else None
    new = not isinstance(step.reply, scripts.Already) or held is not None
    for job in step.before.held_by(node) if new else ():
        was, fields = step.before.jobs[job], step.after.jobs.get(job, {})
        given_up = fields.get("lost", "") != ""
        keeps = job in held if held is not None else told.running is None or job in told.running
        if was["state"] != "RESERVED" and given_up == keeps:
            yield f"{job}: given up {given_up}, though it keeps {held or told.running}"
    for job, attempt in (held or {}).items():
        was = step.before.jobs.get(job, {})
        beaten = was.get("state") in TERMINAL or int(was.get("attempt", 0)) > attempt
        if not beaten and step.after.jobs[job]["node"] != node:
            yield f"{job}: {node} holds it, and it is {step.after.jobs[job]}"


def _described(step: Step, node: str, about: scripts.Node) -> Iterator[str]:
    now = step.after.nodes[node]
    has = [*about.has, "access:public"] if about.public else about.has
    if now["pools"].split() != about.pools or now["has"].split() != has:
        yield f"{node} is in {now['pools']!r} and has {now['has']!r}, not {about}"
    for name in ("public", "enabled", "core", "gpu"):
        if now[name] != str(int(getattr(about, name))):
            yield f"{node}: {name} is {now[name]}"
    drained = now["drain"] != "" and now["state"] != NodeState.OFFLINE
    if (now["state"] == NodeState.DRAINING) != drained:
        yield f"{node}: {now['state']} with drain {now['drain']!r}"
    ready = about.core and not drained and now["state"] != NodeState.OFFLINE
    if (now["state"] == NodeState.READY) != ready:
        yield f"{node}: {now['state']} with core {about.core}"


def _heartbeat(step: Step) -> Iterator[str]:
    beat = step.given["beat"]
    if not isinstance(step.reply, scripts.Ok):
        return
    record = step.after.fleet[beat.node]
    if record.beat_ms != step.now_ms:
        yield f"beat at {record.beat_ms}"
    used = step.before.fleet[beat.node].used
    if record.foreign != max(0, beat.running - used):
        yield f"foreign {record.foreign}: runs {beat.running}, {used} of them ours"
    if beat.about is not None:
        yield from _described(step, beat.node, beat.about)
    for event in step.events:
        if event.get("code") == "NO_RESULT" and event["e"] == "job":
            yield from _given_up(step, event["job"])


def _given_up(step: Step, job: str) -> Iterator[str]:
    """Nothing that follows it in its turn was live."""
    quiet = step.before.jobs[job]
    turn = quiet.get("turn", "").rstrip(".")
    for other, was in step.before.jobs.items():
        same = turn != "" and turn == was.get("turn", "").rstrip(".")
        live = step.after.jobs.get(other, {}).get("state", "DONE") not in TERMINAL
        if same and live and int(was["index"]) > int(quiet["index"]):
            yield f"{job} is given up, and {other} follows"


def _attend_node(step: Step) -> Iterator[str]:
    if not isinstance(step.reply, scripts.Work):
        return
    node, told = step.given["node"], [*step.reply.jobs, *step.reply.unwanted]
    listed = [word.partition("=")[0] for word in told]
    running = [job for job, one in step.after.jobs.items() if one["state"] == "ACKED"]
    if step.after.fleet[node].beat_ms != step.now_ms:
        yield f"{node} is not alive"
    if not set(listed) <= step.after.held_by(node) or set(listed) & set(running):
        yield f"{listed} of {step.after.held_by(node)}, {running} acknowledged"
    for job in step.after.held_by(node) - set(listed):
        if step.after.jobs[job]["state"] in ("RESERVED", "CANCELLED"):
            yield f"keeps back {step.after.jobs[job]}"


def _change_pools(step: Step) -> Iterator[str]:
    if isinstance(step.reply, scripts.Moved):
        before = set(step.before.nodes[step.given["node"]]["pools"].split())
        after = set(step.given["about"].pools)
        if (step.reply.joined, step.reply.left) != (len(after - before), len(before - after)):
            yield f"{step.reply} from {before} to {after}"
        yield from _described(step, step.given["node"], step.given["about"])


def _node_offline(step: Step) -> Iterator[str]:
    if isinstance(step.reply, scripts.Ok):
        node = step.given["node"]
        if step.after.nodes[node]["state"] != NodeState.OFFLINE:
            yield f"{node} is {step.after.nodes[node]['state']}"
        if step.before.held_by(node) != step.after.held_by(node):
            yield "its jobs did not wait for the grace"


def _forget_node(step: Step) -> Iterator[str]:
    node = step.given["node"]
    if isinstance(step.reply, scripts.Ok) and node in step.after.nodes:
        yield f"{node} is still there"


# --- of processes and time ---


def _open_session(step: Step) -> Iterator[str]:
    told = step.given["session"]
    was = step.before.sessions.get(told.session, {})
    taken = told.begins and was.get("process", told.process) != told.process
    if isinstance(step.reply, scripts.NameTaken) != taken:
        yield f"{step.reply}: was {was}, and {told} begins"
    newer = not taken and int(was.get("generation", 0)) > told.generation
    if isinstance(step.reply, scripts.Elsewhere) != newer:
        yield f"{step.reply}: was {was}, and {told} opens it"
    if isinstance(step.reply, scripts.Opened):
        now, timer = step.after.sessions[told.session], f"session:{told.session}"
        if (now["process"], now["proof"]) != (told.process, told.proof):
            yield f"{told} opened it, and it is {now}"
        if now["former"].split() != told.former:
            yield f"{told} opened it, and former proofs are {now['former']}"
        yield from _since(was, now)
        if (timer in step.after.timers) != told.away:
            yield f"{timer}, and away is {told.away}"


def _since(was: dict[str, str], now: dict[str, str]) -> Iterator[str]:
    """It counts from when the process got it."""
    moved = was.get("process") != now["process"]
    if now["since"] != (now["generation"] if moved else was["since"]):
        yield f"is {now}, was {was}"


def _resume_session(step: Step) -> Iterator[str]:
    back = step.given["back"]
    was = step.before.sessions.get(back.session, {})
    good = [*was.get("former", "").split(), was.get("proof")]
    given = was.get("proof", "") != "" and back.proof in good
    again = was.get("proof") == back.next_proof and was.get("process") == back.process
    his = (was.get("tenant"), was.get("credential")) == (back.tenant, back.credential)
    if isinstance(step.reply, scripts.Denied) == (his and (given or again)):
        yield f"{step.reply}: was {was}, and {back} came"
    if isinstance(step.reply, scripts.Resumed):
        now = step.after.sessions[back.session]
        if (now["process"], now["proof"]) != (back.process, back.next_proof):
            yield f"{back} came, and it is {now}"
        if int(now["generation"]) != int(was["generation"]) + (not again):
            yield f"is {now}, was {was}"
        if not again and now["former"].split()[0] != back.proof:
            yield f"{back} can't come again: {now}"
        if not set(now["former"].split()) <= set(good):
            yield f"{now} and {was}: a proof that was never given"
        if step.reply.pin != was["pin"] or now["pin"] != was["pin"]:
            yield f"{step.reply}, was paired with {was['pin']}, now {now['pin']}"
        yield from _since(was, now)
        if f"session:{back.session}" in step.after.timers:
            yield "it is still to end"
        told = [process for process, message in step.told if message["kind"] == "moved"]
        lost = {was["process"]} - {back.process} & step.before["processes"].set
        if set(told) != lost:
            yield f"{told} were told, {lost} had it"


def _refuse_job(step: Step) -> Iterator[str]:
    spec = step.given["job"]
    if isinstance(step.reply, scripts.Known) != (spec.job in step.before.jobs):
        yield f"{step.reply}, was {step.before.jobs.get(spec.job)}"
    if isinstance(step.reply, NoSession) and spec.session in step.before.sessions:
        yield "knows the session"
    if isinstance(step.reply, scripts.Recorded):
        now, session = step.after.jobs[spec.job], step.after.sessions.get(spec.session, {})
        if (now["state"], now["code"], now["index"]) != ("FAILED", spec.code, str(spec.index)):
            yield f"is {now}"
        if spec.session and int(session["newest"]) < spec.index:
            yield f"the newest is {session['newest']}"


def _close_session(step: Step) -> Iterator[str]:
    session, process = step.given["session"], step.given["process"]
    mine = step.before.sessions.get(session, {}).get("process") == process
    if mine and not step.reply.more and session in step.after.sessions:
        yield "still open"
    if not mine and not unchanged(step.before, step.after):
        yield "not its own"


def _reap(step: Step) -> Iterator[str]:
    due = {timer for timer, at in step.before.timers.items() if at <= step.now_ms}
    limit = step.given.get("limit", 16)
    if step.reply.fired != min(len(due), limit):
        yield f"{step.reply} of {due}"
    left = {timer for timer, at in step.after.timers.items() if at <= step.now_ms}
    if len(due) < limit and left & due and not _handed_on(step, left & due):
        yield f"{left & due} fired in vain"


def _handed_on(step: Step, timers: set[str]) -> bool:
    """A job that another timer of the same call has given up is due again at once; and a process
    ends in parts.
    """
    ending = {
        f"process:{name}" for name in step.before["processes"].set - step.after["processes"].set
    }
    given_up = {f"job:{job}" for job, fields in step.after.jobs.items() if fields.get("lost")}
    return timers <= ending | given_up


def _renew_lease(step: Step) -> Iterator[str]:
    process = step.given["process"]
    if (process in step.before["processes"].set) != isinstance(step.reply, scripts.Kept):
        yield f"{step.reply}"
    if step.after.timers[f"process:{process}"] != step.now_ms + 2_000:
        yield "the lease is not 2 s"


def _service_out(step: Step) -> Iterator[str]:
    if isinstance(step.reply, scripts.Out):
        node, service = step.given["node"], step.given["service"]
        if service not in step.after.nodes[node]["out"].split():
            yield f"{service} is not out: {step.after.nodes[node]}"
        if step.after.timers[f"node:{node}:service:{service}"] < step.now_ms + step.given["out_ms"]:
            yield f"{service} comes back too soon"


def _mend(step: Step) -> Iterator[str]:
    """The world is sound before each step, so there is nothing to mend."""
    if step.reply.changes or not unchanged(step.before, step.after):
        yield f"{step.reply} of what was sound"


def _note(step: Step) -> Iterator[str]:
    given = {name: str(value) for name, value in step.given.items() if name != "cell"}
    if step.events != [{"e": "note", "job": "", "text": ""} | given]:
        yield f"{given} is not the only event of {step.events}"


def _issue_code(step: Step) -> Iterator[str]:
    code, node = step.given["code"], step.given["node"]
    if isinstance(step.reply, scripts.Issued):
        kept = step.after[f"pairing:{code}"].hash
        if kept["node"] != node or kept["mark"] != step.given["mark"]:
            yield f"{code} is {kept}"
        if step.reply.until_ms > step.now_ms + step.limits.pairing_code_ms:
            yield f"valid until {step.reply.until_ms}"


def _redeem_code(step: Step) -> Iterator[str]:
    code, mark = step.given["code"], step.given["mark"]
    was, now = (cell[f"pairing:{code}"].hash for cell in (step.before, step.after))
    guesses = step.before[f"guesses:{step.given['client']}"].set
    match step.reply:
        case scripts.Paired(node=node):
            if now["user"] != mark or was["user"] not in ("", mark) or was["node"] != node:
                yield f"{mark} was paired by {was}"
            if was["user"] == "" and int(was["until"]) <= step.now_ms:
                yield f"had expired: {was}"
        case scripts.Wrong() if mark not in guesses and was:
            yield f"counts as a guess, and is {was}"
        case scripts.Spent() if was["user"] == "" and int(was["until"]) > step.now_ms:
            yield f"was good: {was}"
        case scripts.Limited() if len(guesses) < step.limits.guesses_of_one:
            everybody = step.before["guesses:all"].set
            if len(everybody) < step.limits.guesses_of_all:
                yield f"after {guesses} of {everybody}"


CHECKS: dict[str, Callable[[Step], Iterator[str]]] = {
    "dispatch": _dispatch,
    "take": _take,
    "ack": _ack,
    "finish": _finish,
    "release": _release,
    "cancel": _cancel,
    "restore_job": _restore_job,
    "register_node": _register_node,
    "heartbeat": _heartbeat,
    "change_pools": _change_pools,
    "node_offline": _node_offline,
    "forget_node": _forget_node,
    "open_session": _open_session,
    "resume_session": _resume_session,
    "attend_node": _attend_node,
    "close_session": _close_session,
    "refuse_job": _refuse_job,
    "reap": _reap,
    "renew_lease": _renew_lease,
    "service_out": _service_out,
    "mend_node": _mend,
    "mend_job": _mend,
    "mend_session": _mend,
    "mend_queue": _mend,
    "mend_entry": _mend,
    "note": _note,
    "issue_code": _issue_code,
    "redeem_code": _redeem_code,
}
