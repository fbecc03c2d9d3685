"""A moment that is not here yet: one timer, set anew whenever what it waits for changes."""

import asyncio
from collections.abc import Callable


class Alarm:
    """``ring`` is called once at the moment, with the time then; it may set the next one."""

    def __init__(self, ring: Callable[[float], None]) -> None:
        self._ring = ring
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_set(self) -> bool:
        """Whether it is going to ring."""
        return self._timer is not None

    def now_ms(self) -> float:
        """Its clock: the event loop's, in milliseconds."""
        return self._loop.time() * 1000

    def set(self, due_ms: float | None) -> None:
        """Ring at this time and at no other; None: not at all."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if due_ms is not None:
            self._timer = self._loop.call_at(due_ms / 1000, self._fire)

    def _fire(self) -> None:
        self._timer = None
        self._ring(self.now_ms() + 1)  # a timer may fire a clock tick early
