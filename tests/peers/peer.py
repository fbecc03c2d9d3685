"""What deployed pages and agents have in common: one socket at a time, and they keep nothing."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

Json = dict[str, Any]

MAX_FRAME_BYTES = 32 * 2**20


class Peer:
    """`received`: all frames that came. Leaving it ends it without a word."""

    def __init__(self) -> None:
        self.received: list[Json] = []
        self._socket: ClientConnection | None = None
        self._came = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def vanish(self) -> None:
        """Its network is gone without a word; it notices at once."""
        assert self._socket is not None
        self._socket.transport.abort()

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _connection(self, url: str) -> connect:
        return connect(url, compression=None, max_size=MAX_FRAME_BYTES, proxy=None)

    async def _send(self, frame: Json) -> None:
        """What can't be sent is lost."""
        if self._socket is not None:
            with suppress(ConnectionClosed):
                await self._socket.send(json.dumps(frame))

    def _start(self, coroutine: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
