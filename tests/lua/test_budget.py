"""Retries are bounded by the jobs of their pool that end, so a sick fleet is not buried by them."""

from lua.scripts import Need
from tests.lua.fleet import POOL
from tests.lua.stage import Stage


def fail_one(stage: Stage, job: str, pool: str = POOL) -> str:
    """Send a job and have its node fail it, blaming nobody; the job's state after it."""
    stage.send(job, session="", need=Need((pool,)), retries=1)
    node = stage.field(job, "node")
    stage.take(job, node)
    stage.fail(job, node, "NODE_OVERLOADED", "")
    return stage.state(job)


def drain(stage: Stage, job: str) -> None:
    node = stage.field(job, "node")
    stage.take(job, node, attempt=2)
    stage.finish(job, node, token=f"{job}-2")


def a_sick_pool(stage: Stage, pool: str = POOL) -> int:
    """How many of its jobs are tried again before the budget is spent."""
    for number in range(100):
        if fail_one(stage, f"{pool}-{stage.cells.calls}-{number}", pool) == "FAILED":
            return number
        drain(stage, next(j for j, f in stage.cell.jobs.items() if f["state"] == "RESERVED"))
    raise AssertionError("there is no bound")


def test_over_the_budget_jobs_fail_at_once_with_the_last_cause(stage: Stage) -> None:
    stage.node("n1", capacity=50)
    stage.node("n2", capacity=50)
    # 10, and 20 % of the 13 jobs that are new by then.
    assert a_sick_pool(stage) == 13
    event = next(e for e in stage.events if e["e"] == "job")
    assert (event["code"], event["reason"]) == ("NODE_OVERLOADED", "retry_budget")
    assert event["moves"].endswith("RETRYING FAILED")


def test_one_pools_failures_do_not_spend_anothers(stage: Stage) -> None:
    for name, pool in (("n1", POOL), ("n2", POOL), ("n3", "own:x"), ("n4", "own:x")):
        stage.node(name, capacity=50, pools=[pool])
    a_sick_pool(stage)
    assert fail_one(stage, "other", "own:x") == "RESERVED"


def test_the_budget_comes_back_with_time(stage: Stage) -> None:
    stage.node("n1", capacity=50)
    stage.node("n2", capacity=50)
    a_sick_pool(stage)
    assert fail_one(stage, "j1") == "FAILED"
    stage.pass_ms(20_000)
    assert fail_one(stage, "j2") == "RESERVED"


def test_what_uses_up_no_try_needs_no_budget(stage: Stage) -> None:
    stage.node("n1", capacity=50)
    stage.node("n2", capacity=50)
    a_sick_pool(stage)
    stage.send("j1")
    stage.take("j1", stage.field("j1", "node"))
    stage.release("j1", stage.field("j1", "node"))
    assert stage.state("j1") == "RESERVED"
