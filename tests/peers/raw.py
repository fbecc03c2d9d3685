"""A peer that sends whatever a test wants over a real WebSocket and keeps everything it gets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.connection import Connection
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

Json = dict[str, Any]

MAX_FRAME_BYTES = 32 * 2**20


class RawPeer:
    """One connection. `frames` is all text that came, in order; `expect` reads on from the last
    one. `binary` is all else.
    """

    def __init__(self, socket: Connection) -> None:
        self.socket = socket
        self.frames: list[Json] = []
        self.binary: list[bytes] = []
        self._read = 0
        self._came = asyncio.Condition()
        self._reader: asyncio.Task[None] | None = None

    def start_reading(self) -> None:
        """Until then the peer reads nothing, and its buffers fill up."""
        self._reader = asyncio.create_task(self._receive())

    async def send(self, frame: Mapping[str, Any]) -> None:
        await self.socket.send(json.dumps(frame))

    async def send_text(self, text: str) -> None:
        await self.socket.send(text)

    async def send_binary(self, data: bytes) -> None:
        await self.socket.send(data)

    async def expect(self, kind: str, within_s: float = 5.0, **values: Any) -> Json:
        """The next frame of that type whose fields have these values; what is before is skipped."""
        try:
            async with asyncio.timeout(within_s):
                return await self._next(kind, values)
        except TimeoutError:
            came = [frame["type"] for frame in self.frames]
            raise AssertionError(f"no {kind} {values} within {within_s} s; came: {came}") from None

    def of_type(self, kind: str) -> list[Json]:
        """All frames of that type so far."""
        return [frame for frame in self.frames if frame["type"] == kind]

    async def closed(self, within_s: float = 5.0) -> int:
        """The code that the other side closes with; 1006 where it closes without one."""
        async with asyncio.timeout(within_s):
            await self.socket.wait_closed()
        return self.socket.close_code or 1006

    async def close(self, code: int = 1000) -> None:
        await self.socket.close(code)
        if self._reader is not None:
            await self._reader

    def vanish(self) -> None:
        """The connection is gone without a word, as when a cable is pulled."""
        self.socket.transport.abort()

    async def _next(self, kind: str, values: Json) -> Json:
        async with self._came:
            while True:
                while self._read < len(self.frames):
                    frame = self.frames[self._read]
                    self._read += 1
                    if frame["type"] == kind and values.items() <= frame.items():
                        return frame
                if self._reader is not None and self._reader.done():
                    code = self.socket.close_code
                    raise AssertionError(f"closed with {code} while waiting for {kind}")
                await self._came.wait()

    async def _receive(self) -> None:
        try:
            async for message in self.socket:
                async with self._came:
                    if isinstance(message, bytes):
                        self.binary.append(message)
                    else:
                        self.frames.append(json.loads(message))
                    self._came.notify_all()
        except ConnectionClosed:
            pass
        finally:
            self._wake = asyncio.create_task(self._notify())

    async def _notify(self) -> None:
        async with self._came:
            self._came.notify_all()


@asynccontextmanager
async def raw_peer(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    subprotocols: list[str] | None = None,
    reading: bool = True,
) -> AsyncIterator[RawPeer]:
    """Connects; a refused handshake raises `websockets.exceptions.InvalidStatus`."""
    socket = await connect(
        url,
        additional_headers=headers,
        subprotocols=[Subprotocol(name) for name in subprotocols] if subprotocols else None,
        compression=None,
        max_size=MAX_FRAME_BYTES,
        max_queue=4,
        proxy=None,
    )
    peer = RawPeer(socket)
    if reading:
        peer.start_reading()
    try:
        yield peer
    finally:
        await peer.close()
