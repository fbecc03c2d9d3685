"""A process whose work is to serve: until it is told to stop, and then in good order."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Sequence
from typing import Protocol


class Servant(Protocol):
    """A node, or whatever else serves until it is stopped."""

    async def serve(self) -> None: ...

    async def stop(self, drain_s: float) -> None: ...


async def serve_until_signalled(servants: Sequence[Servant], drain_s: float) -> None:
    """Serves until SIGTERM or SIGINT, then drains for `drain_s` at most; a second stops at once."""
    stops: list[asyncio.Task[None]] = []

    def on_signal() -> None:
        seconds = 0 if stops else drain_s
        stops.extend(asyncio.create_task(servant.stop(seconds)) for servant in servants)

    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError):  # on Windows Ctrl-C just ends the process
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, on_signal)
    await asyncio.gather(*(servant.serve() for servant in servants))
    await asyncio.gather(*stops)
