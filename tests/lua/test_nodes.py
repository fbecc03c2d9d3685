"""A node's life: registration, states, heartbeats, loss and return, operators."""

import json
from typing import Any

import pytest

from lua import scripts
from lua.scripts import Command
from lua.states import NodeState
from tests.lua.fleet import POOL, a_node
from tests.lua.stage import Stage


def state(stage: Stage, node: str = "n1") -> str:
    return str(stage.cell.nodes[node]["state"])


# --- registration ---


def test_a_node_registers_and_is_ready(stage: Stage) -> None:
    assert stage.node("n1") == scripts.Ok(state=NodeState.READY, more=False)
    assert stage.cell[f"pool:{POOL}"].set == stage.cell[f"ready:{POOL}"].set == {"n1"}
    assert stage.cell[f"idle:{POOL}"].set == {"n1"}
    assert stage.cell["pools"].hash == {POOL: "{}"}


def test_the_present_connection_is_known_and_an_earlier_one_is_stale(stage: Stage) -> None:
    stage.node("n1")
    assert stage.node("n1") == scripts.Already(state=NodeState.READY, more=False)
    stage.node("n1", conn="n1-2")
    assert stage.node("n1", conn="n1-1") == scripts.Stale()
    assert stage.told("replaced") == [{"kind": "replaced", "node": "n1", "conn": "n1-1"}]
    assert stage.beat("n1", conn="n1-1") == scripts.Stale()
    assert stage.offline("n1", conn="n1-1") == scripts.Stale()


def test_a_connection_that_was_given_up_may_register_again_and_again(stage: Stage) -> None:
    """Its socket still stands: the process replays the registration that it remembers."""
    stage.node("n1")
    stage.offline("n1")
    assert stage.beat("n1") == scripts.node.Unknown()
    assert isinstance(stage.node("n1"), scripts.Ok)
    assert isinstance(stage.node("n1"), scripts.Already)


def test_a_live_node_is_not_replaced_by_a_peer_with_another_credential(stage: Stage) -> None:
    stage.node("n1", credential="a")
    assert stage.node("n1", conn="n1-2", credential="b") == scripts.IdConflict()
    stage.offline("n1")
    assert isinstance(stage.node("n1", conn="n1-2", credential="b"), scripts.Ok)


def test_peers_that_fight_over_an_id_are_stopped(stage: Stage) -> None:
    stage.node("n1", address="a")
    for number, address in enumerate("bab", 2):
        assert isinstance(stage.node("n1", conn=f"n1-{number}", address=address), scripts.Ok)
    assert stage.node("n1", conn="n1-9", address="a") == scripts.IdConflict()
    assert [e["e"] for e in stage.events] == ["alert"]
    stage.pass_ms(60_000)
    assert isinstance(stage.node("n1", conn="n1-9", address="a"), scripts.Ok)


def test_a_node_that_only_loses_its_connection_often_is_not_stopped(stage: Stage) -> None:
    for number in range(1, 9):
        assert isinstance(stage.node("n1", conn=f"n1-{number}"), scripts.Ok)


def test_pools_of_an_older_configuration_are_refused(stage: Stage) -> None:
    stage.do(scripts.write_config, cell=0, version=3, content=b"{}")
    assert stage.node("n1", config=2) == scripts.Outdated(version=3)
    stage.node("n1", config=3)
    outdated = a_node(config=2)
    assert stage.beat("n1", about=outdated) == scripts.Outdated(version=3)
    changed = stage.do(scripts.change_pools, cell=0, node="n1", about=outdated)
    assert changed == scripts.Outdated(version=3)


# --- what it holds ---


