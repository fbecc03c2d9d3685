"""The way from a session to its client: whichever socket it has now, or none."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol

from parley.frames import Error


class Wire(Protocol):
    """What a session needs of its socket."""

    @property
    def is_writing(self) -> bool: ...

    def send_frame(self, frame: bytes, *, urgent: bool = True) -> bool: ...

    def send_error(self, error: Error) -> None: ...

    def has_room(self, size: int) -> bool: ...

    async def room(self, size: int) -> None: ...

    def start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]": ...

    def close(self, code: int, reason: str = "") -> None: ...


class Line:
    """A wire that may be replaced by another. What is sent while there is none is dropped."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._opened = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether there is a socket."""
        return self._opened.is_set()

    @property
    def is_writing(self) -> bool:
        """Whether a frame that was put is not on its way yet."""
        return self.is_open and self._wire.is_writing

    def attach(self, wire: Wire) -> None:
        """From now on it is this one."""
        self._wire = wire
        self._opened.set()

    def detach(self, wire: Wire | None = None) -> bool:
        """The socket is gone; False when that was not the present one."""
        if not self.is_open or wire not in (None, self._wire):
            return False
        self._opened.clear()
        return True

    def close(self, code: int, reason: str = "") -> None:
        """End the present socket, if there is one, and do without it."""
        if self.detach():
            self._wire.close(code, reason)

    def send_frame(self, frame: bytes, *, urgent: bool = True) -> bool:
        """Queue a frame; False when it will not arrive."""
        return self.is_open and self._wire.send_frame(frame, urgent=urgent)

    def send_error(self, error: Error) -> None:
        """Tell what went wrong."""
        if self.is_open:
            self._wire.send_error(error)

    def has_room(self, size: int) -> bool:
        """Whether there is a socket whose peer has read enough for a large frame."""
        return self.is_open and self._wire.has_room(size)

    async def room(self, size: int) -> None:
        """Wait until there is a socket, and until its peer has read enough for a large frame."""
        await self._opened.wait()
        await self._wire.room(size)

    def start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Run a handler beside the others; it outlives the socket that it was started on."""
        return self._wire.start(work)
