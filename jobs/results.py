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
        self._at_hand: dict[str, tuple[str, bytes]] = {}  # job → session and body
        self._bytes = 0

    def keep(self, session: str, job: str, body: bytes) -> None:
        """A result that a session here is about to want."""
        self._pop(job)
        self._at_hand[job] = session, body
        self._bytes += len(body)
        while self._bytes > self._limit_bytes:
            self._pop(next(iter(self._at_hand)))

    def forget(self, session: str) -> None:
        """The session is over: nobody is going to want its results."""
        for job in [job for job, (whose, _) in self._at_hand.items() if whose == session]:
            self._pop(job)

    def at_hand(self, job: str) -> bytes:
        """What the node answered, given once; empty where Redis must be asked."""
        return self._pop(job)

    async def fetch(self, cell: int, job: str, *, size: int) -> bytes | None:
        """What the node answered, ``size`` bytes; None once it is gone. Raises StoreError."""
        return self.at_hand(job) or await self._cells.result(cell, job, size=size)

    def _pop(self, job: str) -> bytes:
        _, body = self._at_hand.pop(job, ("", b""))
        self._bytes -= len(body)
        return body
