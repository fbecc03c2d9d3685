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
"""

import re
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha1
from pathlib import Path

from lua.limits import Limits

HERE = Path(__file__).parent
_HEADER = re.compile(
    r"^-- (KEYS|ARGV|SPEC|FIELDS|CONST|FLAGS|RETURNS|@include) (.+)$", re.MULTILINE
)


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


def _fields(text: str) -> tuple[Field, ...]:
    parts = (part.strip().partition(":") for part in text.split(",") if part.strip())
    return tuple(Field(name, type_ or "str") for name, _, type_ in parts)


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
        keys=tuple(field.name for field in _fields(joined("KEYS"))),
        argv=_fields(joined("ARGV")),
        spec=_fields(joined("SPEC")),
        fields=_fields(joined("FIELDS")),
        consts=tuple(field.name for field in _fields(joined("CONST"))),
        flags=tuple(field.name for field in _fields(joined("FLAGS"))),
        returns=_returns(joined("RETURNS", " | ")),
        includes=tuple(found.get("@include", [])),
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


def compose(source: Source, limits: Limits = Limits()) -> str:  # noqa: B008 - frozen
    """The whole text that Redis is given.

    Always with a shebang: Redis then refuses a script without ``allow-oom`` before its first
    command when memory is short, and not somewhere in its middle.
    """
    parts = includes_of(source)
    consts = sorted({name for part in (*parts, source) for name in part.consts})
    flags = f" flags={','.join(source.flags)}" if source.flags else ""
    prologue = _prologue(source, consts, limits)
    bodies = [_body(part) for part in (*parts, source)]
    return "\n".join([f"#!lua{flags}", *prologue, *bodies, ""])


def _body(part: Source) -> str:
    names = ", ".join(f"'{field.name}'" for field in part.fields)
    return (f"local FIELDS = {{ {names} }}\n" if names else "") + _strip(part.text)


def _strip(text: str) -> str:
    """Without comment lines and blank lines: they would only be sent and hashed."""
    lines = (line.rstrip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.lstrip().startswith("--"))


def digest(text: str) -> str:
    """What EVALSHA names a script by."""
    return sha1(text.encode(), usedforsecurity=False).hexdigest()
