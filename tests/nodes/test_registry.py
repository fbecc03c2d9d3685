"""What a process remembers of nodes that leave and come back."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from lua import ids


class Timer:
    """Rings when it is told to, unless it was cancelled."""

    def __init__(self, work: Callable[..., None], *arguments: Any) -> None:
        self._work, self._arguments = work, arguments
        self._cancelled = False

    def cancel(self) -> None:
        self._cancelled = True

    def ring(self) -> None:
        if not self._cancelled:
            self._work(*self._arguments)


async def _told() -> None:
    pass


def connection() -> Any:
    return SimpleNamespace(
        standing=SimpleNamespace(node="node-1", conn=ids.new_token(), leave=_told)
    )


@pytest.fixture
def timers(monkeypatch) -> list[Timer]:
    """Those that are set while nothing else runs."""
    made: list[Timer] = []

    def call_later(delay_s: float, work: Callable[..., None], *arguments: Any) -> Timer:
        made.append(Timer(work, *arguments))
        return made[-1]

    monkeypatch.setattr(asyncio, "get_running_loop", lambda: SimpleNamespace(call_later=call_later))
    return made


async def test_a_node_that_came_back_and_left_again_is_remembered_from_then_on(web, timers):
    registry = web.registry
    held = registry.holdings.of("node-1")
    held.add("a", 1)
    for _ in range(2):
        here = connection()
        registry.add(here)
        registry.remove(here)
    first, second = timers
    first.ring()
    assert registry.holdings.of("node-1") is held
    second.ring()
    assert registry.holdings.of("node-1") is not held
