"""Sockets whose small writes of one loop tick leave together, and with them what could wait.

A frame is small, and handing it to the kernel costs more than making it, here and for its reader.
A job makes several for its session.
"""

import asyncio
from typing import Any

MOST_BYTES = 65_536
PATIENCE_S = 0.015  # a picture on a screen lasts longer
LINGER_S = 30.0


class Corked:
    """A transport that holds back up to ``MOST_BYTES`` until the present tick is over, or longer
    what may wait.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []
        self._bytes = 0
        self._leaves_soon = self._leaves_late = False
        self._end: asyncio.TimerHandle | None = None

    def __getattr__(self, name: str) -> Any:
        """All that is not about writing."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send it in this tick, after all before it."""
        if not self._leaves_soon:
            self._leaves_soon = True
            self._loop.call_soon(self._leave_soon)
        self._hold(data)

    def write_late(self, data: bytes) -> None:
        """Send it before all that is written later, after ``PATIENCE_S`` if that is nothing."""
        if not self._leaves_late:
            self._leaves_late = True
            self._loop.call_later(PATIENCE_S, self._leave_late)
        self._hold(data)

    def _hold(self, data: bytes) -> None:
        self._held.append(data)
        self._bytes += len(data)
        if self._bytes > MOST_BYTES:
            self.flush()

    def _leave_soon(self) -> None:
        self._leaves_soon = False
        self.flush()

    def _leave_late(self) -> None:
        self._leaves_late = False
        self.flush()

    def flush(self) -> None:
        """Hand what is held to the kernel."""
        if self._held:
            held, self._held, self._bytes = self._held, [], 0
            if self._transport.is_closing():
                return
            self._transport.write(held[0] if len(held) == 1 else b"".join(held))

    def get_write_buffer_size(self) -> int:
        """Bytes that have not left."""
        return self._bytes + self._transport.get_write_buffer_size()

    def close(self) -> None:
        """Close the connection after all that was written, or without it after ``LINGER_S``: a peer
        that reads nothing would keep it for ever.
        """
        self.flush()
        if not self._transport.is_closing():
            self._transport.close()
            self._end = self._loop.call_later(LINGER_S, self._transport.abort)

    def lost(self) -> None:
        """The connection is gone."""
        if self._end is not None:
            self._end.cancel()
