"""How a deployed agent keeps the utterances of a session in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

GAP_S = 30.0


class RefusedIndex(Exception):
    """The index is lower than, or the same as, one that this session has had."""


class SessionOrder:
    """One utterance at a time, index by index: a gap waits `gap_s`, a lower one is refused."""

    def __init__(self, first: int, *, gap_s: float = GAP_S) -> None:
        self.next = first
        self.waited: list[int] = []
        """Indexes that had to wait because one before them was missing."""
        self._gap_s = gap_s
        self._moved = asyncio.Condition()

    @asynccontextmanager
    async def turn(self, index: int) -> AsyncIterator[None]:
        """The time in which the utterance of this index is worked on. Raises `RefusedIndex`."""
        if index < self.next:
            raise RefusedIndex(f"index {index} after {self.next - 1}")
        async with self._moved:
            if index > self.next:
                self.waited.append(index)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._gap_s):
                        await self._moved.wait_for(lambda: self.next >= index)
            if index < self.next:
                raise RefusedIndex(f"index {index} after {self.next - 1}")
        try:
            yield
        finally:
            async with self._moved:
                self.next = max(self.next, index + 1)
                self._moved.notify_all()
