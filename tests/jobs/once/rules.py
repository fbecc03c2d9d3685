"""What must be true of all that a client has heard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from tests.harness.frames import Json
from tests.jobs.once.client import Client, brief
from tests.jobs.once.steps import End, Flaw

GAP = "gap_timeout"
AT_ONCE = (Flaw.FORMAT, Flaw.SOUND)  # refused without a question to Redis


def broken_rules(client: Client, *, repeats: bool, cuts: bool) -> Iterator[str]:
    """Of an ended story, each in words. ``repeats``: what it has may be told it again when it comes
    back. ``cuts``: connections to Redis were cut meanwhile.
    """
    yield from _in_order(client)
    yield from _once(client, repeats=repeats)
    yield from _late(client, repeats=repeats)
    yield from _texts(client)
    codes = _codes(client, cuts=cuts)
    for frame in client.in_turn:
        yield from _reason(frame, client, codes)


def _in_order(client: Client) -> Iterator[str]:
    for number, frames in enumerate(client.outcomes):
        indexes = [frame["utterance_index"] for frame in frames if not frame.get("late")]
        if any(after <= before for before, after in pairwise(indexes)):
            yield f"connection {number} heard {indexes}"


def _once(client: Client, *, repeats: bool) -> Iterator[str]:
    answers: dict[int, list[Json]] = {}
    for frame in client.in_turn:
        answers.setdefault(frame["utterance_index"], []).append(frame)
    for index in range(max(client.said) + 1):
        if index not in answers:
            yield f"{index} has no answer"
    for index, (first, *more) in answers.items():
        if more and not repeats:
            yield f"{index} has {1 + len(more)} answers"
        if any(_gist(again) != _gist(first) for again in more if first.get("reason") != GAP):
            yield f"{index} was answered differently: {[_gist(one) for one in (first, *more)]}"


def _gist(frame: Json) -> tuple[str, ...]:
    return tuple(frame.get(name, "") for name in ("type", "text_translated", "reason"))


def _late(client: Client, *, repeats: bool) -> Iterator[str]:
    gaps = {f["utterance_index"] for f in client.in_turn if f.get("reason") == GAP}
    late = [f for frames in client.outcomes for f in frames if f.get("late")]
    for index, count in Counter(frame["utterance_index"] for frame in late).items():
        if index not in gaps or (count > 1 and not repeats):
            yield f"{index} has {count} late results"
    for frame in late:
        if frame["type"] != "translation_result":
            yield f"late: {brief(frame)}"


def _texts(client: Client) -> Iterator[str]:
    """Each result is that of its utterance."""
    texts: dict[int, set[str]] = {}
    for frame in (f for frames in client.outcomes for f in frames):
        if frame["type"] == "translation_result":
            texts.setdefault(frame["utterance_index"], set()).add(frame["text_translated"])
    for index, found in texts.items():
        said = client.said.get(index)
        if len(found) > 1 or (said and found != {said.name}):
            yield f"{index} is {found}, said was {said}"
    if again := [
        text for text, n in Counter(t for f in texts.values() for t in f).items() if n > 1
    ]:
        yield f"{again} are told under two indexes"


# Codes that an utterance may fail with because of what became of a job of its session.
CODES = {
    End.RETRIED: {"INTERNAL_ERROR"},
    End.NEVER: {"JOB_TIMEOUT"},
    End.LOST_NODE: {"JOB_TIMEOUT", "NODE_UNAVAILABLE", "WS_DISCONNECTED"},
}


def _codes(client: Client, *, cuts: bool) -> set[str]:
    ends = [fate.end for fate in client.fates.values()]
    found = {"NODE_OVERLOADED"} | ({"SCHEDULER_DEPENDENCY_DOWN"} if cuts else set())
    return found.union(*(CODES.get(end, set()) for end in ends))


def _reason(frame: Json, client: Client, codes: set[str]) -> Iterator[str]:
    """Why there is no result, where the script has no reason for it."""
    said = client.said.get(frame["utterance_index"])
    flaw = said.step.flaw if said else None
    if frame["type"] == "translation_result":
        if flaw not in (None, Flaw.PLACE):
            yield f"was answered: {brief(frame)}"
        return
    if flaw is not None:
        codes = {*codes, flaw.value, "NO_AVAILABLE_NODE"}
    if said is None:
        codes = {*codes, "INVALID_MESSAGE"}
    if said is None or said.step.end is End.FAILED:
        codes = {*codes, "INVALID_SPEECH"}
    match frame["reason"]:
        case "gap_timeout" if flaw not in AT_ONCE or "SCHEDULER_DEPENDENCY_DOWN" in codes:
            pass
        case "silence_detected" if said is None or said.step.end is End.SILENT:
            pass
        case "job_failed" if frame["code"] in codes:
            pass
        case _:
            yield f"{brief(frame)} for {said}"
