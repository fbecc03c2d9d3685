"""The heartbeats of a node."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import NoReturn

from parley.frames import NodeHeartbeat
from parley.link import Wire
from parley.usage import is_high

logger = logging.getLogger("parley.node")

HEARTBEAT_S = 15.0
BUSY_HEARTBEAT_S = 2.0


class Pulse:
    """`tell` says how the node is now."""

    def __init__(self, wire: Wire, tell: Callable[[], NodeHeartbeat]) -> None:
        self.changed = asyncio.Event()
        """There is something new to tell."""
        self._wire = wire
        self._tell = tell

    async def beat(self) -> NoReturn:
        """A heartbeat every 15 s, at once after a change, and often under a high load.

        A node that reports a high load gets no jobs: word that it is over must not take 15 s.
        """
        pause_s = HEARTBEAT_S
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.changed.wait(), pause_s)
            self.changed.clear()
            try:
                beat = self._tell()
            except Exception:  # the load is told by the node's own code, and that may ask a driver
                logger.exception("no heartbeat: the load can't be told")
            else:
                pause_s = BUSY_HEARTBEAT_S if is_high(beat.resource_usage) else HEARTBEAT_S
                await self._wire.send(beat)
