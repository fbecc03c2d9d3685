"""Errors that a node tells; a service whose model was not available is left out for a while."""

import asyncio
from collections.abc import Callable
from typing import Any

from jobs.notes import Notes, code_of
from lua.scripts import Sight
from nodes.settings import NodeSettings
from nodes.standing import Standing
from parley.codes import ErrorCode
from parley.frames import NodeError


class Outages:
    """Of one node, whatever its connection. ``services``: ids of those left out now;
    ``changed()`` is called whenever they have changed.
    """

    def __init__(self, settings: NodeSettings, notes: Notes, changed: Callable[[], object]) -> None:
        self.services: set[str] = set()
        self._notes = notes
        self._out_s = settings.service_out_ms / 1000
        self._changed = changed
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def reported(self, standing: Standing, frame: NodeError) -> None:
        """A ``node_error``: its code is noted, never its message, which may quote what was said."""
        self._notes.tell(
            Sight.NODE_ERROR, cell=standing.cell, node=standing.node, text=code_of(frame.code)
        )
        self.consider(standing, frame.code, frame.details)

    def consider(self, standing: Standing, code: str, details: Any) -> None:
        """An error that the node told; ``details.service_id`` may name one of its services."""
        service = details.get("service_id") if isinstance(details, dict) else None
        if code != ErrorCode.MODEL_NOT_AVAILABLE or not isinstance(service, str):
            return
        if not standing.has_service(service):
            return
        if earlier := self._timers.pop(service, None):
            earlier.cancel()
        loop = asyncio.get_running_loop()
        self._timers[service] = loop.call_later(self._out_s, self._take_in, service)
        self.services.add(service)
        self._changed()

    def _take_in(self, service: str) -> None:
        del self._timers[service]
        self.services.discard(service)
        self._changed()
