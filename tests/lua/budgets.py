"""The retry budgets of pools, worked out from what a call did and from the counts before it."""

from collections import Counter
from collections.abc import Iterator, Mapping

from lua.states import TERMINAL
from tests.lua.selection import groups_of
from tests.lua.snapshot import Snapshot
from tests.lua.step import Message, Step

RETRY_BUDGET = "retry_budget"
Counts = Counter[tuple[str, str]]


def broken_budget(step: Step) -> Iterator[str]:
    """A failed job is tried again only within its pool's budget, and each is counted once."""
    counts: Counts = Counter()
    for event in step.events:
        moves = event["moves"].split() if event["e"] == "job" else ["NEW"]
        # A node's claim to a job that another has moves it, too, and is no try.
        if "RETRYING" in moves and "tries" in event:
            yield from _retried(step, event, counts)
        if moves[0] != "NEW" and moves[-1] in TERMINAL:
            counts[_first_pool(step.before.jobs[event["job"]]["need"]), "ended"] += 1
    window = step.now_ms // step.limits.budget_ms
    keys = {*step.before.named("budget"), *step.after.named("budget")}
    for key in sorted(key for key in keys if key.startswith(f"{window}:")):
        was, now = (cell[f"budget:{key}"].hash for cell in (step.before, step.after))
        for name in ("ended", "retried"):
            counted = int(now.get(name, 0)) - int(was.get(name, 0))
            expected = counts.pop((key.partition(":")[2], name), 0)
            if counted != expected:
                yield f"{counted} {name} jobs of {key} counted, there are {expected}"
    if +counts:
        yield f"not counted: {+counts}"


def _retried(step: Step, event: Message, counts: Counts) -> Iterator[str]:
    job, reason = event["job"], event.get("reason", "")
    was = step.before.jobs[job]
    pool, tries = _first_pool(was["need"]), int(event["tries"])
    counted = tries > int(was.get("tries", 0))
    alive = step.now_ms - int(was["born"]) < step.limits.job_life_ms
    over = counted and tries <= int(was["retries"]) and alive and _is_spent(step, pool, counts)
    if (reason == RETRY_BUDGET) != over:
        yield f"{job} fails for {reason!r}: its budget is {'' if over else 'not '}spent"
    if event["moves"].split()[-1] != "FAILED":
        if over:
            yield f"{job} is tried again over the budget"
        counts[pool, "retried"] += counted


def _is_spent(step: Step, pool: str, counts: Counts) -> bool:
    limits, window = step.limits, step.now_ms // step.limits.budget_ms
    this, last = (_counted(step.before, one, pool) for one in (window, window - 1))
    part = 1 - step.now_ms % limits.budget_ms / limits.budget_ms
    ended, retried = (
        int(this.get(name, 0)) + counts[pool, name] + part * int(last.get(name, 0))
        for name in ("ended", "retried")
    )
    return retried >= ended * limits.budget_percent / 100 + limits.budget_retries


def _counted(cell: Snapshot, window: int, pool: str) -> Mapping[str, str]:
    return cell[f"budget:{window}:{pool}"].hash


def _first_pool(need: str) -> str:
    """The one by which a job's retries are counted; empty when it has a node instead."""
    groups = groups_of(need.partition("\t")[0])
    return groups[0][0] if groups else ""
