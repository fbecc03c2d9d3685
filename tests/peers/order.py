"""How a deployed agent keeps the utterances of a session in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

GAP_S = 30.0


class RefusedIndex(Exception):
    """The index is lower than, or the same as, one that this session has had."""


class SessionOrder:
    """One utterance at a time, index by index: a gap waits `gap_s`, a lower one is refused.

    `gaps` are the indexes that were waited for although nobody had sent them yet.
    """

    def __init__(self, first: int, *, gap_s: float = GAP_S) -> None:
        self.next = first
        self.gaps: dict[int, float] = {}
        self._gap_s = gap_s
        self._arrived: set[int] = set()
        self._moved = asyncio.Condition()

    @asynccontextmanager
    async def turn(self, index: int) -> AsyncIterator[None]:
        """The time in which the utterance of this index is worked on. Raises `RefusedIndex`."""
        async with self._moved:
            self._arrived.add(index)
            self._moved.notify_all()
            while index > self.next:
                await self._wait_or_skip_the_gap()
            if index < self.next:
                raise RefusedIndex(f"index {index} after {self.next - 1}")
        try:
            yield
        finally:
            async with self._moved:
                self.next = index + 1
                self._moved.notify_all()

    async def _wait_or_skip_the_gap(self) -> None:
        """Until something has moved, or the next index was missing for too long."""
        deadline = None
        if self.next not in self._arrived:
            now = asyncio.get_running_loop().time()
            deadline = self.gaps.setdefault(self.next, now + self._gap_s)
        try:
            async with asyncio.timeout_at(deadline):
                await self._moved.wait()
        except TimeoutError:
            if self.next not in self._arrived:
                self.next = min(index for index in self._arrived if index > self.next)
                self._moved.notify_all()
