"""Makes of a Lua file, and of all that it includes, the whole script that Redis is given.

Redis keeps it as a library with one function: what stands at the top of its files is made once, and
a call costs what it does. As ``EVAL`` it would make all its functions at every call: that took 7 of
the 57 µs of a dispatch. The name of a library tells its text, so that processes with another
version of it, or with other limits, use one server side by side.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha1

from lua import loader
from lua.limits import Limits
from lua.loader import INSIDE, Source, includes_of, names

LIBRARIES = "parley_"
_ARGUMENT = {"str": "ARGV[{0}]", "int": "tonumber(ARGV[{0}])", "bool": "(ARGV[{0}] == '1')"}
_WORD = re.compile(r"'[^'\n]*'|\[\[.*?\]\]|[.:]?\b[a-z]\w*\b")

Edit = Callable[[str], str]


@dataclass(frozen=True)
class Composed:
    """A whole script in both forms that Redis takes.

    Each has a shebang: Redis then refuses one without ``allow-oom`` before its first command when
    memory is short, and not somewhere in its middle.
    """

    script: str
    flags: tuple[str, ...]
    body: str

    @cached_property
    def name(self) -> str:
        """Of the library and its function, for ``FCALL``."""
        return f"{LIBRARIES}{self.script}_{_sha1(self.body)[:16]}"

    @cached_property
    def library(self) -> str:
        """What ``FUNCTION LOAD`` is given."""
        flags = ", ".join(f"'{flag}'" for flag in self.flags)
        register = (
            f"redis.register_function{{ function_name = '{self.name}', flags = {{ {flags} }},\n"
            "callback = function(KEYS, ARGV) prepare(KEYS, ARGV) return main() end }"
        )
        return "\n".join([f"#!lua name={self.name}", self.body, register, ""])

    @cached_property
    def text(self) -> str:
        """What ``SCRIPT LOAD`` and ``EVAL`` are given, where functions cannot be had."""
        flags = f" flags={','.join(self.flags)}" if self.flags else ""
        return "\n".join([f"#!lua{flags}", self.body, "prepare(KEYS, ARGV)", "return main()", ""])

    @cached_property
    def sha(self) -> str:
        """What ``EVALSHA`` names it by."""
        return _sha1(self.text)


def _sha1(text: str) -> str:
    return sha1(text.encode(), usedforsecurity=False).hexdigest()


def strip(text: str) -> str:
    """A file's text without comment lines and blank lines: they would only be sent and hashed."""
    lines = (line.rstrip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.lstrip().startswith("--"))


def compose(
    source: Source,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    edit: Edit = strip,
) -> Composed:
    """The whole script. ``edit`` makes of each file's text what is sent."""
    parts = [*includes_of(source), source]
    arguments, each = _arguments(source), [line for part in parts for line in part.each]
    known = dict.fromkeys(name for line in (*arguments, *each) for name in _left_of(line))
    given: list[str] = []
    body = "\n".join(
        [
            f"local {', '.join(known)}",
            *_bodies(source, given, edit),
            *_function("prepare(KEYS, ARGV)", [*arguments, *map(edit, each)]),
            *_function("main()", [_body(source, given, edit)]),
        ]
    )
    consts = {name for part in parts for name in part.consts}
    return Composed(source.name, source.flags, _with_numbers(body, consts, limits))


def _arguments(source: Source) -> list[str]:
    """What a call hands over, by its names."""
    lines = [f"{name} = KEYS[{i}]" for i, name in enumerate(source.keys, 1)]
    lines += [
        f"{field.name} = {_ARGUMENT[field.type].format(i)}"
        for i, field in enumerate(source.argv, 1)
    ]
    if source.spec:
        fields = ", ".join(field.name for field in source.spec)
        last, count = len(source.argv) + 1, len(source.spec)
        lines.append(f"spec = ARGV[{last}]")
        lines.append(f"{fields} = unpack(cmsgpack.unpack(spec), 1, {count})")
    return lines


def _left_of(line: str) -> tuple[str, ...]:
    """The names that a line assigns."""
    left, equals, _ = line.partition(" = ")
    return names(left) if equals else ()


def _function(head: str, lines: Sequence[str]) -> list[str]:
    return [f"local function {head}", *lines, "end"]


def _with_numbers(body: str, consts: set[str], limits: Limits) -> str:
    """Numbers for the names of limits, but not in strings or behind a dot."""
    numbers = {name: str(value) for name, value in asdict(limits).items() if name in consts}
    return _WORD.sub(lambda word: numbers.get(word[0], word[0]), body)


def _bodies(source: Source, given: list[str], edit: Edit) -> list[str]:
    """What a file includes at its top, without what is ``given``; that grows by it."""
    return _all_of([name for name in source.includes if name not in source.inside], given, edit)


def _all_of(wanted: Sequence[str], given: list[str], edit: Edit) -> list[str]:
    found = []
    for name in wanted:
        if name not in given:
            needed = loader.read(f"include/{name}")
            found += _bodies(needed, given, edit)
            given.append(name)
            found.append(_body(needed, given, edit))
    return found


def _body(part: Source, given: list[str], edit: Edit) -> str:
    """Its code, with what it includes inside of blocks."""
    fields = ", ".join(f"'{field.name}'" for field in part.fields)
    text = INSIDE.sub(lambda line: "\n".join(_all_of(names(line[1]), [*given], edit)), part.text)
    return (f"local FIELDS = {{ {fields} }}\n" if fields else "") + edit(text)
