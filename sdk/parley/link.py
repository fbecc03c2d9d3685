"""How both ends connect: the address, the credential, and what is sent over it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidURI, WebSocketException

from parley.backoff import Backoff, refused_for_good
from parley.frames import BinaryFrame, Frame, encode, encode_binary

logger = logging.getLogger("parley.link")

MAX_FRAME_BYTES: Final = 16 * 2**20
"""Larger than anything that the server sends (it accepts 8 MiB)."""

CLOSE_S: Final = 2.0
"""How long to wait for the other side to agree to a close."""

LOCAL: Final = "ws://localhost:5010"

LOOPBACK: Final = {"localhost", "127.0.0.1", "::1"}


def socket_url(server: str | None, path: str) -> str:
    """`path` at a server's address; an address with a path of its own is left as it is.

    Without an address: the one in `PARLEY_URL`, else port 5010 of this machine.
    """
    parts = urlsplit(server or os.environ.get("PARLEY_URL") or LOCAL)
    return parts.geturl() if parts.path.strip("/") else parts._replace(path=path).geturl()


def dial(url: str, token: str | None) -> connect:
    """A connection to be awaited. A proxy of the environment is used except on this machine.

    Without a token the one in `PARLEY_TOKEN` is shown, if there is one.

    Raises `ValueError` if the address is none of a WebSocket.
    """
    token = token or os.environ.get("PARLEY_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else None
    try:
        return connect(
            url,
            additional_headers=headers,
            compression=None,
            max_size=MAX_FRAME_BYTES,
            close_timeout=CLOSE_S,
            proxy=None if urlsplit(url).hostname in LOOPBACK else True,
        )
    except InvalidURI as error:
        raise ValueError(str(error)) from None


async def keep_connected(
    url: str,
    token: str | None,
    use: Callable[[ClientConnection], Awaitable[None]],
    *,
    backoff: Backoff,
    though_refused: bool,
) -> None:
    """Hands a connection to `use`, another one each time that it closes, until `use` returns.

    Unless `though_refused`, raises the `WebSocketException` after which trying again can't help.
    """
    while True:
        began = time.monotonic()
        try:
            async with dial(url, token) as socket:
                return await use(socket)
        except (OSError, WebSocketException) as error:
            if refused_for_good(error) and not though_refused:
                raise
            delay = backoff.after(error, time.monotonic() - began)
            logger.warning("no connection to %s, again in %.1f s: %s", url, delay, error)
        await asyncio.sleep(delay)


class Wire:
    """The connection of the moment, or none: what is sent while it is down is dropped."""

    def __init__(self) -> None:
        self.socket: ClientConnection | None = None

    async def send(self, frame: Frame) -> None:
        """Sends what is worth nothing later."""
        await self.send_encoded(encode(frame))

    async def send_binary(self, frame: BinaryFrame) -> None:
        """The same for a frame that is not text."""
        if self.socket is not None:
            with contextlib.suppress(ConnectionClosed):
                await self.socket.send(encode_binary(frame))

    async def send_encoded(
        self, data: bytes, *, on_arrival: Callable[[], None] | None = None
    ) -> None:
        """Sends UTF-8 JSON; `on_arrival` is called when a ping sent after it is answered."""
        if self.socket is None:
            return
        with contextlib.suppress(ConnectionClosed):
            await self.socket.send(data, text=True)
            if on_arrival is not None:
                pong = asyncio.ensure_future(await self.socket.ping())
                pong.add_done_callback(lambda done: _answered(done) and on_arrival())


def _answered(pong: asyncio.Future[float]) -> bool:
    return not pong.cancelled() and pong.exception() is None
