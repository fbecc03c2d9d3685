"""What a session is told of how busy it is: each change once, and no more than it understands."""

from typing import Any

import pytest

from jobs.pressure import Pressure
from lua.states import Level
from parley.frames import decode_to_session

NONE, SLOW_DOWN, BUSY, PAUSE = Level


class Client:
    """Keeps what it is sent."""

    def __init__(self, *, accepts: bool, pause_ms: int = 5_000) -> None:
        self.frames: list[Any] = []
        self.pressure = Pressure(
            lambda frame: self.frames.append(decode_to_session(frame)),
            accepts=accepts,
            pause_ms=pause_ms,
        )

    @property
    def actions(self) -> list[str]:
        return [frame.action for frame in self.frames]


@pytest.fixture
def old() -> Client:
    return Client(accepts=False)


@pytest.fixture
def new() -> Client:
    return Client(accepts=True)


def test_an_old_client_is_told_to_pause_and_nothing_else(old: Client) -> None:
    for level in (SLOW_DOWN, BUSY):
        old.pressure.changed(level)
    assert old.actions == []
    old.pressure.changed(PAUSE)
    assert (old.actions, old.frames[0].resume_after_ms) == (["PAUSE"], 5_000)


@pytest.mark.parametrize("level", [SLOW_DOWN, BUSY, PAUSE])
def test_an_old_client_whose_utterance_waits_pauses(old: Client, level: Level) -> None:
    old.pressure.waits(level)
    old.pressure.waits(level)
    assert old.actions == ["PAUSE"]


def test_a_new_client_is_told_each_change_once(new: Client) -> None:
    for level in (SLOW_DOWN, SLOW_DOWN, BUSY, BUSY, PAUSE, PAUSE, BUSY, SLOW_DOWN):
        new.pressure.changed(level)
    assert new.actions == ["SLOW_DOWN", "BUSY", "PAUSE", "BUSY", "SLOW_DOWN"]


def test_its_own_waiting_says_it_again_only_after_it_was_relieved(new: Client) -> None:
    new.pressure.waits(SLOW_DOWN)
    new.pressure.waits(SLOW_DOWN)
    new.pressure.relieved()
    new.pressure.waits(SLOW_DOWN)
    assert new.actions == ["SLOW_DOWN", "SLOW_DOWN"]


def test_a_busy_queue_stays_busy_though_nothing_of_this_session_waits(new: Client) -> None:
    new.pressure.changed(BUSY)
    new.pressure.relieved()
    new.pressure.changed(BUSY)
    assert new.actions == ["BUSY"]


@pytest.mark.parametrize("accepts", [False, True])
def test_a_pause_that_is_over_is_asked_for_again(accepts: bool) -> None:
    client = Client(accepts=accepts, pause_ms=0)
    client.pressure.waits(PAUSE)
    client.pressure.waits(PAUSE)
    assert client.actions == ["PAUSE", "PAUSE"]


def test_an_end_of_the_pressure_is_no_message(new: Client) -> None:
    new.pressure.changed(BUSY)
    new.pressure.changed(NONE)
    new.pressure.changed(BUSY)
    assert new.actions == ["BUSY", "BUSY"]
