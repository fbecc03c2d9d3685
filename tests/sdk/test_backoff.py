"""When both ends try again, and where."""

from __future__ import annotations

import pytest
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.frames import Close
from websockets.http11 import Response

from parley import Backoff, Node, Session
from parley.backoff import SETTLED_S

LOST = OSError("connection refused")


def http(status: int) -> InvalidStatus:
    return InvalidStatus(Response(status, "", Headers()))


def closed(code: int) -> ConnectionClosedError:
    return ConnectionClosedError(Close(code, ""), None)


def within(delay: float, base: float) -> bool:
    return 0.5 * base <= delay <= 1.5 * base


def test_each_delay_is_twice_the_one_before_up_to_the_longest() -> None:
    backoff = Backoff(first=1, longest=5)
    delays = [backoff.after(LOST, 0) for _ in range(5)]
    assert all(map(within, delays, [1, 2, 4, 5, 5]))


def test_two_that_lose_their_server_together_do_not_come_back_together() -> None:
    delays = {Backoff().after(LOST, 0) for _ in range(20)}
    assert len(delays) == 20
    assert max(delays) > 1.3 * min(delays)


def test_after_a_connection_that_lasted_it_starts_small_again() -> None:
    backoff = Backoff(first=1, longest=100)
    for _ in range(5):
        backoff.after(LOST, 0)
    assert within(backoff.after(LOST, SETTLED_S), 1)


@pytest.mark.parametrize("error", [http(401), http(403), http(404), closed(4400), closed(4409)])
def test_a_refusal_is_answered_with_patience(error: Exception) -> None:
    assert within(Backoff(first=0.1, longest=60).after(error, 0), 60)


@pytest.mark.parametrize("error", [http(429), http(503), closed(1012), closed(1013), LOST])
def test_what_passes_is_tried_soon(error: Exception) -> None:
    assert within(Backoff(first=0.1, longest=60).after(error, 0), 0.1)


@pytest.mark.parametrize(
    ("given", "dialled"),
    [
        (None, "ws://localhost:5010/ws/node"),
        ("wss://parley.example", "wss://parley.example/ws/node"),
        ("ws://10.0.0.1:5010/?token=x", "ws://10.0.0.1:5010/ws/node?token=x"),
        ("ws://proxy/of/mine", "ws://proxy/of/mine"),
    ],
)
def test_the_path_is_added_to_an_address_that_has_none(
    given: str | None, dialled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PARLEY_URL", raising=False)
    assert Node(given, languages=["en"]).url == dialled


def test_the_environment_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_URL", "ws://there:1")
    assert Node(languages=["en"]).url == "ws://there:1/ws/node"
    assert Session().url == "ws://there:1/ws/session"
    assert Session("ws://here:2").url == "ws://here:2/ws/session"
