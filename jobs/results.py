"""Results on their way from a node to a session, wherever they lie.

A result that a node of this process gave to a session of this process is at hand for a moment; all
others are asked of Redis, which keeps every one.
"""

from lua.client import Cells


class Results:
    """One a process. ``limit_bytes``: most that is at hand; the oldest give way."""

    def __init__(self, cells: Cells, *, limit_bytes: int) -> None:
        self._cells = cells
        self._limit_bytes = limit_bytes
        self._at_hand: dict[str, bytes] = {}
        self._bytes = 0

    def keep(self, job: str, body: bytes) -> None:
        """A result that a session here is about to want."""
        self._pop(job)
        self._at_hand[job] = body
        self._bytes += len(body)
        while self._bytes > self._limit_bytes:
            self._pop(next(iter(self._at_hand)))

    async def fetch(self, cell: int, job: str, *, size: int) -> bytes | None:
        """What the node answered, ``size`` bytes; None once it is gone. Raises StoreError.

        Does not suspend for what is at hand, which is given once.
        """
        return self._pop(job) or await self._cells.result(cell, job, size=size)

    def _pop(self, job: str) -> bytes:
        body = self._at_hand.pop(job, b"")
        self._bytes -= len(body)
        return body
