"""Errors that a node tells of itself, and services whose model was not available.

Which services are out is kept in Redis (:func:`lua.scripts.service_out`), so it outlives the
connection and this process; what a node said itself is told again after a loss of Redis.
"""

import contextlib
import time
from typing import Any

from jobs.notes import code_of
from jobs.outcome import service_of
from lua import scripts
from lua.errors import StoreError
from lua.scripts import Sight
from nodes.registry import Registry
from nodes.standing import Standing
from parley.codes import ErrorCode
from parley.frames import NodeError


class Outages:
    """Of one connection."""

    def __init__(self, registry: Registry, standing: Standing) -> None:
        self._registry = registry
        self._standing = standing
        self._until_s: dict[str, float] = {}  # what this node said to be without its model

    def reported(self, frame: NodeError) -> None:
        """A ``node_error``: its code is noted, never its message, which may quote what was said."""
        here = self._standing
        text = code_of(frame.code)
        self._registry.notes.tell(Sight.NODE_ERROR, cell=here.cell, node=here.node, text=text)
        self.consider(frame.code, frame.details)

    def consider(self, code: str, details: Any) -> None:
        """An error that the node told; ``details.service_id`` may name one of its services."""
        service = service_of(details)
        if code == ErrorCode.MODEL_NOT_AVAILABLE and service in self._standing.services:
            out_ms = self._registry.settings.service_out_ms
            self._standing.out |= {service}
            self._until_s[service] = time.monotonic() + out_ms / 1000
            self._registry.start(self._take_out(service, code, out_ms))
            self._registry.start(self._leave_out())

    def left_ms(self) -> dict[str, int]:
        """Services that the node has said to be without their model, and for how long they are
        still out.
        """
        now_s = time.monotonic()
        out = self._standing.out.intersection(self._until_s)
        return {one: round(1000 * (self._until_s[one] - now_s)) for one in out}

    async def repeat(self, left_ms: dict[str, int]) -> None:
        """After a replay: those of ``left_ms`` that Redis had lost are out again."""
        for service, out_ms in left_ms.items():
            if service not in self._standing.out and out_ms > 0:
                await self._take_out(service, ErrorCode.MODEL_NOT_AVAILABLE, out_ms)

    async def _take_out(self, service: str, code: str, out_ms: int) -> None:
        with contextlib.suppress(StoreError):
            await scripts.service_out(
                self._registry.cells,
                cell=self._standing.cell,
                node=self._standing.node,
                service=service,
                code=code,
                out_ms=out_ms,
            )

    async def _leave_out(self) -> None:
        with contextlib.suppress(StoreError):  # its next heartbeat tells the same
            await self._standing.change_pools()
