"""Redis comes back with less than it had: nothing at all, or an older copy. Processes replay."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from lua import scripts
from lua.scripts import Command
from tests.lua.fleet import PAYLOAD, POOL, a_job
from tests.lua.stage import Stage


def restore(stage: Stage, job: str, **wishes: Any) -> Any:
    """Its session sends it again."""
    return stage.do(scripts.restore_job, cell=0, job=a_job(job, **wishes), payload=PAYLOAD)


def forget(stage: Stage) -> None:
    """All is lost; the process and its session are there again."""
    stage.lose()
    stage.renew("p1")
    stage.open_session(known=["j1"])


# --- nothing is left ---


def test_a_restored_job_is_done_by_the_node_that_held_it(stage: Stage) -> None:
    forget(stage)
    assert restore(stage, "j1") == scripts.Held()
    stage.node("n1", held=[("j1", 2)])
    assert (stage.state("j1"), stage.field("j1", "attempt")) == ("DISPATCHED", "2")
    assert stage.told("assign") == []
    assert stage.finish("j1", "n1", result=b"{}") == scripts.Done(more=False)
    assert [m["size"] for m in stage.told("outcome")] == ["2"]


def test_a_job_that_its_node_claims_first_becomes_the_sessions_again(stage: Stage) -> None:
    forget(stage)
    stage.node("n1", held=[("j1", 2)])
    assert stage.finish("j1", "n1") == scripts.Unknown()  # kept, and told again
    assert stage.cancel("j1") == scripts.Unknown()
    assert restore(stage, "j1", request="t/c/1") == scripts.Claimed(node="n1")
    assert stage.finish("j1", "n1") == scripts.Done(more=False)
    assert [m["state"] for m in stage.told("outcome")] == ["DONE"]


def test_a_restored_job_that_nobody_claims_is_placed_after_a_second(stage: Stage) -> None:
    forget(stage)
    restore(stage, "j1")
    stage.node("n1")
    stage.pass_ms(900)
    assert stage.state("j1") == "WAITING"
    stage.pass_ms(200)
    assert (stage.state("j1"), stage.field("j1", "attempt")) == ("RESERVED", "1")


def test_a_restored_job_waits_for_nodes_that_come_back_later_than_it(stage: Stage) -> None:
    forget(stage)
    restore(stage, "j1")
    stage.pass_ms(4_000)
    assert stage.state("j1") == "WAITING"
    stage.node("n1")
    assert stage.state("j1") == "RESERVED"


def test_restored_jobs_are_placed_in_their_order(stage: Stage) -> None:
    forget(stage)
    for job in ("j1", "j2", "j3"):
        restore(stage, job)
        stage.cells.advance(1)
    stage.node("n1", capacity=1)
    stage.pass_ms(2_000)
    assert [stage.state(job) for job in ("j1", "j2", "j3")] == ["RESERVED", "WAITING", "WAITING"]


def test_a_job_that_its_node_lost_too_is_placed_again(stage: Stage) -> None:
    forget(stage)
    restore(stage, "j1")
    stage.node("n1", held=[])
    stage.pass_ms(1_100)
    assert isinstance(stage.take("j1", "n1"), scripts.Taken)


def test_a_claimed_job_that_nobody_misses_ends_with_its_time(stage: Stage) -> None:
    forget(stage)
    stage.node("n1", held=[("j1", 2)])
    assert stage.record("n1").used == 1
    stage.pass_ms(60_000)
    assert "j1" not in stage.cell.jobs
    assert stage.record("n1").used == 0
    assert [m["code"] for m in stage.told("cancel")] == ["STATE_LOST"]


def test_a_claimed_job_is_not_sent_again(stage: Stage) -> None:
    forget(stage)
    stage.node("n1", held=[("j1", 2)])
    restore(stage, "j1")
    assert stage.take("j1", "n1", attempt=2) == scripts.Gone()


def test_a_session_must_be_there_before_its_jobs(stage: Stage) -> None:
    stage.lose()
    stage.renew("p1")
    assert restore(stage, "j1") == scripts.NoSession()


# --- an older copy ---


def test_the_higher_attempt_wins_in_whatever_order_they_tell(stage: Stage) -> None:
    """The copy has the first attempt; the job went on to n2 after that."""
    stage.node("n1")
    stage.running("j1", "n1")
    copies = stage.copy()
    tell: dict[str, Callable[[], Any]] = {
        "n1": lambda: stage.node("n1", conn="n1-2", held=[("j1", 1)]),
        "n2": lambda: stage.node("n2", held=[("j1", 2)]),
        "session": lambda: (stage.open_session(known=["j1"]), restore(stage, "j1")),
    }
    for order in itertools.permutations(tell):
        stage.fail_over(copies)
        for who in order:
            tell[who]()
        assert (stage.field("j1", "node"), stage.field("j1", "attempt")) == ("n2", "2")
        assert stage.field("j1", "had").split() in (["n1"], [])
        assert stage.record("n1").used == 0
        assert stage.finish("j1", "n2") == scripts.Done(more=False)


def test_a_node_is_given_no_index_of_a_session_twice(stage: Stage) -> None:
    """The copy has the first utterance; the second was sent after that."""
    stage.node("n1", capacity=3)
    stage.running("j1", "n1")
    copies = stage.copy()
    stage.running("j2", "n1")
    last = int(stage.field("j2", "uidx"))
    stage.fail_over(copies)
    stage.node("n1", capacity=3, held=[("j1", 1), ("j2", 1)], sent=[("s-1", last), ("gone", 9)])
    stage.running("j3", "n1")
    assert int(stage.field("j3", "uidx")) == last + 1
    assert "gone" not in stage.cell.sessions


def test_the_loser_is_told_to_stop(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.node("n2", held=[("j1", 2)])
    assert [(m["node"], m["code"]) for m in stage.told("cancel")] == [("n1", "STATE_LOST")]
    stage.node("n3", held=[("j1", 1)])
    assert [m["node"] for m in stage.told("cancel")] == ["n1", "n3"]
    assert stage.finish("j1", "n3") == scripts.Late("DISPATCHED")


def test_a_job_does_not_go_back_to_the_node_that_lost_it_to_another(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.node("n2", held=[("j1", 2)])
    assert stage.fail("j1", "n2") == scripts.Failed(code="INTERNAL_ERROR", more=False)
    assert stage.field("j1", "had").split() == ["n1", "n2"]


def test_a_reservation_of_the_copy_that_was_taken_since_is_not_sent_again(stage: Stage) -> None:
    stage.node("n1")
    stage.send("j1")
    copies = stage.copy()
    stage.fail_over(copies)
    before = len(stage.told("assign"))
    stage.node("n1", held=[("j1", 1)])
    assert stage.state("j1") == "DISPATCHED"
    assert len(stage.told("assign")) == before
    assert stage.take("j1", "n1") == scripts.Gone()


def test_a_job_that_was_answered_since_is_cancelled(stage: Stage) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    copies = stage.copy()
    stage.finish("j1", "n1")
    stage.fail_over(copies)
    stage.open_session(known=[])
    stage.node("n1", held=[])
    stage.pass_ms(1_000)
    assert stage.state("j1") == "CANCELLED"
    assert stage.record("n1").used == 0


def test_a_waiting_job_of_the_copy_that_was_given_out_since_leaves_its_queue(stage: Stage) -> None:
    stage.node("n1", capacity=0)
    stage.send("j1")
    stage.send("j2")
    copies = stage.copy()
    stage.fail_over(copies)
    stage.node("n1", capacity=1, held=[("j1", 1)])
    assert (stage.state("j1"), stage.state("j2")) == ("DISPATCHED", "WAITING")


def test_what_operators_said_since_is_said_again_by_the_process(stage: Stage) -> None:
    stage.node("n1")
    copies = stage.copy()
    stage.control("n1", Command.DRAIN)
    stage.fail_over(copies)
    assert stage.node("n1", draining=True).state == "draining"
    assert stage.cell[f"ready:{POOL}"].set == frozenset()


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_final_job_stays_final(stage: Stage, attempt: int) -> None:
    stage.node("n1")
    stage.running("j1", "n1")
    stage.finish("j1", "n1")
    stage.node("n2", held=[("j1", attempt)])
    assert stage.state("j1") == "DONE"
    assert stage.record("n2").used == 0
    assert [m["node"] for m in stage.told("cancel")] == ["n2"]


def test_a_replay_whose_reply_was_lost_does_not_take_away_what_the_node_was_sent_after_it(
    stage: Stage,
) -> None:
    """It is sent again, with what the node's process knew then."""
    stage.node("n1", capacity=2)
    stage.node("n1", capacity=2, held=[], mark="a")
    stage.running("later", "n1")
    stage.node("n1", capacity=2, held=[], mark="a")
    stage.pass_ms(1_000)
    assert (stage.state("later"), stage.field("later", "attempt")) == ("DISPATCHED", "1")
    stage.node("n1", capacity=2, held=[], mark="b")
    assert stage.field("later", "lost") == "WS_DISCONNECTED"
