"""Utterances that end without having been a job for any node: each has its end in Redis, too."""

import pytest

from lua import scripts
from lua.scripts import NO_UTTERANCE, Known, NoSession, Recorded
from tests.lua.fleet import PAYLOAD, a_job
from tests.lua.stage import Stage


@pytest.fixture
def one(stage: Stage) -> Stage:
    """The session may be resumed with ``one``; ``p2`` is another process."""
    stage.renew("p2")
    stage.open_session(proof="one")
    return stage


def kept(stage: Stage) -> list[bytes]:
    return list(stage.cell["answers:s-1"].flat)


def newest(stage: Stage) -> str:
    return str(stage.cell.sessions["s-1"]["newest"])


def test_it_is_in_the_history_and_kept_for_a_client_that_returns(one: Stage) -> None:
    told = {"message": "why", "field": "audio", "expected": "base64", "trace": "t-1"}
    assert one.refuse("j1", index=2, **told) == Recorded()
    assert one.state("j1") == "FAILED"
    assert {name: one.field("j1", name) for name in told} == told
    assert kept(one) == [b"j1"]
    [event] = [event for _, event in one.cell.events() if event["e"] == "job"]
    assert event["moves"] == "NEW SELECTING FAILED"
    assert (event["code"], event["index"], event["trace"]) == ("INVALID_MESSAGE", "2", "t-1")
    assert (event["src"], event["tgt"]) == ("en", "zh")


def test_what_was_counted_is_in_the_history_and_told_to_who_has_the_session(one: Stage) -> None:
    one.resume_session("one", "two", "p2")
    counts = '{"lang_pair_unsupported":3}'
    one.refuse("j1", counts=counts)
    [event] = [event for _, event in one.cell.events() if event["e"] == "job"]
    [told] = one.told("outcome", "p2")
    assert (event["breakdown"], one.field("j1", "breakdown"), told["details"]) == (counts,) * 3


@pytest.mark.parametrize("session", ["", "s-1"])
def test_a_request_by_rest_is_in_the_history_only(one: Stage, session: str) -> None:
    before = newest(one)
    assert one.refuse("j1", "", index=NO_UTTERANCE, session=session) == Recorded()
    [event] = [event for _, event in one.cell.events() if event["e"] == "job"]
    assert (event["job"], event["moves"]) == ("j1", "NEW SELECTING FAILED")
    assert (kept(one), one.told("outcome", "p1"), newest(one)) == ([], [], before)


def test_recorded_twice_it_is_one_answer(one: Stage) -> None:
    replies = [one.refuse("j1") for _ in range(2)]
    assert replies == [Recorded(), Known("FAILED")]
    assert kept(one) == [b"j1"]


def test_nobody_comes_back_for_that_of_a_session_without_a_token(stage: Stage) -> None:
    assert stage.refuse("j1") == Recorded()
    assert kept(stage) == []


def test_a_session_that_redis_does_not_know_has_none(one: Stage) -> None:
    assert one.refuse("j1", session="s-9") == NoSession()


def test_a_job_that_was_dispatched_stays_what_it_is(one: Stage) -> None:
    one.node("n1")
    one.running("j1", "n1")
    assert one.refuse("j1") == Known("DISPATCHED")
    assert one.state("j1") == "DISPATCHED"


def test_it_is_not_made_a_job_any_more(one: Stage) -> None:
    one.node("n1")
    one.refuse("j1")
    assert one.send("j1") == scripts.Repeat("j1", "FAILED", 0, "")


@pytest.mark.parametrize("asker", ["p1", "p2"])
def test_who_has_the_session_by_now_is_told(one: Stage, asker: str) -> None:
    one.resume_session("one", "two", "p2")
    one.refuse("j1", asker, index=4)
    told = [message["job"] for message in one.told("outcome", "p2")]
    assert told == ([] if asker == "p2" else ["j1"])
    assert kept(one) == [b"j1"]


@pytest.mark.parametrize("moves", [True, False])
def test_so_it_is_with_one_that_found_no_node(one: Stage, moves: bool) -> None:
    """``p1`` asked, and knows by the reply."""
    if moves:
        one.resume_session("one", "two", "p2")
    assert isinstance(one.send("j1", asker="p1", index=4), scripts.Refused)
    assert kept(one) == [b"j1"]
    told = {process: len(one.told("outcome", process)) for process in ("p1", "p2")}
    assert told == {"p1": 0, "p2": int(moves)}


def test_what_is_no_utterance_is_not_kept(one: Stage) -> None:
    one.send("j1", index=NO_UTTERANCE)
    assert one.state("j1") == "FAILED"
    assert (kept(one), one.told("outcome")) == ([], [])


def test_the_highest_index_of_a_session_is_known_however_its_utterances_end(one: Stage) -> None:
    assert newest(one) == "-1"
    one.send("refused", index=2)
    assert newest(one) == "2"
    one.node("n1", capacity=1)
    one.send("reserved", index=4)
    one.send("waits", index=3)
    assert newest(one) == "4"
    one.send("no utterance", index=NO_UTTERANCE)
    one.send("waits, too", index=6)
    assert newest(one) == "6"
    one.node("n2")
    one.send("dispatched", index=7, process="p1")
    assert newest(one) == "7"
    one.refuse("unheard", index=9)
    one.open_session(proof="one", newest=8)
    assert newest(one) == "9"
    one.open_session(proof="one", newest=11)
    assert newest(one) == "11"
    job = a_job("restored", index=12)
    assert one.do(scripts.restore_job, cell=0, job=job, payload=PAYLOAD) == scripts.Held()
    assert newest(one) == "12"
