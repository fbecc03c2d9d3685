"""What keeps the nodes that a process knows of from a job, in words and in numbers."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from lua.states import Reason
from parley.codes import ErrorCode
from pools.definition import Definition
from pools.modules import AUDIO_REF, BASE_FORMATS
from pools.routes import Refusal

Offers = Mapping[frozenset[str], int]
"""How many members of a pool offer just these ``has:`` values, all of them together."""

_REASONS = {
    "asr": Reason.ASR_LANG_UNSUPPORTED,
    "semantic": Reason.LANG_PAIR_UNSUPPORTED,
    "tts": Reason.TTS_LANG_UNSUPPORTED,
}
_VERBS = {
    "asr": "understand speech in {!r}",
    "semantic": "translate {!r}",
    "tts": "speak {!r}",
    "type": "do the step {!r}",
    "format": "take audio of the format {!r}",
    "audio": "fetch sound in this format by audio_ref",
}
_SOUND = ("audio", "format")


def counted(offers: Iterable[Offers], asked: Sequence[str], *, otherwise: Reason) -> dict[str, int]:
    """The nodes by the first of the values that they don't offer; ``otherwise``: those that offer
    all of them. As the scripts count those that they look at.
    """
    counts: dict[str, int] = {}
    for some in offers:
        for values, members in some.items():
            lacking = next((value for value in asked if value not in values), None)
            reason = _reason(lacking) if lacking else otherwise
            counts[reason] = counts.get(reason, 0) + members
    return counts or {Reason.NO_NODES: 0}


def refusal_by_pools(
    has: Sequence[str], offers: Collection[Offers], serving: Iterable[Definition]
) -> Refusal:
    """Of pools that serve the languages, whose members offer not all of ``has``. ``serving``: those
    of them that are automatic.
    """
    offered = frozenset[str]().union(*(values for some in offers for values in some))
    # What each of them offers, though none offers all of it, is named as a whole.
    absent = [value for value in has if value not in offered][:1] or list(has)
    taken = {name for pool in serving for name in BASE_FORMATS.difference(pool.lacks)}
    return _refusal("No node for these languages can", absent, taken)


def refusal_by_one(node: str, has: Sequence[str], offered: Collection[str]) -> Refusal | None:
    """Of the only node that may be asked; None: it offers all of it."""
    absent = [value for value in has if value not in offered][:1]
    taken = {name for name in BASE_FORMATS if f"format:{name}" in offered}
    if not absent:
        return None
    why = _refusal(f"The node {node} can't", absent, taken)
    return replace(why, breakdown={why.reason: 1})


def _refusal(who_cannot: str, absent: Sequence[str], taken: Collection[str]) -> Refusal:
    what = " and ".join(_VERBS[_kind(value)].format(value.partition(":")[2]) for value in absent)
    message = f"{who_cannot} {what}"
    if AUDIO_REF in absent:
        message += ": send the sound itself, in audio"
    elif taken and any(_kind(value) == "format" for value in absent):
        verb = "is" if len(taken) == 1 else "are"
        message += f"; {' and '.join(sorted(taken))}, 16 kHz mono, {verb} possible"
    is_sound = any(_kind(value) in _SOUND for value in absent)
    code = ErrorCode.UNSUPPORTED_FEATURE if is_sound else ErrorCode.NO_CAPABLE_NODE
    return Refusal(code, _reason(absent[0]), f"{message}.")


def _reason(value: str) -> Reason:
    return _REASONS.get(_kind(value), Reason.MODEL_NOT_AVAILABLE)


def _kind(value: str) -> str:
    return value.partition(":")[0]
