"""Every way a job can go, one at a time, each by the script that takes it there."""

from functools import partial

import pytest

from lua import scripts
from lua.scripts import AckKind, Command, Need, Verdict
from lua.states import JobState, Level
from tests.lua.fleet import POOL
from tests.lua.stage import Stage

JOB_TIMEOUT_MS = 60_000


# --- a new job ---


def test_a_job_is_reserved_on_a_free_node_and_its_process_is_told(stage: Stage) -> None:
    stage.node("n1")
    reply = stage.send("j1")
    assert reply == scripts.Reserved(job="j1", node="n1", attempt=1, pool=POOL)
    assert stage.due_ms("j1") == 5_000
    expected = {"kind": "assign", "job": "j1", "attempt": "1", "node": "n1", "conn": "n1-1"}
    assert stage.told("assign") == [expected]
    assert stage.record("n1").used == 1


def test_a_job_waits_when_nobody_is_ready_but_not_for_ever(stage: Stage) -> None:
    stage.node("n1", capacity=0)
    assert stage.send("j1") == scripts.Waiting("j1", Level.SLOW_DOWN)
    stage.pass_ms(9_000)
    assert stage.state("j1") == "WAITING"
    stage.pass_ms(1_000)
    assert stage.state("j1") == "FAILED"
    assert [m["code"] for m in stage.told("outcome")] == ["QUEUE_TIMEOUT"]


@pytest.mark.parametrize(("asked_ms", "waits_ms"), [(700, 700), (30_000, 30_000), (90_000, 60_000)])
def test_a_job_may_bring_its_own_deadline(stage: Stage, asked_ms: int, waits_ms: int) -> None:
    stage.node("n1", capacity=0)
    stage.send("j1", deadline_ms=asked_ms)
    assert stage.due_ms("j1") == waits_ms


def test_a_job_that_may_not_wait_fails_at_once(stage: Stage) -> None:
    stage.node("n1", capacity=0)
    reply = stage.send("j1", deadline_ms=0)
    assert reply == scripts.Refused(
        "j1", "NO_AVAILABLE_NODE", "capacity_exceeded", {"capacity_exceeded": 1}, 5_000
    )
    assert stage.told("outcome") == []


def test_a_job_that_no_node_could_ever_serve_fails_at_once(stage: Stage) -> None:
    stage.node("n1")
    reply = stage.send("j1", need=Need((POOL,), ("tts:zh",)))
    assert reply.code == "NO_CAPABLE_NODE"
    assert stage.send("j2", need=Need(("auto:other",))).code == "NO_CAPABLE_NODE"
    assert not [name for name in stage.cell.sessions["s-1"] if name.startswith("job:")]


def test_a_node_that_was_lost_a_moment_ago_is_waited_for(stage: Stage) -> None:
    stage.node("n1")
    stage.offline("n1")
    assert stage.send("j1") == scripts.Waiting("j1", Level.SLOW_DOWN)


def test_the_same_job_again_gets_the_same_answer(stage: Stage) -> None:
    stage.node("n1", capacity=1)
    for job in ("j1", "j2"):
        assert stage.send(job) == stage.send(job)
    refused = stage.send("j3", need=Need(("auto:other",)))
    assert stage.send("j3", need=Need(("auto:other",))) == refused
    stage.take("j1", "n1")
    assert stage.send("j1") == scripts.Repeat("j1", "DISPATCHED", 1, "n1")


def test_a_request_again_is_answered_with_its_job_and_present_state(stage: Stage) -> None:
    stage.node("n1")
    stage.send("j1", request="t/c/key", digest="body")
    stage.take("j1", "n1")
    stage.finish("j1", "n1")
    again = stage.send("j2", request="t/c/key", digest="body")
    assert again == scripts.Repeat("j1", "DONE", 1, "n1")
    assert stage.send("j3", request="t/c/key", digest="another") == scripts.Conflict("j1")
    assert "j2" not in stage.cell.jobs


def test_a_refused_request_may_be_asked_again(stage: Stage) -> None:
    assert stage.send("j1", request="t/c/key").code == "NO_CAPABLE_NODE"
    stage.node("n1")
    assert isinstance(stage.send("j2", request="t/c/key"), scripts.Reserved)


