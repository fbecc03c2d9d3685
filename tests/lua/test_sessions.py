"""Sessions whose clients come back: to the same process or another, in time or not."""

import pytest

from lua import scripts
from lua.scripts import NO_UTTERANCE, Denied, Elsewhere, NameTaken, Opened, Resumed
from tests.lua.invariants import left_over
from tests.lua.stage import Stage


@pytest.fixture
def one(stage: Stage) -> Stage:
    """The session may be resumed with ``one``."""
    stage.renew("p2")
    stage.open_session(proof="one", credential="c")
    return stage


def back(one: Stage, proof: str, fresh: str, process: str = "p2") -> Resumed | Denied:
    """Its client shows the proof."""
    reply: Resumed | Denied = one.resume_session(proof, fresh, process, credential="c")
    return reply


def heard(one: Stage, proof: str, generation: int, process: str = "p2") -> None:
    """Its client has been heard since it returned."""
    told = one.open_session(
        proof=proof, process=process, credential="c", generation=generation, former=[]
    )
    assert told == Opened()


def test_a_token_is_good_for_one_return_after_which_its_client_is_heard(one: Stage) -> None:
    assert back(one, "one", "two") == Resumed(generation=1, since=1, former=["one"], pin="")
    heard(one, "two", 1)
    assert back(one, "one", "three") == Denied()
    assert back(one, "two", "three") == Resumed(generation=2, since=1, former=["two"], pin="")


def test_a_client_whose_acknowledgement_was_lost_comes_back_with_the_same_token(
    one: Stage,
) -> None:
    for number, process in enumerate(("p2", "p2", "p1", "p2"), 1):
        reply = back(one, "one", f"lost-{number}", process)
        assert isinstance(reply, Resumed)
        assert (reply.generation, reply.former[0]) == (number, "one")


def test_a_return_that_comes_late_takes_no_token_from_its_client(one: Stage) -> None:
    """It was asked for at a process that slept, then at another one, which was acknowledged."""
    back(one, "one", "two", "p2")
    late = back(one, "one", "late", "p1")
    assert late == Resumed(generation=2, since=2, former=["one", "two"], pin="")
    assert back(one, "two", "three") == Resumed(
        generation=3, since=3, former=["two", "late"], pin=""
    )
    assert back(one, "one", "four") == Denied()


def test_only_the_latest_tokens_are_kept(one: Stage) -> None:
    for number in range(6):
        back(one, "one", f"lost-{number}")
    assert one.cell.sessions["s-1"]["former"] == "one lost-3 lost-4"
    assert back(one, "lost-2", "x") == Denied()


def test_what_a_process_knows_of_former_tokens_outlives_a_loss(one: Stage) -> None:
    one.open_session(proof="two", process="p3", credential="c", generation=1, former=["one"])
    assert back(one, "one", "three") == Resumed(
        generation=2, since=2, former=["one", "two"], pin=""
    )


def test_it_is_said_since_when_a_process_has_the_session(one: Stage) -> None:
    for generation, (process, since) in enumerate(
        [("p1", 0), ("p2", 2), ("p2", 2), ("p1", 4), ("p1", 4)], 1
    ):
        proof = one.cell.sessions["s-1"]["proof"]
        reply = back(one, proof, f"proof-{generation}", process)
        assert isinstance(reply, Resumed)
        assert (reply.generation, reply.since) == (generation, since)


def test_a_new_session_gets_no_name_that_another_process_has_in_use(one: Stage) -> None:
    assert one.open_session(proof="x", process="p2", begins=True) == NameTaken()
    assert one.open_session(proof="one", credential="c", begins=True) == Opened()  # asked twice
    assert isinstance(back(one, "one", "two"), Resumed)


def test_a_return_whose_answer_was_lost_may_be_asked_for_again(one: Stage) -> None:
    for _ in range(2):
        assert back(one, "one", "two") == Resumed(generation=1, since=1, former=["one"], pin="")
    assert [m["session"] for m in one.told("moved", "p1")] == ["s-1"]


@pytest.mark.parametrize(
    "told",
    [
        {"credential": "d"},
        {"credential": "c", "tenant": "u"},
        {"credential": "c", "session": "s-9"},
    ],
)
def test_a_token_is_nobody_elses(one: Stage, told: dict[str, str]) -> None:
    assert one.resume_session("one", "two", **told) == Denied()


def test_a_session_without_a_token_is_not_resumed(stage: Stage) -> None:
    assert stage.resume_session("", "two") == Denied()


def test_who_had_the_session_is_told_and_does_not_get_it_back(one: Stage) -> None:
    one.resume_session("one", "two", credential="c")
    moved = {"kind": "moved", "session": "s-1", "generation": "1"}
    assert one.told("moved", "p1") == [moved]
    assert one.open_session(proof="one", credential="c", known=[]) == Elsewhere()
    assert one.cell.sessions["s-1"]["process"] == "p2"


