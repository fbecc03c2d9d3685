"""Calls of pairing: a code that is given out, and used once."""

from dataclasses import dataclass

from lua.client import Cells
from lua.script import Script
from lua.scripts.node import Unknown


@dataclass(frozen=True)
class Issued:
    """The code is the node's until then (Unix ms)."""

    until_ms: int


@dataclass(frozen=True)
class InUse:
    """The code is known already: draw another."""


ISSUE_CODE = Script("issue_code", (Issued, InUse, Unknown))


async def issue_code(
    cells: Cells, *, cell: int, code: str, node: str, mark: str
) -> Issued | InUse | Unknown:
    """Make a code that pairs one session with a node. ``mark``: unguessable, of this request."""
    return await cells.run(ISSUE_CODE, cell, code, node, mark)


@dataclass(frozen=True)
class Paired:
    """The code was valid, and is used up now."""

    node: str


@dataclass(frozen=True)
class Spent:
    """The code was given out, and was used or has expired. It counts as no guess."""


@dataclass(frozen=True)
class Wrong:
    """Nobody was given this code."""


@dataclass(frozen=True)
class Limited:
    """Too many wrong codes came: none is looked at for ``retry_ms``."""

    retry_ms: int


REDEEM_CODE = Script("redeem_code", (Paired, Spent, Wrong, Limited))


async def redeem_code(
    cells: Cells, *, cell: int, code: str, mark: str, client: str
) -> Paired | Spent | Wrong | Limited:
    """Use up a pairing code. ``mark``: unguessable, of this try; ``client``: whose guess it is."""
    return await cells.run(REDEEM_CODE, cell, code, mark, client)
