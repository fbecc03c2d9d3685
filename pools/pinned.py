"""The only node that a job may go to: what it does not translate, though it knows the languages.

Scripts ask a node what it offers, language by language; pairs they know of pools only.
"""

import msgspec

from lua import views
from lua.client import Cells
from lua.states import Reason
from parley.codes import ErrorCode
from pools.languages import AUTO, primary
from pools.routes import Refusal, Route


class _Told(msgspec.Struct):
    """Of what a node tells of itself."""

    nmt_pairs: list[tuple[str, str]] | None = None


_decode = msgspec.json.Decoder(_Told).decode


async def refusal_by(cells: Cells, node: str, route: Route) -> Refusal | None:
    """None: its pairs allow it, or Redis does not know the node now. Raises StoreUnavailable."""
    known = await views.registered(cells, node)
    pairs = _decode(known.caps).nmt_pairs if known else None
    if pairs is None or _allows({(primary(src), primary(tgt)) for src, tgt in pairs}, route):
        return None
    message = f"The node {node} does not translate from {route.src!r} to {route.tgt!r}."
    return Refusal(ErrorCode.NO_CAPABLE_NODE, Reason.LANG_PAIR_UNSUPPORTED, message)


def _allows(pairs: set[tuple[str, str]], route: Route) -> bool:
    if route.src == AUTO:
        return any(tgt == route.tgt for _, tgt in pairs)
    ways = {(route.src, route.tgt)} | ({(route.tgt, route.src)} if route.both_ways else set())
    return ways <= pairs
