"""Gives out pairing codes; the session that shows one is bound to its node: :mod:`jobs.pairing`."""

from dataclasses import dataclass

from django.http import HttpRequest

from lua import ids, scripts
from lua.client import Cells
from lua.errors import StoreFull
from nodes.services import UnknownNode
from pools.store import call

MOST_DRAWN = 20


@dataclass(frozen=True)
class PairingCode:
    """Six digits, good for one session until then (Unix ms)."""

    digits: str
    until_ms: int


def issue(node: str, *, request: HttpRequest | None = None) -> PairingCode:
    """A new code for a node that is there or was lately. Raises UnknownNode and StoreError."""

    async def draw(cells: Cells) -> PairingCode:
        cell, mark = ids.cell_of_node(node, cells.count), ids.new_token()
        for _ in range(MOST_DRAWN):
            digits = ids.new_pairing_code(cell, cells.count)
            reply = await scripts.issue_code(cells, cell=cell, code=digits, node=node, mark=mark)
            if isinstance(reply, scripts.Issued):
                return PairingCode(digits, reply.until_ms)
            if not isinstance(reply, scripts.InUse):
                raise UnknownNode(node)
        raise StoreFull("nearly all pairing codes of the cell are in use")

    return call(draw, request)
