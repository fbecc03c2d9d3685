"""Web processes, their leases and sessions; what happens when one is gone or Redis stood still."""

from typing import Any

from lua import scripts
from lua.scripts import Closed
from lua.scripts.process import Config, Kept, Lease, Taught
from tests.lua.fleet import a_job
from tests.lua.invariants import left_over
from tests.lua.stage import Stage


def test_a_process_that_renews_in_time_keeps_its_lease(stage: Stage) -> None:
    first = stage.renew("p2")
    assert isinstance(first, Lease)
    stage.cells.advance(1_900)
    assert stage.renew("p2") == Kept(epoch=first.epoch, version=0, pools=0)


def test_a_process_that_is_gone_takes_its_nodes_offline(stage: Stage) -> None:
    stage.renew("p2")
    stage.node("n1", process="p2")
    stage.node("n2")
    stage.alive = {"n2"}
    stage.pass_ms(1_000)
    assert stage.cell.nodes["n1"]["state"] == "ready"
    stage.pass_ms(1_000)
    assert stage.cell.nodes["n1"]["state"] == "offline"
    assert stage.cell["processes"].set == {"p1"}
    assert "mailbox:p2" not in stage.cell.keys
    assert isinstance(stage.renew("p2"), Lease)


def test_a_process_with_many_nodes_ends_in_parts_and_is_told_so_at_once(stage: Stage) -> None:
    stage.renew("p2")
    for number in range(70):
        stage.node(f"n{number}", process="p2")
    stage.alive = set()
    stage.cells.advance(1_900)
    stage.renew("p1")
    stage.reap()
    stage.cells.advance(100)
    stage.do(scripts.reap, cell=0)
    states = [fields["state"] for fields in stage.cell.nodes.values()]
    assert states.count("offline") == 64
    assert isinstance(stage.renew("p2"), Lease)


def test_a_timer_that_another_of_the_same_call_has_removed_does_not_fire(stage: Stage) -> None:
    """A node goes offline with its process just when its stale timer is due, too."""
    stage.renew("p2")
    stage.node("n1", process="p2")
    stage.alive, stage.processes = set(), ["p1", "p2"]
    stage.pass_ms(42_900)
    stage.processes = ["p1"]
    stage.pass_ms(1_000)
    stage.beat("n1")
    stage.cells.advance(900)
    stage.reap()
    assert stage.cell.timers["process:p2"] < stage.cell.timers["node:n1:stale"]
    stage.cells.advance(200)
    stage.do(scripts.reap, cell=0)
    assert stage.cell.nodes["n1"]["state"] == "offline"
    assert [e["moves"] for e in stage.events if e["e"] == "node"] == ["ready offline"]


