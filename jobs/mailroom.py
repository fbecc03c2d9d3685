"""Reads a process's mailboxes and hands each message to whoever asked for its kind.

What the scripts decide arrives here: a job for a node goes on to the registry of nodes, the end of
a job to :mod:`jobs.sessions`.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import structlog

from lua import mailbox
from lua.client import Cells
from lua.mailbox import Message

log = structlog.get_logger(__name__)

M = TypeVar("M", bound=Message)


class Mailroom:
    """One a process. Handlers get the cell and the message; they neither wait nor fail it."""

    def __init__(self, cells: Cells, process: str) -> None:
        self._cells = cells
        self._process = process
        self._handlers: dict[type[Any], Callable[[int, Any], None]] = {}

    def handle(self, kind: type[M], handler: Callable[[int, M], None]) -> None:
        """Have messages of a kind handed to ``handler``."""
        self._handlers[kind] = handler

    async def read(self, cell: int) -> None:
        """Never ends."""
        async for batch in mailbox.read(self._cells, cell, self._process):
            for message in batch:
                self._hand_over(cell, message)

    def _hand_over(self, cell: int, message: Message) -> None:
        handler = self._handlers.get(type(message))
        if handler is None:
            log.warning("nobody handles a message", kind=type(message).__name__)
            return
        try:
            handler(cell, message)
        except Exception:
            log.exception("a message could not be handled", kind=type(message).__name__)
