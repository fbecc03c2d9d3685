"""What waits, and what a cell holds, has limits; everybody hears of it before and after."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lua import scripts
from lua.client import StoreSettings
from lua.limits import Limits
from lua.scripts import Need, Verdict
from lua.states import Level, Overload, Reason
from tests.lua.driven import DrivenCells
from tests.lua.fleet import PAYLOAD, POOL
from tests.lua.stage import Stage

GetStage = Callable[..., Stage]


@pytest.fixture
def staged(redis_url: str, prefix: str) -> Iterator[GetStage]:
    """``staged(queue_jobs=3)``: a stage with these limits and a full node."""
    made = []

    def make(**limits: int) -> Stage:
        cells = DrivenCells(StoreSettings(redis_url, prefix, limits=Limits(**limits)))
        made.append(cells)
        stage = Stage(cells)
        stage.node("n1", capacity=0)
        return stage

    yield make
    for cells in made:
        cells.end()


def wait(stage: Stage, count: int, **wishes: Any) -> list[Any]:
    """So many jobs without a session wait, one after the other."""
    first = len(stage.cell.jobs)
    return [
        stage.send(f"j{first + number}", **{"session": "", **wishes}) for number in range(count)
    ]


def pressures(stage: Stage) -> list[str]:
    """What processes were told of queues."""
    return [message["level"] for message in stage.told("pressure")]


# --- what waits ---


def test_a_queue_takes_so_many_and_no_more(staged: GetStage) -> None:
    stage = staged(queue_jobs=3)
    wait(stage, 3)
    refused = stage.send("one more")
    assert (refused.code, refused.reason) == ("NODE_OVERLOADED", Overload.QUEUE_FULL)
    assert refused.breakdown == {Reason.CAPACITY_EXCEEDED: 1}
    stage.cancel("j1")
    assert isinstance(stage.send("another"), scripts.Waiting)


def test_a_full_queue_keeps_nobody_from_a_free_node(staged: GetStage) -> None:
    stage = staged(queue_jobs=1)
    wait(stage, 1, avoid=["n2"])
    stage.node("n2")
    assert stage.send("j9").node == "n2"


def test_a_session_may_have_so_many_that_wait(staged: GetStage) -> None:
    stage = staged(session_jobs=2)
    stage.open_session("s-2")
    wait(stage, 2, session="s-1")
    refused = stage.send("one more")
    assert (refused.code, refused.reason) == ("NODE_OVERLOADED", Overload.SESSION_FULL)
    assert isinstance(stage.send("of another", session="s-2"), scripts.Waiting)
    assert isinstance(stage.send("of nobody", session=""), scripts.Waiting)
    stage.cancel("j0")
    assert isinstance(stage.send("again"), scripts.Waiting)


def test_so_many_queues_may_be_and_no_more(staged: GetStage) -> None:
    stage = staged(queues=2)
    values = [f"tts:{number}" for number in range(3)]
    stage.node("n2", has=values, capacity=0)
    needs = [Need((POOL,), (value,)) for value in values]
    for number in range(2):
        stage.send(f"j{number}", need=needs[number])
    refused = stage.send("j2", need=needs[2])
    assert (refused.code, refused.reason) == ("NODE_OVERLOADED", Overload.QUEUES_FULL)
    assert isinstance(stage.send("j3", need=needs[0]), scripts.Waiting)


def test_a_failed_job_that_finds_its_queue_full_ends_overloaded(staged: GetStage) -> None:
    stage = staged(queue_jobs=1)
    stage.node("n2", capacity=1)
    stage.running("runs", "n2")
    wait(stage, 1)
    reply = stage.finish("runs", "n2", Verdict.RETRY, "INTERNAL_ERROR", token="t")
    assert reply.code == "NODE_OVERLOADED"
    assert stage.told("outcome")[-1]["code"] == "NODE_OVERLOADED"


# --- everybody hears of it ---


def test_processes_are_told_at_each_mark_once_on_the_way_up_and_down(staged: GetStage) -> None:
    stage = staged(queue_jobs=20)
    levels = [reply.level for reply in wait(stage, 20)]
    assert levels == [Level.SLOW_DOWN] * 9 + [Level.BUSY] * 6 + [Level.PAUSE] * 5
    assert pressures(stage) == ["BUSY", "PAUSE"]
    for number in range(20):
        stage.cancel(f"j{number}")
    assert pressures(stage) == ["BUSY", "PAUSE", "BUSY", "SLOW_DOWN"]


def test_a_queue_that_trembles_at_a_mark_says_so_to_its_sessions_only(staged: GetStage) -> None:
    stage = staged(queue_jobs=20)
    wait(stage, 10)
    stage.cancel("j9")
    assert pressures(stage) == ["BUSY"]
    assert stage.told("pressure")[0]["sig"] == Need((POOL,)).sig


def test_a_repeated_call_hears_how_crowded_it_is_now(staged: GetStage) -> None:
    stage = staged(queue_jobs=2)
    assert wait(stage, 1)[0].level is Level.BUSY
    wait(stage, 1)
    assert stage.send("j0", session="").level is Level.PAUSE


# --- when to ask again ---


def test_without_any_experience_it_is_five_seconds(staged: GetStage) -> None:
    stage = staged()
    assert stage.send("j1", deadline_ms=0).retry_ms == 5_000


def test_who_can_never_be_served_is_not_asked_to_try_again(staged: GetStage) -> None:
    stage = staged()
    assert stage.send("j1", need=Need(("auto:x",))).retry_ms == 0


def working(stage: Stage, every_ms: int, results: int) -> None:
    """A node of one slot gives results at equal distances."""
    stage.node("n2", capacity=1)
    for number in range(results):
        stage.running(f"done{number}", "n2")
        stage.cells.advance(every_ms)
        stage.finish(f"done{number}", "n2")
    stage.running("last", "n2")


def test_it_is_as_long_as_a_slot_of_the_pool_takes_to_be_free(staged: GetStage) -> None:
    stage = staged()
    working(stage, 800, 4)
    assert stage.send("j1", deadline_ms=0).retry_ms == 800


def test_it_is_longer_behind_those_that_wait(staged: GetStage) -> None:
    stage = staged(queue_jobs=3)
    working(stage, 800, 4)
    wait(stage, 3)
    refused = stage.send("j9")
    assert (refused.code, refused.retry_ms) == ("NODE_OVERLOADED", 4 * 800)


def test_a_change_of_pace_is_followed_step_by_step(staged: GetStage) -> None:
    stage = staged()
    working(stage, 800, 4)
    stage.cells.advance(1_600)
    stage.finish("last", "n2")
    stage.running("next", "n2")
    assert stage.send("j1", deadline_ms=0).retry_ms == 900


def test_a_repeated_refusal_is_the_same(staged: GetStage) -> None:
    stage = staged()
    refused = stage.send("j1", deadline_ms=0)
    assert stage.send("j1", deadline_ms=0) == refused


# --- the end of waiting ---


def test_who_waited_in_vain_learns_what_the_nodes_lacked(staged: GetStage) -> None:
    stage = staged()
    stage.send("j1")
    stage.pass_ms(11_000)
    outcome = stage.told("outcome")[-1]
    assert (outcome["code"], outcome["details"]) == ("QUEUE_TIMEOUT", '{"capacity_exceeded":1}')
    assert stage.field("j1", "reason") == Reason.CAPACITY_EXCEEDED


def test_a_node_lost_a_moment_ago_is_waited_for_and_a_forgotten_one_is_not(
    staged: GetStage,
) -> None:
    stage = staged()
    need = Need((POOL,), ("tts:zh",))
    stage.node("n2", has=["tts:zh"])
    stage.offline("n2")
    stage.pass_ms(60_000)
    assert isinstance(stage.send("j1", need=need), scripts.Waiting)
    stage.do(scripts.forget_node, cell=0, node="n2", offline_ms=0)
    assert stage.send("j2", need=need).code == "NO_CAPABLE_NODE"


# --- what a cell holds ---


def test_over_its_memory_a_cell_refuses_until_a_tenth_is_free(staged: GetStage) -> None:
    size = len(PAYLOAD)
    stage = staged(most_live_bytes=10 * size)
    wait(stage, 11)
    stage.reap()
    assert stage.told("pressure")[-1] == {"kind": "pressure", "sig": "", "level": "PAUSE"}
    stage.node("n2")
    stage.cancel("j0")
    stage.reap()
    refused = stage.send("new", deadline_ms=0, session="")
    assert (refused.code, refused.reason) == ("NODE_OVERLOADED", Overload.MEMORY_FULL)
    assert refused.retry_ms == 5_000
    for number in range(1, 11):
        if stage.state(f"j{number}") == "WAITING":
            stage.cancel(f"j{number}")
    stage.reap()
    assert pressures(stage)[-1] == "NONE"
    assert "brake" not in stage.cell.keys


def test_without_a_setting_a_quarter_of_the_memory_counts(staged: GetStage) -> None:
    stage = staged()
    memory = stage.cells.blocking.info("memory")["maxmemory"]
    key = f"{stage.cells.prefixes[0]}live_bytes"
    stage.checks = False
    try:
        stage.cells.blocking.config_set("maxmemory", 2**33)
        for held, braked in ((2**31, False), (2**31 + 1, True)):
            stage.cells.blocking.set(key, held)
            stage.reap()
            assert stage.cells.blocking.exists(f"{stage.cells.prefixes[0]}brake") == braked
    finally:
        stage.cells.blocking.config_set("maxmemory", memory)


def test_without_a_limit_of_redis_it_is_a_gibibyte(staged: GetStage) -> None:
    stage = staged()
    prefix = stage.cells.prefixes[0]
    stage.checks = False
    for held, braked in ((2**30, False), (2**30 + 1, True)):
        stage.cells.blocking.set(f"{prefix}live_bytes", held)
        stage.reap()
        assert stage.cells.blocking.exists(f"{prefix}brake") == braked


def alerts(stage: Stage) -> int:
    return sum(event.get("what") == "backlog" for _, event in stage.cell.events())


def test_a_long_backlog_is_told_once_and_a_longer_one_stops_dispatch(staged: GetStage) -> None:
    stage = staged(alert_entries=20, most_entries=30)
    stage.node("n2", capacity=9)
    stage.running("j0", "n2")
    wait(stage, 20, deadline_ms=0)
    stage.reap()
    stage.reap()
    assert alerts(stage) == 1
    wait(stage, 10, deadline_ms=0)
    stage.reap()
    assert stage.send("new").reason == Overload.BACKLOG_FULL
    assert isinstance(stage.finish("j0", "n2"), scripts.Done)


def test_a_sweep_of_many_choosy_queues_takes_several_calls(stage: Stage) -> None:
    """Each job that avoids a node is looked at: all of them at once would hold Redis up."""
    key = f"{stage.cells.prefixes[0]}queues"
    for number in range(30):
        stage.node(f"n{number}", capacity=0, pools=[f"auto:x{number}"])
        for job in range(8):
            need = Need((f"auto:x{number}",))
            stage.send(f"j{number}-{job}", need=need, avoid=["n9"], session="")
    stage.checks = False
    stage.cells.advance(1_100)

    def due() -> int:
        return int(stage.cells.blocking.zcount(key, "-inf", stage.cells.now_ms))

    assert due() == 30
    stage.reap()
    assert 10 < due() < 25
    for _ in range(3):
        stage.cells.advance(60)
        stage.reap()
    assert due() == 0
