"""The way out of a socket: straight on, or a bounded queue and one writer while that must wait.

A peer that does not read is dropped, so that nobody's memory and nobody's jobs wait for it.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import structlog

from jobs.settings import SocketSettings

log = structlog.get_logger(__name__)

Send = Callable[[dict[str, Any]], Awaitable[None]]


async def nowhere(message: dict[str, Any]) -> None:
    """``send`` of a connection that is gone."""


class Binary(bytes):
    """A frame that leaves as a binary one."""


class Below(Protocol):
    """The server's side of a connection: what ASGI has no word for. ``hear`` is given a frame that
    came alone, after all others were received; where it answers False the frame is received too.
    """

    transport: asyncio.Transport
    hear: Callable[[str | bytes], bool] | None

    def write_message(self, data: bytes, *, is_text: bool, urgent: bool) -> bool:
        """Send it now, or soon. False where only ASGI's ``send`` can, which waits for the peer."""


class Outbox:
    """``send`` is the server's; ``below`` lies under it, None where it can't be reached.

    Frames leave in the order of :meth:`put`, a close after all of them.
    """

    def __init__(self, send: Send, below: Below | None, settings: SocketSettings) -> None:
        self._send = send
        self._below = below
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._queue: deque[bytes] = deque()
        self._bytes = 0
        self._written = 0
        self._writer: asyncio.Task[None] | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._seen = (0, 0)
        self._close: dict[str, Any] | None = None
        self._moved = asyncio.Event()
        self.gone = asyncio.Event()  # nothing can be written any more

    @property
    def is_open(self) -> bool:
        """Whether a frame put now would still be written."""
        return self._close is None and not self.gone.is_set()

    @property
    def is_busy(self) -> bool:
        """Whether a frame is still to be handed to the server."""
        return self._writer is not None and not self.gone.is_set()

    def put(self, frame: bytes, *, urgent: bool = True) -> bool:
        """Queue UTF-8 text, or a :class:`Binary`. One that is not ``urgent`` may leave with the one
        after it, within a moment.

        False when the peer is gone, is being closed, or was dropped now.
        """
        if not self.is_open:
            return False
        if self._writer is None and self._write_now(frame, urgent):
            return True
        self._queue.append(frame)
        self._bytes += len(frame)
        if self._is_over():
            self.drop("too much waits for it")
            return False
        self._wake()
        return True

    def has_room(self, size: int) -> bool:
        """Whether half the queue holds a frame of ``size`` bytes, is empty, or is of no use.

        Who may put more than a peer can read at once asks first: it is not the peer's fault.
        """
        most = self._settings.outgoing_bytes / 2
        return not self._bytes or self._bytes + size <= most or not self.is_open

    async def room(self, size: int) -> None:
        """Return when it has room."""
        while not self.has_room(size):
            self._moved.clear()
            await self._moved.wait()

    def close(self, code: int, reason: str = "") -> None:
        """Close the socket once all frames are written. Only the first close counts."""
        if self.is_open:
            self._close = {"type": "websocket.close", "code": code, "reason": reason}
            self._moved.set()
            self._wake()

    def drop(self, why: str) -> None:
        """End the connection now, whatever is still to be written."""
        if self.gone.is_set():
            return
        log.warning("a peer that does not read is dropped", why=why, waiting_bytes=self._bytes)
        if self._below is not None:
            self._below.transport.abort()
        self.end()

    def end(self) -> None:
        """The connection is gone, and no longer held from here: what it has read may be large, and
        who has this outbox is found late, as garbage.
        """
        self._send, self._below = nowhere, None
        self.gone.set()
        self._moved.set()
        self._queue.clear()
        self._bytes = 0
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _write_now(self, frame: bytes, urgent: bool) -> bool:
        is_text = type(frame) is not Binary
        below = self._below
        return below is not None and below.write_message(frame, is_text=is_text, urgent=urgent)

    def _is_over(self) -> bool:
        settings = self._settings
        return self._bytes > settings.outgoing_bytes or len(self._queue) > settings.outgoing_frames

    def _wake(self) -> None:
        if self._writer is None:
            self._writer = self._loop.create_task(self._write())
        if self._watch is None:
            self._watch = self._loop.call_later(self._settings.outgoing_stall_ms / 1000, self._look)

    async def _write(self) -> None:
        try:
            while self._queue:
                frame = self._queue.popleft()
                if type(frame) is Binary:
                    await self._send({"type": "websocket.send", "bytes": frame})
                else:
                    await self._send({"type": "websocket.send", "text": frame.decode()})
                self._bytes -= len(frame)
                self._written += 1
                self._moved.set()
            if self._close is not None and not self.gone.is_set():
                await self._send(self._close)
                self.end()
        except Exception as error:
            # What the server raises when the connection went in between; its classes are its own.
            log.debug("a frame could not be written", why=repr(error))
            self.end()
        finally:
            self._writer = None

    def _look(self) -> None:
        """Has anything left since the last look?"""
        self._watch = None
        if self._writer is None:
            return
        buffered = self._below.transport.get_write_buffer_size() if self._below else 0
        seen, self._seen = self._seen, (self._written, buffered)
        if seen == self._seen:
            self.drop("it takes nothing")
        else:
            self._watch = self._loop.call_later(self._settings.outgoing_stall_ms / 1000, self._look)
