"""Reads the Lua files and their headers; :mod:`lua.composer` makes whole scripts of them.

A file starts with what it moves and guarantees, then lines that are parsed here::

    -- KEYS cell
    -- ARGV token, limit:int
    -- SPEC session, need, index:int      fields of the last argument, a MessagePack array: `spec`
    -- FIELDS capacity:int, pools:list    the same for a struct inside it, as a list of names
    -- CONST reservation_ttl_ms           names of :class:`lua.limits.Limits`
    -- EACH looked = {}                   what is made anew at each call, in this order
    -- FLAGS allow-oom
    -- RETURNS RESERVED job node | WAITING job
    -- @include slot

Names of KEYS, ARGV, SPEC and EACH become locals, and those of CONST numbers, so a header cannot
differ from the code. All else at the top of a file is made once, when Redis loads the script.

A function may use 60 names from around it, and a script have 200 at its top. What is seldom
needed is therefore included inside the block that needs it::

    if not node then
      -- @include breakdown, settle
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
_HEADER = re.compile(
    r"^ *-- (KEYS|ARGV|SPEC|FIELDS|CONST|EACH|FLAGS|RETURNS|@include) (.+)$", re.MULTILINE
)
INSIDE = re.compile(r"^ +-- @include (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Field:
    """One argument: its name and type (``str``, ``int``, ``bool`` or ``list``)."""

    name: str
    type: str


@dataclass(frozen=True)
class Source:
    """A Lua file as it stands, with its parsed header."""

    name: str
    text: str
    keys: tuple[str, ...]
    argv: tuple[Field, ...]
    spec: tuple[Field, ...]
    fields: tuple[Field, ...]
    consts: tuple[str, ...]
    each: tuple[str, ...]
    flags: tuple[str, ...]
    returns: dict[str, tuple[str, ...]]
    includes: tuple[str, ...]
    inside: tuple[str, ...]  # those of `includes` that stand inside a block


def _fields(text: str) -> tuple[Field, ...]:
    parts = (part.strip().partition(":") for part in text.split(",") if part.strip())
    return tuple(Field(name, type_ or "str") for name, _, type_ in parts)


def names(text: str) -> tuple[str, ...]:
    """The parts of a list with commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _returns(text: str) -> dict[str, tuple[str, ...]]:
    choices = (choice.split() for choice in text.split("|") if choice.strip())
    return {word: tuple(fields) for word, *fields in choices}


@cache
def read(name: str) -> Source:
    """Parse ``NAME.lua``. A header line may be repeated; its parts add up."""
    path = HERE / f"{name}.lua"
    text = path.read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for kind, value in _HEADER.findall(text):
        found.setdefault(kind, []).append(value.strip())

    def joined(kind: str, by: str = ", ") -> str:
        return by.join(found.get(kind, []))

    return Source(
        name=path.stem,
        text=text,
        keys=names(joined("KEYS")),
        argv=_fields(joined("ARGV")),
        spec=_fields(joined("SPEC")),
        fields=_fields(joined("FIELDS")),
        consts=names(joined("CONST")),
        each=tuple(found.get("EACH", ())),
        flags=names(joined("FLAGS")),
        returns=_returns(joined("RETURNS", " | ")),
        includes=names(joined("@include")),
        inside=tuple(name for line in INSIDE.findall(text) for name in names(line)),
    )


def scripts() -> list[Source]:
    """Every script there is."""
    return [read(path.stem) for path in sorted(HERE.glob("*.lua"))]


def includes_of(source: Source) -> list[Source]:
    """All files a script needs, each once, those needed by others first."""
    order: list[Source] = []

    def visit(current: Source) -> None:
        for name in current.includes:
            needed = read(f"include/{name}")
            if needed not in order:
                visit(needed)
                if needed not in order:
                    order.append(needed)

    visit(source)
    return order
