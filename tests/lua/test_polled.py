"""A node without a socket: it asks for its jobs, through whichever process it comes to."""

import pytest

from lua import scripts
from lua.limits import Limits
from lua.scripts import Command
from lua.states import NodeState
from tests.lua.stage import Stage


@pytest.fixture
def polled(stage: Stage) -> Stage:
    """With the node ``n1``, which has two slots and no socket; and a second process."""
    stage.renew("p2")
    stage.processes = ["p1", "p2"]
    stage.node("n1", process="", capacity=2)
    return stage


def test_it_is_told_of_what_is_reserved_and_takes_it(polled: Stage) -> None:
    assert isinstance(polled.send("j1", process="p1"), scripts.Reserved)
    assert polled.attend("n1") == scripts.Work(NodeState.READY, ["j1=1"], [])
    assert isinstance(polled.take("j1", "n1"), scripts.Taken)


def test_a_job_is_given_again_until_it_is_acknowledged(polled: Stage) -> None:
    polled.running("j1", "n1")
    assert polled.attend("n1", process="p2").jobs == ["j1=1=again"]
    again = polled.take("j1", "n1")
    assert isinstance(again, scripts.Taken)
    polled.ack("j1", "n1")
    assert polled.attend("n1").jobs == []


def test_one_that_it_never_acknowledges_goes_elsewhere(polled: Stage) -> None:
    polled.running("j1", "n1")
    polled.node("n2")
    polled.pass_ms(Limits().ack_timeout_ms + 1_000)
    assert polled.field("j1", "node") == "n2"


def test_the_process_that_it_asked_last_hears_of_new_jobs(polled: Stage) -> None:
    polled.attend("n1", process="p1")
    polled.attend("n1", process="p2")
    polled.send("j1")
    assert polled.told("assign", "p1") == []
    assert [told["job"] for told in polled.told("assign", "p2")] == ["j1"]


def test_what_is_cancelled_is_named_until_its_result(polled: Stage) -> None:
    polled.attend("n1")
    polled.running("j1", "n1")
    polled.cancel("j1")
    assert [told["job"] for told in polled.told("cancel")] == ["j1"]
    assert polled.attend("n1").unwanted == ["j1"]
    polled.finish("j1", "n1")
    assert polled.attend("n1").unwanted == []


def test_the_end_of_a_process_is_not_its_own(polled: Stage) -> None:
    polled.attend("n1", process="p2")
    polled.running("j1", "n1")
    polled.ack("j1", "n1")
    polled.processes = ["p1"]
    polled.alive.clear()
    polled.pass_ms(10_000)
    assert polled.cell.nodes["n1"]["state"] == "ready"
    assert polled.state("j1") == "ACKED"


def test_it_lives_while_it_asks_and_no_longer(polled: Stage) -> None:
    polled.alive.clear()
    stale_ms = Limits().stale_ms
    polled.pass_ms(stale_ms - 1_000)
    polled.attend("n1")
    polled.pass_ms(stale_ms - 1_000)
    assert polled.cell.nodes["n1"]["state"] == "ready"
    polled.pass_ms(2_000)
    assert polled.cell.nodes["n1"]["state"] == "offline"
    assert isinstance(polled.attend("n1"), scripts.node.Unknown)


def test_an_earlier_connection_gets_nothing(polled: Stage) -> None:
    polled.node("n1", conn="n1-2", process="p1")
    assert polled.attend("n1") == scripts.Stale()


def test_a_kick_ends_it_at_once(polled: Stage) -> None:
    polled.running("j1", "n1")
    assert polled.control("n1", Command.KICK).state == "offline"
    assert isinstance(polled.attend("n1"), scripts.node.Unknown)
    polled.node("n1", conn="n1-2", process="", capacity=2, running=["j1"])
    assert polled.state("j1") == "DISPATCHED"