def test_a_job_of_a_session_that_is_gone_is_not_made(stage: Stage) -> None:
    stage.node("n1")
    assert stage.send("j1", session="s-2") == scripts.NoSession()


# --- reserved ---


def test_a_job_that_is_taken_is_dispatched_with_its_payload(stage: Stage) -> None:
    stage.node("n1")
    stage.send("j1", payload=b'{"audio":"..."}', trace="tr")
    taken = stage.take("j1", "n1")
    assert isinstance(taken, scripts.Taken)
    assert (taken.payload, taken.big) == (b'{"audio":"..."}', False)
    assert (taken.session, taken.src, taken.tgt, taken.trace) == ("s-1", "en", "zh", "tr")
    assert stage.state("j1") == "DISPATCHED"


def test_a_job_is_taken_once_but_a_lost_reply_is_given_again(stage: Stage) -> None:
    stage.node("n1")
    stage.send("j1")
    assert stage.take("j1", "n1") == stage.take("j1", "n1")
    assert stage.take("j1", "n1", conn="n1-0") == scripts.Gone()
    assert stage.take("j1", "n1", attempt=2) == scripts.Gone()
    assert stage.take("j1", "n2") == scripts.Gone()
    assert stage.take("unknown", "n1") == scripts.Gone()


def test_a_nodes_utterances_of_a_session_are_numbered_without_a_gap(stage: Stage) -> None:
    stage.node("n1", capacity=3)
    indices = []
    for job in ("j1", "j2", "j3"):
        stage.send(job)
        indices.append(stage.take(job, "n1").index)
    assert indices == [indices[0], indices[0] + 1, indices[0] + 2]


