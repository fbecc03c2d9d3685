"""The languages of a job, which pools serve them, and why none does."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from lua.scripts import Need
from lua.states import Reason
from parley.codes import ErrorCode
from pools.definition import Definition
from pools.languages import AUTO, primary


class Serving(Protocol):
    """What every member of a pool serves."""

    def serves(self, src: str, tgt: str) -> bool: ...


class Route(msgspec.Struct, frozen=True):
    """The languages of a job. ``both_ways``: spoken in either of the two, answered in the other."""

    src: str
    tgt: str
    both_ways: bool = False

    @classmethod
    def of(
        cls, src: str, tgt: str, *, mode: str | None, lang_a: str | None, lang_b: str | None
    ) -> "Route":
        """From the fields of a frame; tags are compared by primary subtag."""
        if mode == "two_way_auto" and lang_a and lang_b:
            return cls(primary(lang_a), primary(lang_b), both_ways=True)
        return cls(primary(src), primary(tgt))

    @property
    def targets(self) -> tuple[str, ...]:
        """Languages that answers may be in."""
        return (self.tgt, self.src) if self.both_ways else (self.tgt,)

    def served_by(self, pool: Serving) -> bool:
        """Whether every member of the pool can do it."""
        if self.both_ways and not pool.serves(self.tgt, self.src):
            return False
        return pool.serves(self.src, self.tgt)


@dataclass(frozen=True)
class Refusal:
    """No node can serve it: the code for the peer, the reason and a sentence. ``breakdown``: the
    nodes that were counted, by reason. ``need``: what was in vain asked of pools that serve the
    languages.
    """

    code: ErrorCode
    reason: Reason
    message: str
    breakdown: dict[str, int] = field(default_factory=dict)
    need: Need | None = None


def refusal(
    route: Route, pools: Collection[Definition], *, others: Collection[str] = ()
) -> Refusal:
    """Why none of the pools there are serves the languages. ``others``: those with members that
    are not automatic.
    """
    if others and not pools:
        pools = [Definition()]
    reason, message = _why(route, pools)
    return Refusal(ErrorCode.NO_CAPABLE_NODE, reason, message)


def tenant_refusal() -> Refusal:
    """Pools serve the languages, but not for this tenant."""
    message = "No pool that this tenant may use serves these languages."
    return Refusal(ErrorCode.NO_CAPABLE_NODE, Reason.NOT_IN_PUBLIC_POOL, message)


def _why(route: Route, pools: Collection[Definition]) -> tuple[Reason, str]:
    if not pools:
        return Reason.NO_NODES, "No node that translates is registered."
    if route.src == AUTO:
        return Reason.SRC_AUTO_NO_CANDIDATE, f"No node translates into {route.tgt!r}."
    understood = any({route.src, route.tgt} <= {*pool.semantic} for pool in pools)
    if understood and not any(route.src in pool.sources for pool in pools):
        return Reason.ASR_LANG_UNSUPPORTED, f"No node understands speech in {route.src!r}."
    return (
        Reason.LANG_PAIR_UNSUPPORTED,
        f"No node translates from {route.src!r} to {route.tgt!r}.",
    )
