"""A node whose jobs fail again and again gets none for a while, then one at a time."""

from lua import views
from lua.scripts import Command, Need, Verdict
from lua.states import BreakerState
from lua.views.nodes import Breaker
from tests.lua.fleet import POOL
from tests.lua.stage import Stage

CLOSED, MARKED, OPEN, HALF_OPEN = "", "marked", "open", "half_open"


def breaker(stage: Stage, node: str = "n1") -> str:
    return str(stage.cell.nodes[node].get("breaker", ""))


def fail(stage: Stage, job: str, *, session: str = "", need: Need | None = None) -> None:
    """``n1`` fails a job that ``n2`` then does; each of a session of its own."""
    session = session or f"s-{job}"
    stage.open_session(session)
    stage.send(job, session=session, preferred="n1", need=need or Need((POOL,)))
    assert stage.field(job, "node") == "n1"
    stage.take(job, "n1")
    stage.fail(job, "n1")
    stage.take(job, stage.field(job, "node"), attempt=2)
    stage.finish(job, stage.field(job, "node"), token=f"{job}-2")


def two_nodes(stage: Stage) -> None:
    stage.node("n1", capacity=3)
    stage.node("n2", capacity=9)


def opened(stage: Stage) -> None:
    two_nodes(stage)
    for number in range(3):
        fail(stage, f"f{number}")
    assert breaker(stage) == OPEN


def test_three_failures_of_three_sessions_open_it(stage: Stage) -> None:
    two_nodes(stage)
    for number in range(2):
        fail(stage, f"f{number}")
        assert breaker(stage) == MARKED
        assert stage.record("n1").ready
    fail(stage, "f2")
    assert breaker(stage) == OPEN
    alert = next(event for event in stage.events if event["e"] == "alert")
    assert (alert["what"], alert["node"]) == ("breaker_open", "n1")
    assert alert["text"] == "INTERNAL_ERROR"
    assert stage.record("n1").why == 2
    assert stage.send("j1", preferred="n1").node == "n2"


def test_three_of_the_last_five_open_it(stage: Stage) -> None:
    two_nodes(stage)
    for number, good in enumerate([False, True, False, True, False]):
        if good:
            stage.send(f"g{number}", preferred="n1")
            stage.take(f"g{number}", "n1")
            stage.finish(f"g{number}", "n1")
            assert breaker(stage) == MARKED
        else:
            fail(stage, f"f{number}")
    assert breaker(stage) == OPEN


def test_good_jobs_make_its_failures_forgotten(stage: Stage) -> None:
    two_nodes(stage)
    for number in range(2):
        fail(stage, f"f{number}")
    for number in range(5):
        assert breaker(stage) == MARKED
        stage.send(f"g{number}", preferred="n1")
        stage.take(f"g{number}", "n1")
        stage.finish(f"g{number}", "n1")
    assert breaker(stage) == CLOSED
    fail(stage, "f2")
    assert breaker(stage) == MARKED


def test_one_session_charges_once_a_minute_and_never_opens_it_alone(stage: Stage) -> None:
    two_nodes(stage)
    for number in range(5):
        fail(stage, f"f{number}", session="s-1")
    assert stage.cell.nodes["n1"]["marks"] == "s-1"
    for number in range(5, 9):
        stage.pass_ms(60_000)
        fail(stage, f"f{number}", session="s-1")
    assert stage.cell.nodes["n1"]["marks"].split() == ["s-1"] * 5
    assert breaker(stage) == MARKED


def test_a_job_that_fails_on_two_nodes_charges_nobody(stage: Stage) -> None:
    for name in ("n1", "n2", "n3"):
        stage.node(name)
    for number in range(4):
        job = f"f{number}"
        stage.open_session(f"s-{job}")
        stage.send(job, session=f"s-{job}")
        for attempt in (1, 2):
            node = stage.field(job, "node")
            stage.take(job, node, attempt)
            stage.finish(
                job, node, Verdict.RETRY, "INTERNAL_ERROR", blame="*", token=f"{job}{attempt}"
            )
        stage.take(job, stage.field(job, "node"), 3)
        stage.finish(job, stage.field(job, "node"), token=f"{job}3")
    assert {breaker(stage, name) for name in ("n1", "n2", "n3")} == {CLOSED}


def test_a_failure_that_blames_nobody_charges_nobody(stage: Stage) -> None:
    two_nodes(stage)
    for number in range(4):
        job = f"f{number}"
        stage.send(job, session="", preferred="n1")
        stage.take(job, "n1")
        stage.finish(job, "n1", Verdict.RETRY, "NODE_OVERLOADED")
        stage.take(job, "n2", attempt=2)
        stage.finish(job, "n2", token="2")
    assert breaker(stage) == CLOSED


def test_a_job_that_nobody_else_could_do_charges_its_node_at_its_end(stage: Stage) -> None:
    stage.node("n1", capacity=3)
    stage.node("n2", capacity=0)
    for number in range(3):
        job = f"f{number}"
        stage.send(job, session="", deadline_ms=500 if number else 0)
        stage.take(job, "n1")
        stage.fail(job, "n1")
        assert stage.state(job) == ("WAITING" if number else "FAILED")
    assert stage.cell.nodes["n1"]["marks"] == "f0"
    stage.pass_ms(1_000)
    assert stage.state("f2") == "FAILED"
    assert breaker(stage) == OPEN


