"""The only node that a job may go to: what it does not translate, though it knows the languages.

Scripts ask a node what it offers, language by language; pairs they know of pools only.
"""

import msgspec

from lua import views
from lua.client import Cells
from lua.states import Reason
from parley.codes import ErrorCode
from pools.ask import Ask
from pools.lacks import refusal_by_one
from pools.languages import AUTO, primary
from pools.routes import Refusal, Route
from pools.serving import asked_of_one


class _Told(msgspec.Struct):
    """Of what a node tells of itself."""

    nmt_pairs: list[tuple[str, str]] | None = None


_decode = msgspec.json.Decoder(_Told).decode


async def refusal_by(cells: Cells, node: str, ask: Ask) -> Refusal | None:
    """None: its pairs allow it and it offers what is asked, or Redis does not know the node now.
    Raises StoreUnavailable.
    """
    known, route = await views.registered(cells, node), ask.route
    if known is None:
        return None
    pairs = _decode(known.caps).nmt_pairs
    if pairs is None or _allows({(primary(src), primary(tgt)) for src, tgt in pairs}, route):
        return refusal_by_one(node, (*asked_of_one(route), *ask.has), known.has)
    message = f"The node {node} does not translate from {route.src!r} to {route.tgt!r}."
    why = Reason.LANG_PAIR_UNSUPPORTED
    return Refusal(ErrorCode.NO_CAPABLE_NODE, why, message, {why: 1})


def _allows(pairs: set[tuple[str, str]], route: Route) -> bool:
    if route.src == AUTO:
        return any(tgt == route.tgt for _, tgt in pairs)
    ways = {(route.src, route.tgt)} | ({(route.tgt, route.src)} if route.both_ways else set())
    return ways <= pairs