def test_numbers_of_a_session_never_go_back_even_when_redis_forgets(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    before = int(stage.field("j1", "uidx"))
    stage.cells.advance(1_000)
    stage.lose()
    stage.renew("p1")
    stage.open_session()
    stage.node("n1")
    stage.running("j2", "n1")
    assert int(stage.field("j2", "uidx")) > before


def test_a_reservation_that_is_not_taken_goes_elsewhere_and_no_try_is_used(stage: Stage) -> None:
    stage.node("n1")
    stage.send("j1")
    stage.node("n2")
    stage.pass_ms(5_000)
    assert stage.state("j1") == "RESERVED"
    assert (stage.field("j1", "node"), stage.field("j1", "attempt")) == ("n2", "2")
    assert (stage.field("j1", "tries"), stage.field("j1", "had")) == ("0", "")
    assert stage.take("j1", "n1") == scripts.Gone()


def test_a_node_that_did_not_take_a_job_may_be_given_it_again(stage: Stage) -> None:
    stage.node("n1")
    stage.send("j1")
    stage.pass_ms(5_000)
    assert stage.state("j1") == "WAITING"
    stage.pass_ms(2_000)
    assert (stage.state("j1"), stage.field("j1", "node")) == ("RESERVED", "n1")


def test_a_job_whose_payload_is_gone_is_lost(stage: Stage) -> None:
    stage.node("n1")
    stage.send("j1")
    stage.expire(0, "payload:j1")
    assert stage.take("j1", "n1") == scripts.Lost(more=False)
    assert (stage.state("j1"), stage.field("j1", "code")) == ("FAILED", "STATE_LOST")
    assert stage.record("n1").used == 0
    assert [m["code"] for m in stage.told("outcome")] == ["STATE_LOST"]


# --- dispatched ---


def test_a_node_that_never_acknowledges_has_the_whole_job_timeout(stage: Stage) -> None:
    """Deployed agents send nothing but the result."""
    stage.node("n1")
    stage.running("j1", "n1")
    assert stage.due_ms("j1") == JOB_TIMEOUT_MS
    stage.pass_ms(6_000)
    assert stage.finish("j1", "n1") == scripts.Done(more=False)
    assert stage.field("j1", "attempt") == "1"


def test_a_node_that_has_acknowledged_before_has_two_seconds(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.ack("j1", "n1")
    stage.finish("j1", "n1")
    stage.running("j2", "n1")
    assert stage.due_ms("j2") == 2_000
    stage.node("n2")
    stage.pass_ms(2_000)
    assert stage.field("j2", "node") == "n2"
    assert (stage.field("j2", "tries"), stage.field("j2", "had").split()) == ("1", ["n1"])
    assert [m["job"] for m in stage.told("cancel")] == ["j2"]


def test_a_partial_text_is_no_promise_to_acknowledge(stage: Stage) -> None:
    stage.node("n1", capacity=1)
    stage.running("j1", "n1")
    stage.ack("j1", "n1", AckKind.PARTIAL)
    stage.finish("j1", "n1")
    stage.running("j2", "n1")
    assert stage.due_ms("j2") == JOB_TIMEOUT_MS


@pytest.mark.parametrize("kind", AckKind)
def test_a_sign_of_work_commits_the_slot_and_starts_the_timeout_anew(
    stage: Stage, kind: AckKind
) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.pass_ms(20_000)
    assert stage.ack("j1", "n1", kind) == scripts.Acked()
    assert stage.state("j1") == "ACKED"
    assert stage.due_ms("j1") == JOB_TIMEOUT_MS
    assert [m["job"] for m in stage.told("accepted")] == ["j1"]
    assert len(stage.told("partial")) == (kind is AckKind.PARTIAL)


def test_signs_of_work_of_others_are_not_taken(stage: Stage) -> None:
    stage.node("n1")
    stage.send("j1")
    assert stage.ack("j1", "n1") == scripts.Gone()  # not taken yet
    stage.take("j1", "n1")
    assert stage.ack("j1", "n2") == scripts.Gone()
    assert stage.ack("j1", "n1", conn="n1-0") == scripts.Gone()
    stage.finish("j1", "n1")
    assert stage.ack("j1", "n1") == scripts.Gone()


def test_a_node_that_came_back_acknowledges_on_its_new_connection(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.offline("n1")
    stage.node("n1", conn="n1-2")
    assert stage.ack("j1", "n1", conn="n1-1") == scripts.Gone()
    assert stage.ack("j1", "n1", conn="n1-2") == scripts.Acked()


def test_a_job_whose_frame_was_not_written_goes_elsewhere_and_no_try_is_used(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.node("n2")
    assert stage.release("j1", "n1") == scripts.Released(state=JobState.RESERVED, more=False)
    assert (stage.field("j1", "node"), stage.field("j1", "tries")) == ("n2", "0")
    assert stage.field("j1", "had").split() == ["n1"]
    assert stage.release("j1", "n1") == scripts.Gone()


@pytest.mark.parametrize("code", ["WS_DISCONNECTED", "SCHEDULER_DEPENDENCY_DOWN"])
def test_a_node_that_was_not_sent_its_job_may_have_it_later(stage: Stage, code: str) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    assert stage.release("j1", "n1", code=code) == scripts.Released(JobState.WAITING, more=False)
    assert (stage.field("j1", "had"), stage.field("j1", "avoid").split()) == ("", ["n1"])
    stage.pass_ms(1_500)
    assert (stage.field("j1", "node"), stage.field("j1", "attempt")) == ("n1", "2")


def test_a_number_that_the_node_was_never_sent_goes_to_the_next_utterance(stage: Stage) -> None:
    stage.node("n1", capacity=3)
    stage.running("j1", "n1")
    first = int(stage.field("j1", "uidx"))
    stage.running("j2", "n1")
    stage.release("j2", "n1", code="WS_DISCONNECTED")
    stage.send("j3")
    assert stage.take("j3", "n1").index == first + 1
    stage.release("j1", "n1", code="WS_DISCONNECTED")  # not the last: that one was sent
    stage.send("j4")
    assert stage.take("j4", "n1").index == first + 2


# --- results ---


@pytest.mark.parametrize("acknowledged", [False, True])
def test_a_result_ends_the_job_and_frees_the_slot(stage: Stage, acknowledged: bool) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    if acknowledged:
        stage.ack("j1", "n1")
    assert stage.finish("j1", "n1", result=b'{"text":"ni hao"}') == scripts.Done(more=False)
    assert stage.state("j1") == "DONE"
    assert stage.record("n1").used == 0
    assert stage.cell["result:j1"].flat == [b'{"text":"ni hao"}']
    outcome = stage.told("outcome")[0]
    assert (outcome["state"], outcome["size"], outcome["session"]) == ("DONE", "17", "s-1")


def test_a_result_told_twice_gets_the_same_answer(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    assert stage.finish("j1", "n1", result=b"1") == stage.finish("j1", "n1", result=b"1")
    stage.running("j2", "n1")
    failed = stage.finish("j2", "n1", Verdict.FAIL, "INVALID_MESSAGE")
    assert failed == scripts.Failed(code="INVALID_MESSAGE", more=False)
    assert stage.finish("j2", "n1", Verdict.FAIL, "INVALID_MESSAGE") == failed
    stage.node("n2")
    stage.running("j3", stage.send("j3").node)
    node = stage.field("j3", "node")
    assert stage.fail("j3", node) == stage.fail("j3", node)
    assert len(stage.told("outcome")) == 2


def test_late_foreign_and_doubled_results_change_nothing(stage: Stage) -> None:
    stage.node("n1")
    stage.send("j1")
    assert stage.finish("j1", "n1") == scripts.Late("RESERVED")
    stage.take("j1", "n1")
    assert stage.finish("j1", "n2") == scripts.Late("DISPATCHED")
    stage.finish("j1", "n1")
    assert stage.finish("j1", "n1", token="another") == scripts.Late("DONE")
    assert stage.events == []
    assert stage.finish("unknown", "n1") == scripts.Unknown()


def test_a_failure_is_tried_elsewhere(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.node("n2")
    reply = stage.fail("j1", "n1")
    assert reply == scripts.Retried(state=JobState.RESERVED, more=False)
    assert (stage.field("j1", "node"), stage.field("j1", "tries")) == ("n2", "1")
    assert [m["node"] for m in stage.told("placed")] == ["n2"]
    assert stage.told("cancel") == []  # it has answered


def test_a_failure_of_the_input_is_not_tried_again(stage: Stage) -> None:
    stage.node("n1")
    stage.node("n2")
    stage.running("j1", stage.send("j1").node)
    reply = stage.finish("j1", stage.field("j1", "node"), Verdict.FAIL, "INVALID_MESSAGE")
    assert reply == scripts.Failed(code="INVALID_MESSAGE", more=False)
    assert stage.told("outcome")[0]["code"] == "INVALID_MESSAGE"


def test_a_job_that_failed_waits_when_the_others_are_busy(stage: Stage) -> None:
    stage.node("n1", capacity=1)
    stage.running("j1", "n1")
    stage.node("n2", capacity=1)
    stage.running("j2", "n2")
    reply = stage.fail("j1", "n1")
    assert reply == scripts.Retried(state=JobState.WAITING, more=False)
    assert stage.told("placed")[0]["state"] == "WAITING"
    stage.finish("j2", "n2")
    assert (stage.state("j1"), stage.field("j1", "node")) == ("RESERVED", "n2")


# --- the end of trying ---


def test_a_job_never_goes_to_a_node_that_had_it(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.node("n2")
    stage.fail("j1", "n1")
    stage.take("j1", "n2", attempt=2)
    assert stage.fail("j1", "n2") == scripts.Failed(code="INTERNAL_ERROR", more=False)
    assert stage.told("outcome")[0]["code"] == "INTERNAL_ERROR"


def test_tries_are_limited(stage: Stage) -> None:
    stage.node("n1")
    stage.send("j1", retries=1)
    stage.take("j1", "n1")
    stage.node("n2")
    stage.fail("j1", "n1")
    stage.take("j1", "n2", attempt=2)
    stage.node("n3")
    assert stage.fail("j1", "n2") == scripts.Failed(code="INTERNAL_ERROR", more=False)


def test_a_job_times_out_and_is_tried_elsewhere(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.ack("j1", "n1")
    stage.node("n2")
    stage.pass_ms(JOB_TIMEOUT_MS)
    assert (stage.field("j1", "node"), stage.field("j1", "tries")) == ("n2", "1")
    assert [m["code"] for m in stage.told("cancel")] == ["JOB_TIMEOUT"]
    assert stage.finish("j1", "n1") == scripts.Late("RESERVED")


def test_a_whole_life_is_limited_too(stage: Stage) -> None:
    stage.node("n1")
    stage.send("j1", retries=9)
    for number in range(1, 4):
        node = stage.field("j1", "node")
        stage.take("j1", node, attempt=number)
        stage.node(f"n{number + 1}")
        stage.pass_ms(JOB_TIMEOUT_MS)
    assert (stage.state("j1"), stage.field("j1", "code")) == ("FAILED", "JOB_TIMEOUT")


def test_a_job_that_failed_and_then_waited_in_vain_ends_with_its_last_cause(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.node("n2", capacity=0)
    stage.fail("j1", "n1", "NMT_TIMEOUT")
    stage.pass_ms(10_000)
    assert (stage.state("j1"), stage.field("j1", "code")) == ("FAILED", "NMT_TIMEOUT")


# --- a node makes room ---


@pytest.mark.parametrize(
    "how", ["finish", "register", "resume", "heartbeat", "change_pools", "cancel", "release"]
)
def test_whatever_makes_a_node_ready_gives_it_waiting_jobs(stage: Stage, how: str) -> None:
    ready = how not in ("register", "resume", "heartbeat", "change_pools")
    stage.node("n1", capacity=1, core=how != "heartbeat", enabled=how != "change_pools")
    if how == "resume":
        stage.control("n1", Command.DRAIN)
    if how == "register":
        stage.offline("n1")
    if ready:
        stage.running("j1", "n1")
    assert stage.send("j2") == scripts.Waiting("j2", Level.SLOW_DOWN)
    match how:
        case "finish":
            stage.finish("j1", "n1")
        case "register":
            stage.node("n1", conn="n1-2")
        case "resume":
            stage.control("n1", Command.RESUME)
        case "heartbeat":
            stage.beat("n1", about=_about(stage))
        case "change_pools":
            stage.do(scripts.change_pools, cell=0, node="n1", about=_about(stage))
        case "cancel":
            stage.cancel("j1")
            assert stage.state("j2") == "WAITING"  # deployed agents work on
            stage.finish("j1", "n1")
        case "release":
            stage.release("j1", "n1")
    assert (stage.state("j2"), stage.field("j2", "node")) == ("RESERVED", "n1")
    assert [m["node"] for m in stage.told("placed") if m["job"] == "j2"] == ["n1"]


def _about(stage: Stage) -> scripts.Node:
    from tests.lua.fleet import a_node

    return a_node(capacity=1)


# --- cancelled ---


def test_a_waiting_job_is_cancelled(stage: Stage) -> None:
    stage.node("n1", capacity=0)
    stage.send("j1")
    assert stage.cancel("j1") == scripts.Cancelled(more=False)
    assert stage.state("j1") == "CANCELLED"
    assert stage.cancel("j1") == scripts.Final(state=JobState.CANCELLED)
    assert stage.cancel("unknown") == scripts.Unknown()


def test_only_a_job_that_waits_may_be_cancelled(stage: Stage) -> None:
    stage.node("n1", capacity=1)
    stage.running("j1", "n1")
    stage.send("j2")
    cancel = partial(stage.do, scripts.cancel, cell=0, code="QUEUE_TIMEOUT", only_idle=True)
    assert cancel(job="j1") == scripts.Runs()
    assert cancel(job="j2") == scripts.Cancelled(more=False)
    assert (stage.state("j1"), stage.state("j2")) == ("DISPATCHED", "CANCELLED")


def test_a_reserved_job_that_is_cancelled_gives_its_slot_back(stage: Stage) -> None:
    stage.node("n1")
    stage.send("j1")
    stage.cancel("j1")
    assert stage.record("n1").used == 0
    assert stage.told("cancel") == []
    assert stage.take("j1", "n1") == scripts.Gone()


@pytest.mark.parametrize("acknowledged", [False, True])
def test_a_node_that_works_on_a_cancelled_job_keeps_its_slot_until_its_result(
    stage: Stage, acknowledged: bool
) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    if acknowledged:
        stage.ack("j1", "n1")
    stage.cancel("j1")
    assert stage.state("j1") == "CANCELLED"
    assert stage.record("n1").used == 1
    assert [m["code"] for m in stage.told("cancel")] == ["CANCELLED"]
    assert [m["state"] for m in stage.told("outcome")] == ["CANCELLED"]
    assert stage.finish("j1", "n1", result=b"1") == scripts.Dropped(more=False)
    assert stage.record("n1").used == 0
    assert "result:j1" not in stage.cell.keys
    assert stage.state("j1") == "CANCELLED"


def test_a_cancelled_job_of_a_silent_node_gives_its_slot_back_at_the_job_timeout(
    stage: Stage,
) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.ack("j1", "n1")
    stage.pass_ms(50_000)
    stage.cancel("j1")
    stage.pass_ms(9_000)
    assert stage.record("n1").used == 1
    stage.pass_ms(1_000)
    assert stage.record("n1").used == 0


def test_a_cancelled_job_gives_its_slot_back_with_the_loss_of_its_node(stage: Stage) -> None:
    stage.node("n1")
    stage.node("n2")
    node = stage.send("j1").node
    stage.take("j1", node)
    stage.cancel("j1")
    stage.offline(node)
    stage.pass_ms(3_000)
    assert stage.record(node).used == 0
    assert stage.state("j1") == "CANCELLED"


# --- an agent that says nothing ---


def quiet_ms(stage: Stage, ms: int) -> None:
    """A node reports no work, every 5 s."""
    for _ in range(ms // 5_000):
        stage.cells.advance(5_000)
        stage.renew("p1")
        stage.beat("n1", running=0)


def test_a_job_that_its_node_does_not_work_on_is_given_up(stage: Stage) -> None:
    stage.node("n1")
    stage.node("n2", capacity=0)
    stage.running("j1", "n1")
    quiet_ms(stage, 15_000)
    assert stage.state("j1") == "DISPATCHED"
    quiet_ms(stage, 5_000)
    assert (stage.state("j1"), stage.field("j1", "code")) == ("FAILED", "NO_RESULT")
    assert stage.record("n1").used == 0


def test_a_heartbeat_with_work_between_starts_the_count_anew(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    quiet_ms(stage, 15_000)
    stage.beat("n1", running=1)
    quiet_ms(stage, 5_000)
    assert stage.state("j1") == "DISPATCHED"
    stage.beat("n1", running=0, queue=1)
    quiet_ms(stage, 10_000)
    assert stage.state("j1") == "DISPATCHED"


def test_a_partial_text_starts_the_count_anew(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    quiet_ms(stage, 15_000)
    stage.ack("j1", "n1", AckKind.PARTIAL)
    quiet_ms(stage, 15_000)
    assert stage.state("j1") == "ACKED"


def test_a_silent_job_of_an_earlier_connection_is_tried_elsewhere(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.offline("n1")
    stage.node("n1", conn="n1-2")
    stage.node("n2")
    for _ in range(4):
        stage.cells.advance(5_000)
        stage.renew("p1")
        stage.beat("n1", conn="n1-2", running=0)
    assert (stage.field("j1", "node"), stage.field("j1", "tries")) == ("n2", "0")


def test_a_cancelled_job_of_a_silent_node_gives_its_slot_back(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.cancel("j1")
    quiet_ms(stage, 20_000)
    assert stage.record("n1").used == 0


def test_who_claims_back_what_it_had_and_fails_leaves_it_to_the_others(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.node("n2", capacity=0)
    stage.offline("n1")
    stage.pass_ms(3_000)
    assert (stage.state("j1"), stage.field("j1", "had")) == ("WAITING", " n1")
    stage.node("n1", conn="n1-2", held=[("j1", 1)])
    assert stage.field("j1", "node") == "n1"
    assert isinstance(stage.fail("j1", "n1"), scripts.Retried)
    assert (stage.state("j1"), stage.field("j1", "had")) == ("WAITING", " n1")
