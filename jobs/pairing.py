"""Pairing: a session that shows a code is bound to the node that the code was given out for.

The code says its node's cell; the session lives there, and all its jobs are pinned to the node.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from math import ceil

from lua import ids, scripts
from lua.client import Cells
from parley.codes import ErrorCode

_CODE = re.compile(r"[0-9]{6}")
_BETWEEN = re.compile(r"[\s-]")  # people write 123 456 or 123-456
NETWORK_BITS = 64  # of an IPv6 address: what lies beyond is the client's own to choose


@dataclass(frozen=True)
class Pairing:
    """``node`` is empty without one; then ``code`` and ``why`` say what was wrong with the code."""

    node: str = ""
    code: ErrorCode = ErrorCode.INVALID_PAIRING_CODE
    why: str = ""


MISSING = Pairing(why="The pairing code is missing.")
INVALID = Pairing(why="The pairing code is not valid.")
SPENT = Pairing(why="The pairing code was used before or has expired.")


async def redeem(cells: Cells, shown: str | None, *, address: str) -> Pairing:
    """Use up the code that a client at ``address`` has shown. Raises StoreError."""
    if not shown:
        return MISSING
    code = _BETWEEN.sub("", shown)
    if not _CODE.fullmatch(code):
        return INVALID
    reply = await scripts.redeem_code(
        cells,
        cell=ids.cell_of_pairing_code(code, cells.count),
        code=code,
        mark=ids.new_token(),
        client=client_of(address),
    )
    match reply:
        case scripts.Paired():
            return Pairing(reply.node)
        case scripts.Spent():
            return SPENT
        case scripts.Limited():
            wait_s = ceil(reply.retry_ms / 1000)
            why = f"Too many wrong pairing codes were tried: wait for {wait_s} s."
            return Pairing(code=ErrorCode.RATE_LIMITED, why=why)
    return INVALID


def client_of(address: str) -> str:
    """Who counts as one client: an IPv4 address, the /64 of an IPv6 one, or ``local``."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "local"
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return f"{int(parsed) >> NETWORK_BITS:x}"
