"""What a field may hold, and what it may not, as JSON values to send."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
Values = tuple[Any, ...]

LARGEST = 2**53 - 1
LONGEST_ID = 256
STEPS = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


@dataclass(frozen=True)
class Kind:
    """`good` values are taken, `bad` ones are of a wrong type, `large` ones are out of bounds."""

    good: Values
    bad: Values
    large: Values = ()


TEXT = Kind(("", "x", "声 \u0000 \U0001f600", "x" * 10_000), (5, 1.5, True, [], {}, ["x"]))
ID = Kind(("x", "x" * LONGEST_ID, "声音 id"), TEXT.bad, ("x" * (LONGEST_ID + 1),))
COUNT = Kind((0, 7, LARGEST), ("1", 1.5, True, [], {}), (-1, LARGEST + 1, 10**30))
NUMBER = Kind((0, 1.5, LARGEST), ("1", True, [], {}))
FLAG = Kind((True, False), (0, 1, "true", [], {}))
OBJECT = Kind(({},), (5, "x", True, [], [{}]))
LIST = Kind(([],), (5, "x", True, {}))
TEXTS = Kind(([], ["x"], ["x", "y"]), (*LIST.bad, [5], [None], ["x", {}]))
SOUND = Kind(("", "AAAA"), (5, True, [], {}))
ANYTHING = Kind((5, "x", True, [], {}, [{"deep": [None]}], 1e300), ())


def only(*words: str) -> Kind:
    """Text of which only some words mean anything; other words are not sent."""
    return Kind(words, TEXT.bad)


@dataclass(frozen=True)
class Field:
    """A row of a table. `path` is that which `details.field` names."""

    path: str
    kind: Kind
    needed: bool = False


@dataclass(frozen=True)
class Message:
    """A table: `full` has every field, `fields` says what each may hold."""

    full: Json
    fields: tuple[Field, ...]

    @property
    def type(self) -> str:
        return str(self.full["type"])

    def field(self, path: str) -> Field:
        return next(field for field in self.fields if field.path == path)

    def minimal(self, **changes: Any) -> Json:
        """Only what must be there."""
        frame = copy.deepcopy(self.full)
        for field in reversed(self.fields):
            if not field.needed:
                remove(frame, field.path)
        return {**frame, **changes}

    def having(self, path: str, value: Any, **changes: Any) -> Json:
        """The full frame with another value at `path`."""
        frame = copy.deepcopy({**self.full, **changes})
        put(frame, path, value)
        return frame

    def lacking(self, path: str, **changes: Any) -> Json:
        """The full frame without what is at `path`."""
        frame = copy.deepcopy({**self.full, **changes})
        remove(frame, path)
        return frame


def table(full: Json, *rows: tuple[str, Kind, bool]) -> Message:
    """`rows` are path, kind, and whether it is needed."""
    return Message(full, tuple(Field(*row) for row in rows))


def steps(path: str) -> list[int | str]:
    """`gpus[0].name` → `["gpus", 0, "name"]`"""
    return [int(number) if number else name for number, name in STEPS.findall(path)]


def put(frame: Any, path: str, value: Any) -> None:
    *way, last = steps(path)
    for step in way:
        frame = frame[step]
    frame[last] = value


def remove(frame: Any, path: str) -> None:
    """What is not there any more need not be removed."""
    *way, last = steps(path)
    for step in way:
        if isinstance(frame, dict) and step not in frame:
            return
        frame = frame[step]
    if isinstance(frame, dict):
        frame.pop(last, None)