def test_a_node_that_returns_keeps_what_it_still_has(stage: Stage) -> None:
    stage.node("n1", capacity=3)
    for job in ("j1", "j2"):
        stage.running(job, "n1")
    stage.offline("n1")
    stage.pass_ms(1_500)
    stage.node("n1", conn="n1-2", capacity=3, running=["j1"])
    stage.pass_ms(1_000)
    assert (stage.state("j1"), stage.field("j1", "node")) == ("DISPATCHED", "n1")
    assert stage.field("j2", "had").split() == ["n1"]
    assert stage.field("j2", "tries") == "0"
    assert isinstance(stage.finish("j1", "n1"), scripts.Done)


def test_a_node_that_does_not_say_what_it_has_keeps_all(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.offline("n1")
    stage.node("n1", conn="n1-2")
    stage.pass_ms(3_000)
    assert stage.state("j1") == "DISPATCHED"


def test_reservations_are_told_to_the_new_process(stage: Stage) -> None:
    stage.renew("p2")
    stage.node("n1")
    stage.send("j1")
    stage.node("n1", conn="n1-2", process="p2")
    expected = {"kind": "assign", "job": "j1", "attempt": "1", "node": "n1", "conn": "n1-2"}
    assert stage.told("assign", "p2") == [expected]
    assert isinstance(stage.take("j1", "n1", conn="n1-2"), scripts.Taken)
    assert stage.take("j1", "n1", conn="n1-1") == scripts.Gone()


def test_jobs_of_a_lost_node_go_elsewhere_after_the_grace(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.node("n2")
    stage.offline("n1")
    stage.pass_ms(1_000)
    assert stage.field("j1", "node") == "n1"
    stage.pass_ms(2_000)
    assert (stage.field("j1", "node"), stage.field("j1", "tries")) == ("n2", "0")
    assert stage.field("j1", "cause") == "WS_DISCONNECTED"


def test_a_node_that_nobody_could_stand_in_for_is_waited_for_longer(stage: Stage) -> None:
    """Deployed agents come back after 5 s."""
    stage.node("n1")
    stage.running("j1", "n1")
    stage.offline("n1")
    stage.pass_ms(19_000)
    assert stage.state("j1") == "DISPATCHED"
    stage.node("n1", conn="n1-2")
    assert isinstance(stage.finish("j1", "n1"), scripts.Done)


def test_a_silent_node_goes_offline_after_three_heartbeats(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.alive = set()
    stage.pass_ms(45_000)
    assert state(stage) == "ready"
    stage.pass_ms(1_000)
    assert state(stage) == "offline"
    assert stage.beat("n1") == scripts.node.Unknown()
    assert isinstance(stage.node("n1"), scripts.Ok)
    assert stage.finish("j1", "n1") == scripts.Done(more=False)


# --- states ---


def test_a_node_is_ready_once_its_core_types_are(stage: Stage) -> None:
    assert stage.node("n1", core=False).state == "registering"
    assert stage.beat("n1", about=a_node()).state == "ready"
    assert stage.beat("n1", about=a_node(core=False)).state == "degraded"
    assert stage.beat("n1", about=a_node()).state == "ready"


def test_a_node_that_never_gets_ready_is_degraded_after_a_minute(stage: Stage) -> None:
    stage.node("n1", core=False)
    stage.pass_ms(59_000)
    assert state(stage) == "registering"
    stage.pass_ms(1_000)
    assert state(stage) == "degraded"


def test_a_draining_node_gets_nothing_new_and_ends_what_it_has(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    assert stage.control("n1", Command.DRAIN, "repair").state == "draining"
    assert isinstance(stage.send("j2"), scripts.Waiting)
    assert isinstance(stage.finish("j1", "n1"), scripts.Done)
    assert stage.told("control")[0] == {
        "kind": "control", "node": "n1", "conn": "n1-1", "command": "drain", "reason": "repair"
    }  # fmt: skip
    assert stage.control("n1", Command.RESUME) == scripts.Ok(state=NodeState.READY, more=False)
    assert stage.state("j2") == "RESERVED"


def test_a_drain_survives_a_new_connection(stage: Stage) -> None:
    stage.node("n1")
    stage.control("n1", Command.DRAIN)
    stage.offline("n1")
    assert stage.node("n1", conn="n1-2").state == "draining"
    assert stage.beat("n1", conn="n1-2", about=a_node()).state == "draining"
    assert stage.control("n1", Command.RESUME).state == "ready"
    assert stage.node("n2", draining=True).state == "draining"


def test_a_node_whose_core_types_were_lost_while_draining_resumes_degraded(stage: Stage) -> None:
    stage.node("n1")
    stage.control("n1", Command.DRAIN)
    stage.beat("n1", about=a_node(core=False))
    assert stage.control("n1", Command.RESUME).state == "degraded"


def test_a_node_that_is_to_leave_goes_when_it_is_empty(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.control("n1", Command.SHUTDOWN)
    assert [m["command"] for m in stage.told("control")] == ["shutdown"]
    stage.finish("j1", "n1")
    assert [m["command"] for m in stage.told("control")] == ["shutdown", "kick"]


def test_an_empty_node_that_is_to_leave_goes_at_once(stage: Stage) -> None:
    stage.node("n1")
    stage.control("n1", Command.SHUTDOWN)
    assert [m["command"] for m in stage.told("control")] == ["shutdown", "kick"]


def test_a_node_that_is_to_leave_is_still_when_its_process_registers_it_again(
    stage: Stage,
) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.control("n1", Command.SHUTDOWN)
    stage.node("n1")
    stage.finish("j1", "n1")
    assert [m["command"] for m in stage.told("control")] == ["shutdown", "kick"]


def test_a_node_that_left_as_asked_is_used_again(stage: Stage) -> None:
    stage.node("n1")
    stage.control("n1", Command.SHUTDOWN)
    stage.offline("n1")
    assert stage.node("n1").state == "ready"
    stage.control("n1", Command.DRAIN)
    stage.control("n1", Command.SHUTDOWN)
    stage.offline("n1")
    assert stage.node("n1", draining=True).state == "draining"


def test_a_refresh_is_for_the_agent_alone(stage: Stage) -> None:
    stage.node("n1")
    assert stage.control("n1", Command.REFRESH, "curious").state == "ready"
    assert [(m["command"], m["reason"]) for m in stage.told("control")] == [("refresh", "curious")]


def test_an_unknown_node_takes_no_command(stage: Stage) -> None:
    assert stage.control("n1", Command.KICK) == scripts.node.Unknown()
    assert stage.beat("n1") == scripts.node.Unknown() if "n1" in stage.cell.nodes else True
    assert stage.do(scripts.offer, cell=0, node="n1") == scripts.node.Unknown()


@pytest.mark.parametrize("capacity", [0, 1])
def test_a_lowered_capacity_takes_no_job_away(stage: Stage, capacity: int) -> None:
    stage.node("n1", capacity=3)
    for job in ("j1", "j2"):
        stage.running(job, "n1")
    stage.beat("n1", about=a_node(capacity=capacity))
    assert stage.record("n1").used == 2
    assert isinstance(stage.send("j3"), scripts.Waiting)
    stage.finish("j1", "n1")
    stage.finish("j2", "n1")
    assert stage.state("j3") == ("RESERVED" if capacity else "WAITING")


@pytest.mark.parametrize(("given", "kept"), [(-3, 0), (70_000, 65_535)])
def test_a_senseless_capacity_is_bounded(stage: Stage, given: int, kept: int) -> None:
    stage.node("n1", capacity=given)
    assert stage.record("n1").capacity == kept


def test_senseless_foreign_work_is_bounded(stage: Stage) -> None:
    stage.node("n1")
    with pytest.raises(AssertionError, match="foreign 65535"):
        stage.beat("n1", running=70_000)
    assert stage.record("n1").foreign == 65_535


# --- memberships ---


def test_memberships_change_by_their_difference(stage: Stage) -> None:
    stage.node("n1", pools=[POOL, "own:a"], has=["tts:zh", "tts:en"])
    stage.beat("n1", about=a_node(pools=[POOL, "own:b"], has=["tts:en", "type:tone"]))
    assert [(e["joined"], e["left"]) for e in stage.events if e["e"] == "pool"] == [
        ("own:b", "own:a")
    ]
    assert set(stage.cell.named("pool")) == {POOL, "own:b"}
    assert set(stage.cell.named("has")) == {"tts:en", "type:tone", "access:public"}


def test_an_unchanged_heartbeat_writes_no_event(stage: Stage) -> None:
    stage.node("n1")
    stage.beat("n1", about=a_node())
    assert stage.events == []


def test_each_change_of_pools_is_recorded_with_its_reasons(stage: Stage) -> None:
    reasons = '{"auto:en-zh":"its own class","own:a":"limit","own:b":"serves all of it"}'
    stage.node("n1", pools=[POOL, "own:a"])
    stage.beat("n1", about=a_node(pools=[POOL, "own:b"], reasons=reasons))
    (event,) = [e for e in stage.events if e["e"] == "pool"]
    assert json.loads(event["reasons"]) == {"own:a": "limit", "own:b": "serves all of it"}


def test_what_members_offer_together_is_counted(stage: Stage) -> None:
    stage.node("n1", has=["tts:zh"])
    stage.node("n2", has=["tts:zh"])
    both = f"{POOL} tts:zh access:public"
    assert stage.cell["offers"].hash == {both: "2"}
    stage.beat("n1", about=a_node(has=["tts:en"], pools=[POOL, "own:a"]))
    other = "tts:en access:public"
    assert stage.cell["offers"].hash == {both: "1", f"{POOL} {other}": "1", f"own:a {other}": "1"}


def test_processes_are_told_when_members_offer_something_else(stage: Stage) -> None:
    stage.node("n1")
    stage.node("n2")
    before = stage.renew("p1").pools
    stage.beat("n2", about=a_node(has=["tts:en"]))
    stage.beat("n1", about=a_node(has=["tts:en"]))
    assert stage.renew("p1").pools == before + 2
    stage.node("n3", has=["tts:en"])
    assert stage.renew("p1").pools == before + 2


def test_processes_are_told_when_an_auto_pool_comes_or_goes(stage: Stage) -> None:
    def told() -> int:
        return len(stage.told("config"))

    stage.node("n1")
    assert (told(), stage.renew("p1").pools) == (1, 1)
    stage.node("n2")
    assert told() == 1
    stage.beat("n1", about=a_node(pools=["auto:en-fr"], definition='{"fr":1}'))
    assert (told(), stage.renew("p1").pools) == (2, 2)
    stage.beat("n1", about=a_node())
    assert (told(), stage.renew("p1").pools) == (3, 3)
    assert stage.cell["pools"].hash == {POOL: "{}"}
    assert {m["version"] for m in stage.told("config")} == {"0"}


def test_a_forgotten_node_leaves_nothing(stage: Stage) -> None:
    before = set(stage.cell.keys)
    stage.node("n1", has=["tts:zh"])
    forget: dict[str, Any] = {"cell": 0, "node": "n1", "offline_ms": 5_000}
    assert stage.do(scripts.forget_node, **forget) == scripts.Live()
    stage.offline("n1")
    assert stage.do(scripts.forget_node, **forget) == scripts.Live()
    stage.pass_ms(5_000)
    assert isinstance(stage.do(scripts.forget_node, **forget), scripts.Ok)
    assert set(stage.cell.keys) - before == {"config", "events", "reaped"} - before
    assert stage.do(scripts.forget_node, **forget) == scripts.node.Unknown()


def test_a_node_that_holds_a_job_is_not_forgotten(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.offline("n1")
    assert stage.do(scripts.forget_node, cell=0, node="n1", offline_ms=0) == scripts.Live()
