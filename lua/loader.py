"""Reads the Lua files, checks their headers and makes whole scripts of them.

A file starts with what it moves and guarantees, then lines that are parsed here::

    -- KEYS cell
    -- ARGV token, limit:int
    -- SPEC session, need, index:int      fields of the last argument, a MessagePack array
    -- FIELDS capacity:int, pools:list    the same for a struct inside it, as a list of names
    -- CONST reservation_ttl_ms           names of :class:`lua.limits.Limits`
    -- FLAGS allow-oom
    -- RETURNS RESERVED job node | WAITING job
    -- @include slot

Names of KEYS, ARGV, SPEC and CONST become locals, so a header cannot differ from the code.

Redis runs the whole text at every call, so each function costs a little even when nobody calls it.
What is seldom needed is therefore included inside the block that needs it::

    if not node then
      -- @include breakdown, settle
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha1
from itertools import takewhile
from pathlib import Path

from lua.limits import Limits

HERE = Path(__file__).parent
_HEADER = re.compile(
    r"^ *-- (KEYS|ARGV|SPEC|FIELDS|CONST|FLAGS|RETURNS|@include) (.+)$", re.MULTILINE
)
_INSIDE = re.compile(r"^ +-- @include (.+)$", re.MULTILINE)


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
    flags: tuple[str, ...]
    returns: dict[str, tuple[str, ...]]
    includes: tuple[str, ...]
    inside: tuple[str, ...]  # those of `includes` that stand inside a block


def _fields(text: str) -> tuple[Field, ...]:
    parts = (part.strip().partition(":") for part in text.split(",") if part.strip())
    return tuple(Field(name, type_ or "str") for name, _, type_ in parts)


def _names(text: str) -> tuple[str, ...]:
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
        keys=_names(joined("KEYS")),
        argv=_fields(joined("ARGV")),
        spec=_fields(joined("SPEC")),
        fields=_fields(joined("FIELDS")),
        consts=_names(joined("CONST")),
        flags=_names(joined("FLAGS")),
        returns=_returns(joined("RETURNS", " | ")),
        includes=_names(joined("@include")),
        inside=tuple(name for line in _INSIDE.findall(text) for name in _names(line)),
    )


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


_ARGUMENT = {"str": "ARGV[{0}]", "int": "tonumber(ARGV[{0}])", "bool": "(ARGV[{0}] == '1')"}


def _prologue(source: Source, consts: list[str], limits: Limits) -> list[str]:
    values = asdict(limits)
    lines = [f"local {name} = KEYS[{i}]" for i, name in enumerate(source.keys, 1)]
    lines += [
        f"local {field.name} = {_ARGUMENT[field.type].format(i)}"
        for i, field in enumerate(source.argv, 1)
    ]
    if source.spec:
        names = ", ".join(field.name for field in source.spec)
        last = len(source.argv) + 1
        lines.append(
            f"local {names} = unpack(cmsgpack.unpack(ARGV[{last}]), 1, {len(source.spec)})"
        )
    lines += [f"local {name} = {values[name]}" for name in consts]
    return lines


def strip(text: str) -> str:
    """A file's text without comment lines and blank lines: they would only be sent and hashed."""
    lines = (line.rstrip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.lstrip().startswith("--"))


Edit = Callable[[str], str]


def compose(
    source: Source,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    edit: Edit = strip,
) -> str:
    """The whole text that Redis is given. ``edit`` makes of each file's text what is sent.

    Always with a shebang: Redis then refuses a script without ``allow-oom`` before its first
    command when memory is short, and not somewhere in its middle.
    """
    consts = sorted({name for part in (*includes_of(source), source) for name in part.consts})
    flags = f" flags={','.join(source.flags)}" if source.flags else ""
    prologue = _prologue(source, consts, limits)
    given: list[str] = []
    bodies = [*_bodies(source, given, edit), _body(source, given, edit)]
    # Making a function costs a search for each local that it uses of the one around it, but not
    # for what lies further out: so all values come before that.
    values = list(takewhile(lambda body: "function" not in body, bodies[:-1]))
    main = ["return (function()", *bodies[len(values) :], "end)()"]
    return "\n".join([f"#!lua{flags}", *prologue, *values, *main, ""])


def _bodies(source: Source, given: list[str], edit: Edit) -> list[str]:
    """What a file includes at its top, without what is ``given``; that grows by it."""
    return _all_of([name for name in source.includes if name not in source.inside], given, edit)


def _all_of(names: Sequence[str], given: list[str], edit: Edit) -> list[str]:
    found = []
    for name in names:
        if name not in given:
            needed = read(f"include/{name}")
            found += _bodies(needed, given, edit)
            given.append(name)
            found.append(_body(needed, given, edit))
    return found


def _body(part: Source, given: list[str], edit: Edit) -> str:
    """Its code, with what it includes inside of blocks."""
    names = ", ".join(f"'{field.name}'" for field in part.fields)
    text = _INSIDE.sub(lambda line: "\n".join(_all_of(_names(line[1]), [*given], edit)), part.text)
    return (f"local FIELDS = {{ {names} }}\n" if names else "") + edit(text)


def digest(text: str) -> str:
    """What EVALSHA names a script by."""
    return sha1(text.encode(), usedforsecurity=False).hexdigest()
