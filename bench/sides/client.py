"""A WebSocket client that costs as little as it can: the servers are what is measured.

It knows whole messages of text, pings and the end; the handshake is that of websockets.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from struct import pack
from typing import cast

from websockets.client import ClientProtocol
from websockets.protocol import OPEN
from websockets.uri import parse_uri

try:
    from websockets.speedups import apply_mask
except ImportError:  # its wheel for this platform is plain Python
    from websockets.utils import apply_mask

TEXT, PING, PONG = 0x81, 0x89, 0x8A
MASKED = 0x80
MASK = b"\x5a\xa5\x3c\xc3"


class Client(asyncio.Protocol):
    """``hear`` gets each message, ``fail`` the end of the connection."""

    def __init__(self, url: str) -> None:
        self.hear: Callable[[bytes], None] = self._too_early
        self.fail: Callable[[Exception], None] = self._fail_handshake
        self._handshake = ClientProtocol(parse_uri(url))
        self._rest = b""
        self._loop = asyncio.get_running_loop()
        self._open: asyncio.Future[None] = self._loop.create_future()

    async def opened(self) -> None:
        """Return once messages may be sent. Raises what the handshake failed with."""
        await self._open

    async def ask(self, message: bytes) -> bytes:
        """Send a message, and return the one that comes next."""
        answer: asyncio.Future[bytes] = self._loop.create_future()
        self.hear = answer.set_result
        self.send(message)
        return await answer

    def send(self, message: bytes) -> None:
        """Send text."""
        self._send(TEXT, message)

    def close(self) -> None:
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._handshake.send_request(self._handshake.connect())
        self._transport.writelines(self._handshake.data_to_send())

    def data_received(self, data: bytes) -> None:
        if self._handshake.state is not OPEN:
            self._shake_hands(data)
            return
        data = self._rest + data
        at, end = 0, len(data)
        while end - at >= 2:
            body, after = _bounds(data, at)
            if after > end:
                break
            self._handle(data[at], data[body:after])
            at = after
        self._rest = data[at:]

    def connection_lost(self, exc: Exception | None) -> None:
        self.fail(exc or ConnectionResetError("the server has ended"))

    def _shake_hands(self, data: bytes) -> None:
        self._handshake.receive_data(data)
        if self._handshake.state is OPEN:
            self._open.set_result(None)
        elif error := self._handshake.handshake_exc:
            self.fail(error)

    def _fail_handshake(self, error: Exception) -> None:
        if not self._open.done():
            self._open.set_exception(error)

    def _handle(self, first: int, payload: bytes) -> None:
        if first == TEXT:
            self.hear(payload)
        elif first == PING:
            self._send(PONG, payload)
        else:
            self.fail(ConnectionResetError(f"the server has ended: {payload!r}"))

    def _send(self, first: int, payload: bytes) -> None:
        size = len(payload)
        if size < 126:
            head = pack("!BB", first, MASKED | size)
        elif size < 2**16:
            head = pack("!BBH", first, MASKED | 126, size)
        else:
            head = pack("!BBQ", first, MASKED | 127, size)
        self._transport.write(head + MASK + apply_mask(payload, MASK))

    def _too_early(self, message: bytes) -> None:
        raise RuntimeError(f"nobody asked for {message!r}")


def _bounds(data: bytes, at: int) -> tuple[int, int]:
    """Where the payload of the frame that begins there begins and ends."""
    size = data[at + 1]
    if size == 126:
        return at + 4, at + 4 + int.from_bytes(data[at + 2 : at + 4])
    if size == 127:
        return at + 10, at + 10 + int.from_bytes(data[at + 2 : at + 10])
    return at + 2, at + 2 + size


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Client]:
    """Connect to ``ws://HOST:PORT/PATH``; disconnects without a word."""
    loop, where = asyncio.get_running_loop(), parse_uri(url)
    _, client = await loop.create_connection(lambda: Client(url), where.host, where.port)
    try:
        await client.opened()
        yield client
    finally:
        client.close()
