"""What the Lua files say of themselves: their words, helpers, keys and messages."""

import re
from collections.abc import Iterator
from functools import cache

from lua import loader
from lua.composer import strip

TOKEN = re.compile(
    r"""(?P<comment>--[^\n]*)
      | (?P<string>'[^'\n]*'|"[^"\n]*")
      | (?P<name>[A-Za-z_]\w*)
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<sign>\.\.\.|\.\.|[=~<>]=|[^\sA-Za-z0-9_])""",
    re.VERBOSE,
)
LANGUAGE = """and break do else elseif end false for function if in local nil not or repeat return
    then true until while"""
WORDS = frozenset(LANGUAGE.split())
LIBRARY = """ARGV KEYS cjson cmsgpack error ipairs math os pairs pcall redis string struct
    table tonumber tostring type unpack"""
GIVEN = frozenset(LIBRARY.split())
_DECLARED = re.compile(
    r"\blocal function (?P<helper>\w+)"
    r"|\blocal (?!function\b)(?P<names>\w+(?: *, *\w+)*)"
    r"|\bfor (?P<loop>\w+(?: *, *\w+)*) *(?:=|in\b)"
)
_PARAMETERS = re.compile(r"\bfunction(?: \w+)?\((?P<names>[^)]*)\)")


@cache
def scripts() -> tuple[loader.Source, ...]:
    """Every script, by its file."""
    return tuple(loader.scripts())


@cache
def includes() -> tuple[loader.Source, ...]:
    """Every include, by its file."""
    files = sorted((loader.HERE / "include").glob("*.lua"))
    return tuple(loader.read(f"include/{path.stem}") for path in files)


def body(*sources: loader.Source) -> str:
    """Their text without comments."""
    return "\n".join(strip(source.text) for source in sources)


def whole(source: loader.Source) -> str:
    """The body of a script below those of its includes."""
    return body(*loader.includes_of(source), source)


def tokens(text: str) -> Iterator[tuple[str, str]]:
    """Kind (``string name number sign``) and text of each token."""
    for match in TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind != "comment":
            yield kind, match.group()


def strings(text: str) -> set[str]:
    """What stands in quotes."""
    return {token[1:-1] for kind, token in tokens(text) if kind == "string"}


def names(text: str) -> set[str]:
    """All names used as variables or functions: neither fields of something nor keys of a table."""
    found, before = set(), ""
    listed = list(tokens(text))
    for position, (kind, token) in enumerate(listed):
        after = listed[position + 1][1] if position + 1 < len(listed) else ""
        key = after == "=" and before in ("{", ",") and _in_braces(listed, position)
        if kind == "name" and token not in WORDS and before not in (".", ":") and not key:
            found.add(token)
        before = token
    return found


def _in_braces(listed: list[tuple[str, str]], position: int) -> bool:
    """Whether the innermost bracket around a token is a curly one."""
    depth = 0
    for _, token in reversed(listed[:position]):
        if token in ")}]":
            depth += 1
        elif token in "({[":
            if depth == 0:
                return token == "{"
            depth -= 1
    return False


def helpers(text: str) -> list[str]:
    """Names of the functions declared at the top of a file, in their order."""
    return re.findall(r"^local function (\w+)", text, re.MULTILINE)


def declared(text: str) -> set[str]:
    """All locals, loop variables and parameters that a text declares anywhere."""
    found: set[str] = set()
    for match in _DECLARED.finditer(text):
        found.update(re.findall(r"\w+", match["helper"] or match["names"] or match["loop"]))
    for match in _PARAMETERS.finditer(text):
        found.update(re.findall(r"\w+", match["names"]))
    return found


def keys(text: str) -> set[str]:
    """Key patterns that a text builds on ``cell``, with ``*`` for each part that varies."""
    found = set()
    for match in re.finditer(r"\bcell( *\.\. *(?:'[^']*'|[\w.\[\]]+))+", text):
        parts = re.split(r" *\.\. *", match.group())[1:]
        found.add("".join(part[1:-1] if part[0] == "'" else "*" for part in parts))
    return found


def calls(text: str, function: str) -> Iterator[list[str]]:
    """Arguments of every call of a function, each as it is written."""
    for match in re.finditer(rf"(?<!function )\b{function}\(", text):
        arguments, depth, current = [], 0, ""
        for _, token in tokens(text[match.end() :]):
            if token in (")", "}", "]"):
                depth -= 1
            if depth < 0:
                break
            if token in ("(", "{", "["):
                depth += 1
            if token == "," and depth == 0:
                arguments.append(current.strip())
                current = ""
            else:
                current += token if token in "()[]{}" else f" {token}"
        yield [*arguments, current.strip()]