def test_job_timeouts_are_charged(stage: Stage) -> None:
    stage.node("n1", capacity=3)
    stage.node("n2", capacity=0)
    for number in range(3):
        stage.running(f"f{number}", "n1") if not number else (
            stage.send(f"f{number}", session=""), stage.take(f"f{number}", "n1")
        )  # fmt: skip
    stage.pass_ms(75_000)
    assert breaker(stage) == OPEN
    assert stage.cell.nodes["n1"]["blamed"] == "JOB_TIMEOUT"


def test_at_most_half_of_a_pool_is_out_at_once(stage: Stage) -> None:
    opened(stage)
    stage.node("n3", capacity=9)
    for number in range(3):
        job = f"g{number}"
        stage.send(job, session="", preferred="n2")
        stage.take(job, "n2")
        stage.fail(job, "n2")
        stage.take(job, "n3", attempt=2)
        stage.finish(job, "n3", token=f"{job}2")
    assert breaker(stage, "n2") == MARKED
    stage.control("n1", Command.CLEAR)
    stage.send("g3", session="", preferred="n2")
    stage.take("g3", "n2")
    stage.fail("g3", "n2")
    stage.take("g3", stage.field("g3", "node"), attempt=2)
    stage.finish("g3", stage.field("g3", "node"), token="g32")
    assert breaker(stage, "n2") == OPEN


def test_half_open_it_gets_one_job_and_a_good_one_closes_it(stage: Stage) -> None:
    opened(stage)
    stage.pass_ms(9_000)
    assert breaker(stage) == OPEN
    stage.pass_ms(1_100)
    assert breaker(stage) == HALF_OPEN
    assert stage.record("n1").capacity == 1
    assert stage.send("j1", preferred="n1").node == "n1"
    assert stage.send("j2", preferred="n1").node == "n2"
    stage.take("j1", "n1")
    stage.finish("j1", "n1")
    assert breaker(stage) == CLOSED
    assert stage.record("n1").capacity == 3
    assert [event["what"] for event in stage.events if event["e"] == "note"] == ["breaker_closed"]


def test_a_job_from_before_the_opening_proves_nothing(stage: Stage) -> None:
    two_nodes(stage)
    stage.send("old", session="", preferred="n1")
    stage.take("old", "n1")
    for number in range(3):
        fail(stage, f"f{number}")
    stage.pass_ms(10_100)
    assert breaker(stage) == HALF_OPEN
    assert stage.send("j1", preferred="n1").node == "n2"
    stage.finish("old", "n1")
    assert breaker(stage) == HALF_OPEN
    assert stage.send("j2", preferred="n1").node == "n1"


def test_a_failure_while_half_open_doubles_the_pause(stage: Stage) -> None:
    opened(stage)
    for times in (1, 2, 4, 8, 16, 30, 30):
        assert int(stage.cell.nodes["n1"]["pause"]) == 10_000 * times
        stage.cells.advance(10_000 * times - 7_000)
        stage.pass_ms(6_900)
        assert breaker(stage) == OPEN
        stage.pass_ms(200)
        assert breaker(stage) == HALF_OPEN
        fail(stage, f"again{times}-{stage.cells.now_ms}")
        assert breaker(stage) == OPEN


def test_work_that_is_not_ours_does_not_keep_it_half_open_for_ever(stage: Stage) -> None:
    opened(stage)
    stage.cells.advance(10_001)
    stage.renew("p1")
    stage.beat("n1", running=1)
    stage.reap()
    assert (stage.record("n1").capacity, stage.record("n1").foreign) == (2, 1)
    assert stage.send("j1", preferred="n1").node == "n1"
    stage.beat("n1", running=3)
    assert stage.record("n1").capacity == 3


def test_jobs_that_wait_get_it_as_soon_as_it_is_half_open(stage: Stage) -> None:
    opened(stage)
    stage.offline("n2")
    stage.send("j1", deadline_ms=30_000)
    stage.send("j2", deadline_ms=30_000)
    assert stage.state("j1") == "WAITING"
    stage.pass_ms(10_100)
    assert (stage.state("j1"), stage.state("j2")) == ("RESERVED", "WAITING")


def test_it_survives_a_reconnect_and_ends_with_its_node(stage: Stage) -> None:
    opened(stage)
    stage.offline("n1")
    stage.node("n1", conn="n1-2", capacity=3)
    assert breaker(stage) == OPEN
    assert not stage.record("n1").ready
    stage.offline("n1", "n1-2")
    stage.pass_ms(10_100)
    assert breaker(stage) == HALF_OPEN
    fail_soon = stage.node("n1", conn="n1-3", capacity=3)
    assert (fail_soon.state, stage.record("n1").capacity) == ("ready", 1)


def test_an_operator_clears_it(stage: Stage) -> None:
    opened(stage)
    stage.control("n1", Command.CLEAR, "a new GPU")
    assert breaker(stage) == CLOSED
    assert stage.record("n1").ready
    assert stage.events[-1] | {"e": "note"} == {
        "e": "note", "what": "clear", "node": "n1", "text": "a new GPU"
    }  # fmt: skip
    assert stage.told("control") == []


def test_people_see_it(stage: Stage) -> None:
    def seen() -> Breaker:
        return views.nodes(stage.cells.settings, ["n1"])["n1"].breaker

    two_nodes(stage)
    assert seen() == Breaker(BreakerState.CLOSED, "", 0)
    for number in range(3):
        fail(stage, f"f{number}")
    assert seen() == Breaker(BreakerState.OPEN, "INTERNAL_ERROR", stage.cells.now_ms + 10_000)
    stage.pass_ms(10_100)
    assert seen() == Breaker(BreakerState.HALF_OPEN, "INTERNAL_ERROR", 0)
