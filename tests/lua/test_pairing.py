"""A pairing code binds one session, for five minutes, and is not to be guessed."""

import pytest

from lua import ids, scripts
from lua.limits import Limits
from tests.lua.stage import Stage

LIMITS = Limits()


def test_a_code_is_good_once(stage: Stage) -> None:
    stage.node("n1")
    issued = stage.issue()
    assert issued == scripts.Issued(stage.cells.now_ms + LIMITS.pairing_code_ms)
    assert stage.redeem() == scripts.Paired("n1")
    assert stage.redeem(mark="try-2") == scripts.Spent()
    assert [event["what"] for event in stage.events] == []


def test_it_expires_and_is_no_guess_then(stage: Stage) -> None:
    stage.node("n1")
    stage.issue()
    stage.cells.advance(LIMITS.pairing_code_ms)
    assert stage.redeem() == scripts.Spent()
    assert not stage.cell["guesses:all"].set


def test_it_is_good_until_its_last_moment(stage: Stage) -> None:
    stage.node("n1")
    stage.issue()
    stage.cells.advance(LIMITS.pairing_code_ms - 1)
    assert stage.redeem() == scripts.Paired("n1")


def test_a_known_code_is_not_given_out_again(stage: Stage) -> None:
    stage.node("n1")
    stage.node("n2")
    stage.issue()
    assert stage.issue(node="n2", mark="m2") == scripts.InUse()
    stage.redeem()
    assert stage.issue(node="n2", mark="m2") == scripts.InUse()


def test_a_node_that_nobody_knows_gets_none(stage: Stage) -> None:
    assert isinstance(stage.issue(), scripts.node.Unknown)


def test_who_guesses_too_often_is_not_even_told_of_a_good_one(stage: Stage) -> None:
    stage.node("n1")
    stage.issue()
    for number in range(LIMITS.guesses_of_one):
        assert stage.redeem("111111", mark=f"guess-{number}") == scripts.Wrong()
    reply = stage.redeem(mark="mine")
    assert isinstance(reply, scripts.Limited)
    assert 0 < reply.retry_ms <= LIMITS.guess_window_ms
    assert stage.redeem(mark="his", client="192.0.2.2") == scripts.Paired("n1")


def test_many_who_guess_a_little_are_stopped_together(stage: Stage) -> None:
    stage.node("n1")
    stage.issue()
    for number in range(LIMITS.guesses_of_all):
        client = f"198.51.100.{number // 4}"
        assert stage.redeem("111111", mark=f"g{number}", client=client) == scripts.Wrong()
    assert isinstance(stage.redeem(mark="mine"), scripts.Limited)


def test_guesses_are_forgotten_with_their_window(stage: Stage) -> None:
    for number in range(LIMITS.guesses_of_one):
        stage.redeem("111111", mark=f"guess-{number}")
    ttl_ms = stage.cell.keys["guesses:192.0.2.1"].ttl_ms
    assert 0 < ttl_ms <= LIMITS.guess_window_ms
    stage.expire(0, "guesses:192.0.2.1")
    stage.node("n1")
    stage.issue()
    assert stage.redeem(mark="mine") == scripts.Paired("n1")


@pytest.mark.parametrize("cells", [1, 3, 16])
def test_a_code_says_the_cell_of_its_node(cells: int) -> None:
    for cell in range(cells):
        code = ids.new_pairing_code(cell, cells)
        assert len(code) == 6
        assert ids.cell_of_pairing_code(code, cells) == cell
