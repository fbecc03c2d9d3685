"""Errors that a node tells of itself, and services whose model was not available.

Which services are out is kept in Redis (:func:`lua.scripts.service_out`), so it outlives the
connection and this process.
"""

import contextlib
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
            self._standing.out |= {service}
            self._registry.start(self._take_out(service, code))
            self._registry.start(self._leave_out())

    async def _take_out(self, service: str, code: str) -> None:
        with contextlib.suppress(StoreError):
            await scripts.service_out(
                self._registry.cells,
                cell=self._standing.cell,
                node=self._standing.node,
                service=service,
                code=code,
                out_ms=self._registry.settings.service_out_ms,
            )

    async def _leave_out(self) -> None:
        with contextlib.suppress(StoreError):  # its next heartbeat tells the same
            await self._standing.change_pools()
