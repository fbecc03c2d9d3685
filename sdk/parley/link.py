"""How both ends connect: the address, the credential, and when to try again."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI

from parley.frames import Frame, encode

MAX_FRAME_BYTES: Final = 16 * 2**20
"""Larger than anything that the server sends (it accepts 8 MiB)."""

CLOSE_S: Final = 2.0
"""How long to wait for the other side to agree to a close."""

LOOPBACK: Final = {"localhost", "127.0.0.1", "::1"}


def dial(url: str, token: str | None) -> connect:
    """A connection to be awaited. A proxy of the environment is used except on this machine.

    Raises `ValueError` if the address is none of a WebSocket.
    """
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


class Wire:
    """The connection of the moment, or none: what is sent while it is down is dropped."""

    def __init__(self) -> None:
        self.socket: ClientConnection | None = None

    async def send(self, frame: Frame) -> None:
        """Sends what is worth nothing later."""
        await self.send_encoded(encode(frame))

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


REFUSED, REPLACED = 4400, 4409
"""Close codes after which coming back at once would only do harm."""

SETTLED_S: Final = 5.0
"""A connection that lived this long was a good one: the next delay starts small again."""


def close_code(error: Exception) -> int | None:
    """The code that the server closed with, if it said one."""
    return error.rcvd.code if isinstance(error, ConnectionClosed) and error.rcvd else None


def refused_for_good(error: Exception) -> bool:
    """Whether trying again soon can't help: HTTP 401, 403, 404, or a close that says so."""
    if isinstance(error, InvalidStatus):
        return 400 <= error.response.status_code < 500
    return close_code(error) in (REFUSED, REPLACED)


class Backoff:
    """Delays in seconds before the next try: doubling, with jitter of half, up to `longest`."""

    def __init__(self, *, first: float = 0.25, longest: float = 15.0) -> None:
        self.first = first
        self.longest = longest
        self._next = first

    def after(self, error: Exception, lived_s: float) -> float:
        """How long to wait after a connection that lived `lived_s` seconds ended with `error`."""
        if refused_for_good(error):
            return self.longest
        if lived_s >= SETTLED_S:
            self._next = self.first
        base, self._next = self._next, min(self.longest, 2 * self._next)
        return base * random.uniform(0.5, 1.5)
