"""A node that drains: what runs ends there, or goes elsewhere at the deadline."""

from lua import views
from lua.scripts import Command
from tests.lua.stage import Stage


def draining(stage: Stage, **more: int) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.node("n2")
    stage.control("n1", Command.DRAIN, "new driver", **more)


def test_what_runs_ends_where_it_is(stage: Stage) -> None:
    draining(stage)
    stage.pass_ms(30_000)
    assert stage.field("j1", "node") == "n1"
    stage.finish("j1", "n1")
    assert stage.state("j1") == "DONE"


def test_at_the_deadline_it_goes_elsewhere_and_no_try_is_used(stage: Stage) -> None:
    draining(stage, deadline_ms=5_000)
    seen = views.nodes(stage.cells.settings, ["n1"])["n1"]
    assert (seen.drain, seen.drain_until_ms) == ("new driver", stage.cells.now_ms + 5_000)
    stage.pass_ms(4_500)
    assert stage.field("j1", "node") == "n1"
    stage.pass_ms(2_000)
    assert (stage.field("j1", "node"), stage.field("j1", "tries")) == ("n2", "0")
    assert stage.told("cancel")[-1]["node"] == "n1"
    assert stage.cell.nodes["n1"]["state"] == "draining"


def test_the_deadline_survives_a_reconnect(stage: Stage) -> None:
    draining(stage, deadline_ms=5_000)
    stage.offline("n1")
    stage.node("n1", conn="n1-2", running=["j1"])
    stage.pass_ms(4_000)
    assert stage.field("j1", "node") == "n1"
    stage.pass_ms(1_500)
    assert stage.field("j1", "node") == "n2"


def test_a_node_that_is_resumed_keeps_its_jobs(stage: Stage) -> None:
    draining(stage, deadline_ms=5_000)
    stage.control("n1", Command.RESUME)
    stage.pass_ms(10_000)
    assert stage.field("j1", "node") == "n1"
