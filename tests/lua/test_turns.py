"""What the scripts know of turns: an agent holds some speech back until it has heard more."""

import pytest

from lua import scripts
from tests.lua.stage import Stage


def says(stage: Stage, *parts: str, node: str = "n1") -> None:
    """Parts of turns, such as ``a1 a2 a.``, each a job of that name; all are on the node."""
    for part in parts:
        turn = part[0] + "." * part.endswith(".")
        reply = stage.send(part, turn=turn, index=stage.cells.calls, preferred=node)
        assert reply.node == node
        assert isinstance(stage.take(part, node), scripts.Taken)


@pytest.fixture
def stage(stage: Stage) -> Stage:
    stage.node("n1", capacity=9)
    return stage


def states(stage: Stage) -> dict[str, str]:
    return {job: fields["state"] for job, fields in stage.cell.jobs.items()}


def test_with_the_last_part_of_a_turn_its_node_has_done_those_before_it(stage: Stage) -> None:
    says(stage, "a1", "a2", "b1", "a.")
    stage.ack("a2", "n1")
    reply = stage.finish("a.", "n1", result=b"{}")
    assert isinstance(reply, scripts.Done)
    assert states(stage) == {"a1": "DONE", "a2": "DONE", "b1": "DISPATCHED", "a.": "DONE"}
    assert [stage.field(job, "size") for job in ("a1", "a2", "a.")] == ["0", "0", "2"]
    assert stage.record("n1").used == 1
    told = {message["job"]: message["size"] for message in stage.told("outcome")}
    assert told == {"a.": "2", "a1": "0", "a2": "0"}
    assert {message["job"] for message in stage.told("cancel")} == {"a1", "a2"}


def test_another_part_of_a_turn_says_nothing_of_the_rest(stage: Stage) -> None:
    says(stage, "a1", "a2", "a.")
    stage.finish("a2", "n1")
    assert states(stage) == {"a1": "DISPATCHED", "a2": "DONE", "a.": "DISPATCHED"}


def test_a_last_part_that_failed_has_not_answered_for_the_others(stage: Stage) -> None:
    says(stage, "a1", "a.")
    stage.finish("a.", "n1", scripts.Verdict.FAIL, "INVALID_AUDIO")
    assert states(stage) == {"a1": "DISPATCHED", "a.": "FAILED"}


def test_what_another_node_has_heard_is_its_own(stage: Stage) -> None:
    stage.node("n2")
    says(stage, "a1", node="n2")
    says(stage, "a.")
    stage.finish("a.", "n1")
    assert states(stage) == {"a1": "DISPATCHED", "a.": "DONE"}


def test_its_slots_go_to_those_that_wait(stage: Stage) -> None:
    stage.node("n1", capacity=2, conn="n1-1")
    says(stage, "a1", "a.")
    for job in ("w1", "w2"):
        assert isinstance(stage.send(job), scripts.Waiting)
    stage.finish("a.", "n1")
    assert [stage.state(job) for job in ("w1", "w2")] == ["RESERVED", "RESERVED"]


def test_the_session_of_the_asking_process_is_told_of_the_others_by_message(stage: Stage) -> None:
    says(stage, "a1", "a.")
    assert stage.finish("a.", "n1", process="p1") == scripts.Done(False, "s-1")
    assert [message["job"] for message in stage.told("outcome")] == ["a1"]


def test_what_the_node_says_of_them_later_changes_nothing(stage: Stage) -> None:
    says(stage, "a1", "a.")
    stage.finish("a.", "n1")
    assert stage.finish("a1", "n1") == scripts.Late("DONE")


def beats(stage: Stage, times: int) -> None:
    """Heartbeats, none of them with any work."""
    for _ in range(times):
        stage.cells.advance(5_000)
        stage.beat("n1", running=0)


def test_a_part_is_not_given_up_while_a_later_one_is_live(stage: Stage) -> None:
    says(stage, "a1")
    beats(stage, 3)
    says(stage, "a.")
    beats(stage, 1)
    assert states(stage) == {"a1": "DISPATCHED", "a.": "DISPATCHED"}
    stage.finish("a.", "n1", scripts.Verdict.FAIL, "INVALID_AUDIO")
    beats(stage, 1)
    assert stage.field("a1", "code") == "NO_RESULT"


def test_a_later_turn_keeps_nothing_alive(stage: Stage) -> None:
    says(stage, "a.")
    beats(stage, 3)
    says(stage, "b1")
    beats(stage, 1)
    assert states(stage) == {"a.": "FAILED", "b1": "DISPATCHED"}


def test_their_ends_are_kept_for_a_client_that_may_come_back(stage: Stage) -> None:
    stage.open_session(proof="p")
    says(stage, "a1", "a2", "a.")
    stage.finish("a.", "n1", process="p1")
    assert stage.cell["answers:s-1"].flat == [b"a.", b"a1", b"a2"]
