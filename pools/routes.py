"""The languages of a job, which pools serve them, and why none does."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

import msgspec

from lua.states import Reason
from parley.codes import ErrorCode
from pools.definition import Definition
from pools.languages import AUTO, primary
from pools.modules import BASE_FORMATS

NOT_FETCHED = (
    "No node for these languages fetches sound in this format by audio_ref: "
    "send the sound itself, in audio."
)


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
    """No node can serve it: the code for the peer, the reason and a sentence."""

    code: ErrorCode
    reason: Reason
    message: str


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


def formats_taken(serving: Iterable[Definition]) -> list[str]:
    """The usual audio formats that some of the pools take."""
    return sorted({name for pool in serving for name in BASE_FORMATS.difference(pool.lacks)})


def format_refusal(audio_format: str, serving: Iterable[Definition]) -> Refusal:
    """Nodes for the languages are there, in the pools that serve them, but none takes the audio."""
    message = f"No node for these languages takes audio of the format {audio_format!r}"
    if taken := formats_taken(serving):
        verb = "is" if len(taken) == 1 else "are"
        message += f"; {' and '.join(taken)}, 16 kHz mono, {verb} possible"
    return Refusal(ErrorCode.UNSUPPORTED_FEATURE, Reason.MODEL_NOT_AVAILABLE, f"{message}.")


def sound_refusal(
    audio_format: str, serving: Iterable[Definition], *, by_reference: bool
) -> Refusal:
    """As ``format_refusal``, also for sound that a node would have to fetch."""
    if not by_reference:
        return format_refusal(audio_format, serving)
    return Refusal(ErrorCode.UNSUPPORTED_FEATURE, Reason.MODEL_NOT_AVAILABLE, NOT_FETCHED)


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
