"""One connection: says what a test wants, keeps what it hears, and knows when all was answered."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.conformance.kinds import Json
from tests.conformance.server_frames import faults

WITHIN_S = 10.0
LARGEST_FRAME = 32 * 2**20


class Link:
    """`frames` is all that came, in order; `next` and `expect` read on from the last one read."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[Json] = []
        self.session = ""
        self._read = 0
        self._fences = itertools.count(1)
        self._came = asyncio.Condition()
        self._reader = asyncio.create_task(self._receive())

    async def say(self, *messages: Json | str | bytes) -> None:
        """Objects as JSON, text and bytes as they are."""
        for one in messages:
            await self.socket.send(json.dumps(one) if isinstance(one, dict) else one)

    async def next(self, within_s: float = WITHIN_S) -> Json:
        """The next frame."""
        async with asyncio.timeout(within_s), self._came:
            await self._came.wait_for(lambda: self._read < len(self.frames) or self._is_over)
        if self._read == len(self.frames):
            raise AssertionError(f"closed with {self.socket.close_code}")
        self._read += 1
        return self.frames[self._read - 1]

    async def expect(self, kind: str, within_s: float = WITHIN_S, **values: Any) -> Json:
        """The next frame of that type with these values; those before it are skipped."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    frame = await self.next(within_s + 1)
                    if frame["type"] == kind and values.items() <= frame.items():
                        return frame
        except TimeoutError:
            came = [frame["type"] for frame in self.frames]
            raise AssertionError(f"no {kind} {values} in {within_s} s; came: {came}") from None

    async def answers(self, *messages: Json | str | bytes) -> Sequence[Json]:
        """Says them; what comes until the service has handled them all.

        It answers strictly in order: an unknown message at their end is answered last.
        """
        mark = f"fence_{next(self._fences)}"
        start = len(self.frames)
        await self.say(*messages, {"type": mark})
        async with asyncio.timeout(WITHIN_S), self._came:
            await self._came.wait_for(lambda: self._fence(start, mark) is not None or self._is_over)
        end = self._fence(start, mark)
        if end is None:
            raise AssertionError(f"closed with {self.socket.close_code}: {self.frames[start:]}")
        self._read = end + 1
        return self.frames[start:end]

    async def closed(self, within_s: float = WITHIN_S) -> int:
        """The code that the service closes with."""
        async with asyncio.timeout(within_s):
            await self.socket.wait_closed()
        return self.socket.close_code or 1006

    def of_type(self, kind: str) -> list[Json]:
        return [frame for frame in self.frames if frame["type"] == kind]

    def check(self) -> None:
        """All that came is as it should be."""
        wrong = [fault for frame in self.frames for fault in faults(frame)]
        assert not wrong, wrong

    async def close(self) -> None:
        await self.socket.close()
        await self._reader

    @property
    def _is_over(self) -> bool:
        return self._reader.done() or self.socket.close_code is not None

    def _fence(self, start: int, mark: str) -> int | None:
        for place in range(start, len(self.frames)):
            frame = self.frames[place]
            if frame["type"] == "error" and frame.get("details", {}).get("type") == mark:
                return place
        return None

    async def _receive(self) -> None:
        try:
            async for message in self.socket:
                async with self._came:
                    self.frames.append(read(message))
                    self._came.notify_all()
        except ConnectionClosed:
            pass
        finally:
            async with self._came:
                self._came.notify_all()


def read(message: str | bytes) -> Json:
    """A binary frame becomes an object of the type `binary`."""
    if isinstance(message, bytes):
        return {"type": "binary", "data": message}
    frame: Json = json.loads(message)
    return frame


@asynccontextmanager
async def link(url: str, **options: Any) -> AsyncIterator[Link]:
    """Connects. What the service says is checked at the end."""
    options = {"compression": None, "max_size": LARGEST_FRAME, "proxy": None, **options}
    one = Link(await connect(url, **options))
    try:
        yield one
    finally:
        await one.close()
    one.check()
