"""A service that fails, or has no model, is left out for a while; its node serves on."""

from lua import scripts, views
from lua.scripts import Command
from tests.lua.scenes import _lame
from tests.lua.stage import Stage


def out(stage: Stage, node: str = "n1") -> list[str]:
    return str(stage.cell.nodes[node].get("out", "")).split()


def lacks_model(stage: Stage, out_ms: int = 60_000) -> None:
    stage.do(scripts.service_out, cell=0, node="n1", service="tts-1", code="NO_MODEL",
             out_ms=out_ms)  # fmt: skip


def test_a_service_without_its_model_is_out_and_back_by_itself(stage: Stage) -> None:
    stage.node("n1")
    lacks_model(stage)
    assert out(stage) == ["tts-1"]
    assert stage.told("services")[-1]["out"] == "tts-1"
    assert stage.record("n1").ready
    stage.pass_ms(59_000)
    assert out(stage) == ["tts-1"]
    stage.pass_ms(1_100)
    assert out(stage) == []
    assert stage.told("services")[-1]["out"] == ""


def test_said_again_it_is_out_for_longer_and_never_for_less(stage: Stage) -> None:
    stage.node("n1")
    lacks_model(stage)
    stage.pass_ms(50_000)
    lacks_model(stage)
    lacks_model(stage, out_ms=1_000)
    stage.pass_ms(50_000)
    assert out(stage) == ["tts-1"]
    stage.pass_ms(11_000)
    assert out(stage) == []


def test_a_registration_that_does_not_know_it_is_told(stage: Stage) -> None:
    stage.node("n1")
    lacks_model(stage)
    stage.offline("n1")
    assert stage.node("n1", conn="n1-2") == scripts.Services(out=["tts-1"])
    assert isinstance(stage.node("n1", conn="n1-2", out=["tts-1"]), scripts.Ok)
    stage.pass_ms(61_000)
    assert stage.node("n1", conn="n1-2", out=["tts-1"]) == scripts.Services(out=[])


def test_three_failures_that_name_it_take_it_out_and_not_the_node(stage: Stage) -> None:
    _lame(stage, 3)()
    assert out(stage) == ["tts-1"]
    assert "breaker" not in stage.cell.nodes["n1"]
    alert = next(event for event in stage.events if event["e"] == "alert")
    assert (alert["what"], alert["text"]) == ("service_out", "tts-1 TTS_TIMEOUT")
    [seen] = views.nodes(stage.cells.settings, ["n1"])["n1"].out
    assert (seen.service, seen.until_ms - stage.cells.now_ms) == ("tts-1", 10_000)


def test_on_trial_one_failure_takes_it_out_for_twice_as_long(stage: Stage) -> None:
    _lame(stage, 3)()
    stage.pass_ms(10_100)
    assert out(stage) == []
    stage.send("again", session="", preferred="n1")
    stage.take("again", "n1")
    stage.fail("again", "n1", "TTS_TIMEOUT", "tts-1")
    stage.take("again", "n2", attempt=2)
    stage.finish("again", "n2", token="again-2")
    [seen] = views.nodes(stage.cells.settings, ["n1"])["n1"].out
    assert seen.until_ms - stage.cells.now_ms == 20_000


def test_after_its_trial_everything_is_forgotten(stage: Stage) -> None:
    _lame(stage, 3)()
    stage.pass_ms(20_200)
    assert "services" not in stage.cell.nodes["n1"]


def test_failures_long_ago_are_forgotten(stage: Stage) -> None:
    _lame(stage, 2)()
    assert "services" in stage.cell.nodes["n1"]
    stage.pass_ms(301_000)
    assert "services" not in stage.cell.nodes["n1"]


def test_an_operator_takes_it_in_again(stage: Stage) -> None:
    _lame(stage, 3)()
    stage.control("n1", Command.CLEAR)
    assert out(stage) == []
    assert stage.told("services")[-1]["out"] == ""
    assert stage.cell["lame"].set == frozenset()
