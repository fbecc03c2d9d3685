"""What ``dispatch`` would do, asked of the same Lua without writing anything."""

from dataclasses import dataclass

import msgspec

from lua.client import Cells
from lua.script import Script, Spec
from lua.states import JobState


class Wish(Spec, frozen=True, kw_only=True):
    """Of a job that is only thought of. The fields are those of ``NewJob``."""

    session: str
    need: str
    sig: str
    preferred: str
    avoid: list[str]
    deadline_ms: int


class Candidate(msgspec.Struct, frozen=True):
    """A node that was looked at. ``reason``: ``usable``, or the first check that it did not pass.

    ``foreign``: jobs that it runs and that are not ours. ``silent_ms``: since its last heartbeat.
    """

    node: str
    reason: str
    used: int = 0
    foreign: int = 0
    capacity: int = 0
    silent_ms: int = 0
    pools: str = ""


@dataclass(frozen=True)
class Simulated:
    """``state``: RESERVED on ``node``, WAITING behind ``ahead`` others, or FAILED with ``code``.

    ``receipt``: see :mod:`lua.receipts`; ``candidates``: JSON, see :meth:`listed`.
    """

    state: JobState
    node: str
    pool: str
    code: str
    reason: str
    breakdown: dict[str, int]
    ahead: int
    receipt: bytes
    candidates: bytes

    @property
    def listed(self) -> list[Candidate]:
        """The winner first, then those named, then some members of each pool."""
        return msgspec.json.decode(self.candidates, type=list[Candidate])


SIMULATE = Script("simulate", (Simulated,), Wish)


async def simulate(cells: Cells, *, cell: int, wish: Wish, most: int, passed: str) -> Simulated:
    """Where a job would go now. ``most``: members looked at of each pool, besides the choice."""
    simulated: Simulated = await cells.run(SIMULATE, cell, most, passed, wish.packed())
    return simulated