def test_its_sessions_wait_half_a_minute_for_another_process(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.processes = ["p2"]
    stage.renew("p2")
    stage.node("n1", conn="n1-2", process="p2")
    stage.pass_ms(30_000)
    assert "s-1" in stage.cell.sessions
    stage.open_session(process="p2")
    stage.pass_ms(5_000)
    assert stage.state("j1") == "DISPATCHED"
    stage.finish("j1", "n1")
    assert [m["job"] for m in stage.told("outcome", "p2")] == ["j1"]


def test_a_session_that_nobody_resumes_is_ended(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.send("j2")
    stage.processes = ["p2"]
    stage.renew("p2")
    stage.node("n1", conn="n1-2", process="p2")
    stage.pass_ms(33_000)
    assert stage.cell.sessions == {}
    assert (stage.state("j1"), stage.state("j2")) == ("CANCELLED", "CANCELLED")
    assert [m["job"] for m in stage.told("cancel", "p2")] == ["j1"]


def test_a_stalled_redis_is_not_taken_for_dead_peers(stage: Stage) -> None:
    stage.node("n1")
    stage.reap()
    stage.cells.advance(60_000)
    stage.reap()
    assert stage.cell.nodes["n1"]["state"] == "ready"
    assert stage.cell["processes"].set == {"p1"}
    stage.cells.advance(1_000)
    stage.renew("p1")
    stage.beat("n1")
    stage.pass_ms(6_000)
    assert stage.cell.nodes["n1"]["state"] == "ready"


def test_jobs_end_in_time_even_after_a_stall(stage: Stage) -> None:
    stage.node("n1", capacity=0)
    stage.send("j1")
    stage.reap()
    stage.cells.advance(60_000)
    stage.reap()
    assert stage.state("j1") == "FAILED"


def test_a_process_without_a_lease_leaves_nothing_behind(stage: Stage) -> None:
    """It may have been about to register a node, or to open a session, when its lease ended."""
    stage.open_session("s-2", process="p9")
    stage.node("n9", process="p9")
    stage.alive = set()
    stage.pass_ms(35_000)
    assert "s-2" not in stage.cell.sessions
    assert stage.cell.nodes["n9"]["state"] == "offline"
    assert stage.cell.named("process").keys() == {"p1:sessions"}


# --- sessions ---


def test_the_end_of_a_session_cancels_its_jobs_and_leaves_nothing(stage: Stage) -> None:
    stage.node("n1", capacity=1)
    for number in range(20):
        stage.send(f"j{number}")
    close: dict[str, Any] = {"cell": 0, "session": "s-1", "process": "p1"}
    assert stage.do(scripts.close_session, **close) == Closed(cancelled=16, more=True)
    assert stage.do(scripts.close_session, **close) == Closed(cancelled=4, more=False)
    assert stage.do(scripts.close_session, **close) == Closed(cancelled=0, more=False)
    assert {stage.state(f"j{number}") for number in range(20)} == {"CANCELLED"}
    stage.offline("n1")
    stage.do(scripts.forget_node, cell=0, node="n1", offline_ms=0)
    stage.processes = []
    stage.pass_ms(25_000)
    assert list(left_over(stage.cell)) == []


def test_a_session_that_moved_is_not_ended_by_its_former_process(stage: Stage) -> None:
    stage.renew("p2")
    stage.open_session(process="p2")
    reply = stage.do(scripts.close_session, cell=0, session="s-1", process="p1")
    assert reply == Closed(cancelled=0, more=False)
    assert "s-1" in stage.cell.sessions


def test_a_replayed_session_loses_the_jobs_that_it_does_not_know(stage: Stage) -> None:
    stage.node("n1", capacity=1)
    for job in ("j1", "j2", "j3"):
        stage.send(job)
    stage.open_session(known=["j3"])
    assert [stage.state(job) for job in ("j1", "j2", "j3")] == ["CANCELLED"] * 2 + ["RESERVED"]


def test_a_job_without_a_session_is_nobodys_to_cancel(stage: Stage) -> None:
    stage.node("n1")
    stage.send("j1", session="")
    stage.do(scripts.close_session, cell=0, session="s-1", process="p1")
    assert stage.state("j1") == "RESERVED"


# --- configuration ---


def test_a_configuration_reaches_all_processes_and_an_older_one_changes_nothing(
    stage: Stage,
) -> None:
    stage.renew("p2")
    write: dict[str, Any] = {"cell": 0, "content": b'{"a":1}'}
    assert stage.do(scripts.write_config, version=2, **write) == Taught()
    assert stage.do(scripts.write_config, version=2, **write) == Config(version=2)
    assert stage.do(scripts.write_config, version=1, **write) == Config(version=2)
    for process in ("p1", "p2"):
        assert stage.told("config", process) == [{"kind": "config", "version": "2"}]
    assert stage.renew("p1").version == 2


def test_a_restored_job_is_known_when_redis_never_lost_it(stage: Stage) -> None:
    stage.node("n1")
    stage.send("j1")
    reply = stage.do(scripts.restore_job, cell=0, job=a_job("j1"), payload=b"p")
    assert reply == scripts.Known(state="RESERVED")


def test_a_timer_of_a_job_that_is_over_or_gone_fires_once(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.finish("j1", "n1")
    timers = f"{stage.cells.prefixes[0]}timers"
    stage.checks = False
    stage.cells.blocking.zadd(timers, {"job:j1": 1, "job:unknown": 1})
    assert stage.do(scripts.reap, cell=0, limit=16).fired == 2
    assert stage.cells.blocking.zscore(timers, "job:j1") is None
    assert stage.cells.blocking.zscore(timers, "job:unknown") is None
    assert stage.look(0).jobs["j1"]["state"] == "DONE"
