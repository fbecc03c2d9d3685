"""Jobs between a session and a node of the same process: nothing goes through the mailbox."""

from lua import scripts
from lua.limits import Limits
from lua.scripts import AckKind, Verdict
from tests.lua.fleet import POOL
from tests.lua.stage import Stage


def test_a_job_for_a_node_of_the_asking_process_is_dispatched_at_once(stage: Stage) -> None:
    stage.node("n1")
    reply = stage.send("j1", process="p1")
    assert reply == scripts.Dispatched("j1", "n1", 1, POOL, "n1-1", reply.index)
    assert (stage.state("j1"), stage.due_ms("j1")) == ("DISPATCHED", 60_000)
    assert stage.events[0]["moves"] == "NEW SELECTING RESERVED DISPATCHED"
    assert stage.told("assign") == []
    assert stage.send("j2", process="p1").index == reply.index + 1


def test_a_node_that_acknowledges_has_two_seconds_for_that_too(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.ack("j1", "n1")
    stage.send("j2", process="p1")
    assert stage.due_ms("j2") == 2_000


def test_a_job_for_a_node_elsewhere_goes_through_the_mailbox(stage: Stage) -> None:
    stage.node("n1")
    assert isinstance(stage.send("j1", process="p2"), scripts.Reserved)
    assert [one["job"] for one in stage.told("assign")] == ["j1"]


def test_a_large_job_is_dispatched_at_once_too_so_that_none_overtakes_it(stage: Stage) -> None:
    stage.node("n1")
    large = b" " * (Limits().inline_bytes + 1)
    first = stage.send("j1", process="p1", payload=large)
    assert stage.send("j2", process="p1").index == first.index + 1


def test_a_sign_of_work_for_a_session_of_the_asking_process_is_told_by_the_reply(
    stage: Stage,
) -> None:
    stage.node("n1")
    stage.send("j1", process="p1")
    assert stage.ack("j1", "n1", AckKind.PARTIAL, process="p1") == scripts.Acked("s-1")
    assert stage.told("accepted") + stage.told("partial") == []
    assert stage.ack("j1", "n1", AckKind.PARTIAL, process="p2") == scripts.Acked("")
    assert len(stage.told("partial")) == 1


def test_an_index_that_was_never_sent_is_used_again(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j0", "n1")
    lost = stage.send("j1", process="p1")
    stage.do(scripts.cancel, cell=0, job="j1", code="SCHEDULER_DEPENDENCY_DOWN", process="p1")
    assert stage.send("j2", process="p1").index == lost.index


def test_a_dispatch_told_twice_gets_the_same_answer_from_its_own_process(stage: Stage) -> None:
    stage.node("n1")
    first = stage.send("j1", process="p1", repeat=True)
    assert stage.cells.repeat(stage.made[-1].made) == first
    elsewhere = stage.do(scripts.dispatch, cell=0, job=stage.made[-1].given["job"], payload=b"")
    assert elsewhere == scripts.Repeat("j1", "DISPATCHED", 1, "n1")


def test_what_was_never_sent_gives_its_slot_back_when_it_is_called_off(stage: Stage) -> None:
    stage.node("n1", capacity=1)
    stage.send("j1", process="p1")
    stage.send("j2")
    stage.do(scripts.cancel, cell=0, job="j1", code="SESSION_CLOSED", process="p1")
    assert (stage.state("j1"), stage.field("j1", "slot")) == ("CANCELLED", "")
    assert stage.state("j2") == "RESERVED"


def test_only_the_first_placing_counts_as_never_sent(stage: Stage) -> None:
    stage.node("n1")
    stage.node("n2")
    first = stage.send("j1", process="p1")
    stage.release("j1", first.node)
    stage.take("j1", stage.field("j1", "node"), attempt=2)
    stage.do(scripts.cancel, cell=0, job="j1", code="SESSION_CLOSED", process="p1")
    assert stage.field("j1", "slot") == "1"


def test_a_result_for_a_session_of_the_asking_process_is_told_by_the_reply(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.send("j2", process="p1")
    assert stage.finish("j1", "n1", process="p1") == scripts.Done(more=False, session="s-1")
    failed = stage.finish("j2", "n1", Verdict.FAIL, "INVALID_AUDIO", process="p1")
    assert failed == scripts.Failed("INVALID_AUDIO", more=False, session="s-1")
    assert stage.told("outcome") == []
    again = stage.finish("j2", "n1", Verdict.FAIL, "INVALID_AUDIO", process="p1")
    assert again == failed


def test_a_result_for_a_session_elsewhere_is_told_by_its_mailbox(stage: Stage) -> None:
    stage.renew("p2")
    stage.node("n1", process="p2")
    stage.running("j1", "n1")
    assert stage.finish("j1", "n1", process="p2") == scripts.Done(more=False)
    assert [one["job"] for one in stage.told("outcome")] == ["j1"]


def test_a_job_that_fails_for_good_after_its_last_try_is_told_by_the_mailbox(stage: Stage) -> None:
    stage.node("n1")
    stage.send("j1", process="p1", retries=0)
    failed = stage.finish("j1", "n1", Verdict.RETRY, "INTERNAL_ERROR", process="p1")
    assert failed == scripts.Failed("INTERNAL_ERROR", more=False)
    assert [one["job"] for one in stage.told("outcome")] == ["j1"]