@pytest.mark.parametrize("process", ["p1", "p2"])
def test_it_is_said_which_node_it_is_paired_with(one: Stage, process: str) -> None:
    one.open_session(proof="one", credential="c", pin="n1")
    for _ in range(2):  # the first answer is lost
        reply = back(one, "one", "two", process)
        assert isinstance(reply, Resumed)
        assert reply.pin == "n1"


def test_it_stays_where_it_is_when_its_client_comes_back_there(one: Stage) -> None:
    assert back(one, "one", "two", "p1") == Resumed(generation=1, since=0, former=["one"], pin="")
    assert one.told("moved", "p1") == []
    assert one.cell["process:p1:sessions"].set == {"s-1"}


def test_jobs_go_on_while_the_client_is_away(one: Stage) -> None:
    one.node("n1", capacity=1)
    one.running("j1", "n1")
    one.send("j2")
    assert one.open_session(proof="one", credential="c", away=True) == Opened()
    one.pass_ms(5_000)
    one.finish("j1", "n1")
    assert one.state("j2") == "RESERVED"
    one.resume_session("one", "two", credential="c")
    one.processes = ["p1", "p2"]
    one.pass_ms(31_000)
    assert "s-1" in one.cell.sessions


def test_a_replay_cancels_what_it_does_not_know_but_no_job_that_is_no_utterance(one: Stage) -> None:
    one.node("n1", capacity=3)
    one.running("known", "n1")
    one.running("stranger", "n1")
    one.send("by rest", index=NO_UTTERANCE)
    one.open_session(known=["known"])
    states = [one.state(job) for job in ("known", "stranger", "by rest")]
    assert states == ["DISPATCHED", "CANCELLED", "RESERVED"]


def test_a_replay_whose_reply_was_lost_does_not_cancel_what_was_begun_after_it(one: Stage) -> None:
    """It is sent again, with what its process knew then."""
    one.node("n1", capacity=3)
    one.open_session(known=[], mark="a")
    one.running("later", "n1")
    one.open_session(known=[], mark="a")
    assert one.state("later") == "DISPATCHED"
    one.open_session(known=[], mark="b")
    assert one.state("later") == "CANCELLED"


def test_the_last_answers_are_kept_in_the_order_in_which_they_came(one: Stage) -> None:
    one.node("n1", capacity=9)
    for job in ("j1", "j2", "j3"):
        one.running(job, "n1")
    one.finish("j2", "n1")
    one.cancel("j3")
    one.finish("j1", "n1")
    assert one.cell["answers:s-1"].flat == [b"j2", b"j3", b"j1"]
    assert 0 < one.cell["answers:s-1"].ttl_ms <= one.cells.limits.result_ttl_ms


def test_no_more_answers_are_kept_than_can_be_wanted(one: Stage) -> None:
    key = f"{one.cells.prefixes[0]}answers:s-1"
    one.cells.blocking.rpush(key, *(f"old-{number}" for number in range(400)))
    one.cells.blocking.pexpire(key, 1_000)
    one.look(0)
    one.node("n1")
    one.running("j1", "n1")
    one.finish("j1", "n1")
    kept = one.cell["answers:s-1"].flat
    assert (len(kept), kept[0], kept[-1]) == (400, b"old-1", b"j1")


def test_a_client_that_never_comes_back_leaves_nothing(one: Stage) -> None:
    one.node("n1", capacity=1)
    one.running("j1", "n1")
    one.send("j2", deadline_ms=60_000)
    one.open_session(proof="one", credential="c", away=True)
    one.pass_ms(29_000)
    one.open_session(proof="one", credential="c", away=True)  # a replay gives it no more time
    assert one.state("j2") == "WAITING"
    one.pass_ms(1_100)
    assert (one.state("j1"), one.state("j2")) == ("CANCELLED", "CANCELLED")
    assert [m["job"] for m in one.told("cancel", "p1")] == ["j1"]
    assert one.resume_session("one", "two", credential="c") == Denied()
    assert one.cell.sessions == {}
    one.finish("j1", "n1")
    one.offline("n1")
    one.do(scripts.forget_node, cell=0, node="n1", offline_ms=0)
    one.processes = []
    one.pass_ms(5_000)
    assert list(left_over(one.cell)) == []


def test_a_process_that_dies_meanwhile_gives_its_client_no_more_time(one: Stage) -> None:
    one.open_session(proof="one", credential="c", away=True)
    one.processes = ["p2"]
    one.pass_ms(30_100)
    assert one.cell.sessions == {}
