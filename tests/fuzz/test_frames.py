"""No frame breaks anything: 20,000 of them in each run of the tests."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvloop
from hypothesis import HealthCheck, Phase, given, settings

from jobs.consumers import SessionConsumer
from jobs.phases import Serving
from lua.client import StoreSettings
from parley.frames import ClientHeartbeat, Error, encode
from tests.fuzz.made import FRAMES, SESSION, Frame, plays
from tests.fuzz.stage import LIMITS, Stage

WANTED = int(os.environ.get("FUZZ_FRAMES", "20000"))


class Theatre:
    """A stage and the loop that it lives in."""

    def __init__(self, store: StoreSettings) -> None:
        self.loop = uvloop.new_event_loop()
        self.stage = Stage(store)

    def run(self, coroutine) -> None:
        self.loop.run_until_complete(coroutine)


@pytest.fixture(scope="module")
def theatre(redis_url: str) -> Iterator[Theatre]:
    one = Theatre(StoreSettings(url=redis_url, prefix="fuzz:", limits=LIMITS))
    one.run(one.stage.open())
    yield one
    one.run(one.stage.close())
    one.loop.close()


@pytest.mark.timeout(120 + WANTED // 100)
@given(made=plays())
@settings(
    max_examples=WANTED // (2 * FRAMES) + 1,
    deadline=None,
    phases=(Phase.generate,),
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_no_frame_breaks_anything(
    theatre: Theatre, made: tuple[bool, list[Frame], bool, list[Frame]]
) -> None:
    theatre.run(theatre.stage.play(made))


def fails(serving: Serving, frame: ClientHeartbeat) -> None:
    raise RuntimeError("a fault of ours")


def closes(serving: Serving, frame: ClientHeartbeat) -> None:
    serving._socket.close(4400)


def swallows(consumer: SessionConsumer, error: Error) -> None:
    if error.details != {"field": "type", "type": "fence"}:
        return
    consumer.send_frame(encode(error))


@pytest.mark.parametrize("fault", [fails, closes, swallows])
def test_a_fault_is_seen(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch, fault: Callable[..., None]
) -> None:
    if fault is swallows:
        monkeypatch.setattr(SessionConsumer, "send_error", fault)
    else:
        handlers: dict[Any, Any] = Serving._handlers
        monkeypatch.setitem(handlers, ClientHeartbeat, fault)
    beat = {"type": "client_heartbeat", "session_id": SESSION, "timestamp": 0}
    with pytest.raises(AssertionError):
        theatre.run(theatre.stage.play((True, ["{", json.dumps(beat)], True, [])))
    theatre.stage.forgive()


@pytest.mark.timeout(120)
def test_and_nothing_of_it_is_left(theatre: Theatre) -> None:
    assert theatre.stage.frames >= WANTED
    theatre.run(theatre.stage.assert_clean())
