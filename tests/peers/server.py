"""A server that only accepts: every connection becomes a `RawPeer` that the test speaks through."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from tests.peers.raw import MAX_FRAME_BYTES, RawPeer


class FakeServer:
    """Listens on a free port of the loopback. `refuse` answers handshakes with that HTTP status."""

    def __init__(self) -> None:
        self.refuse: HTTPStatus | None = None
        self.requests: list[Request] = []
        self._accepted: asyncio.Queue[RawPeer] = asyncio.Queue()
        self._server: Server | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._port}/ws"

    async def accept(self, within_s: float = 5.0) -> RawPeer:
        """The next connection."""
        async with asyncio.timeout(within_s):
            return await self._accepted.get()

    async def start(self) -> None:
        """Listens, after a `stop` on the same port again."""
        self._server = await serve(
            self._serve,
            "127.0.0.1",
            self._port,
            process_request=self._answer,
            max_size=MAX_FRAME_BYTES,
        )
        self._port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        """Closes every connection with 1001 and stops listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _serve(self, socket: ServerConnection) -> None:
        peer = RawPeer(socket)
        peer.start_reading()
        self._accepted.put_nowait(peer)
        await socket.wait_closed()

    async def _answer(self, socket: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        return socket.respond(self.refuse, "no\n") if self.refuse else None
