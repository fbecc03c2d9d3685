"""One callable script: its whole text, and its replies as typed dataclasses."""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cached_property
from typing import Any, Self, get_type_hints

import msgspec

from lua import loader
from lua.composer import Composed, compose
from lua.errors import ScriptFailed
from lua.limits import Limits

Arg = bytes | str | int


class Spec(msgspec.Struct, array_like=True, frozen=True, kw_only=True):
    """Base of packed arguments: the fields travel as one MessagePack array, in their order."""

    def packed(self) -> bytes:
        """What the script unpacks into locals of the same names."""
        return _encode(self)

    @classmethod
    def read(cls, packed: bytes) -> Self:
        """What was packed. Raises ValueError if it is damaged."""
        try:
            return msgspec.msgpack.decode(packed, type=cls)
        except msgspec.MsgspecError as error:
            raise ValueError(f"no {cls.__name__}: {error}") from error


_encode = msgspec.msgpack.Encoder().encode
_decode_json = msgspec.json.Decoder(dict[str, int]).decode
_READ: dict[Any, Callable[[bytes], Any]] = {
    str: bytes.decode,
    int: int,
    bool: lambda raw: raw == b"1",
    bytes: bytes,
    list[str]: lambda raw: raw.decode().split(),
    dict[str, int]: _decode_json,
}


def word_of(reply: type) -> str:
    """Status word of a reply class: ``NotFound`` → ``NOT_FOUND``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", reply.__name__).upper()


def _read_as(hint: Any) -> Callable[[bytes], Any]:
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return lambda raw: hint(raw.decode())
    return _READ[hint]


def _reader(reply: type) -> Callable[[list[Any]], Any]:
    hints = get_type_hints(reply)
    readers = [_read_as(hints[field.name]) for field in fields(reply)]

    def read(values: list[Any]) -> Any:
        return reply(*[read(value) for read, value in zip(readers, values, strict=True)])

    return read


@dataclass(frozen=True)
class Script:
    """A script of ``lua/NAME.lua``, the struct it takes and the replies it may give."""

    name: str
    replies: tuple[type, ...]
    spec: type[Spec] | None = None

    @cached_property
    def source(self) -> loader.Source:
        """The file with its header."""
        return loader.read(self.name)

    @cached_property
    def _readers(self) -> dict[bytes, Callable[[list[Any]], Any]]:
        return {word_of(reply).encode(): _reader(reply) for reply in self.replies}

    def composed(self, limits: Limits) -> Composed:
        """The whole of it for these limits."""
        return compose(self.source, limits)

    def decode(self, reply: list[Any]) -> Any:
        """The reply as its dataclass; ScriptFailed for a word that was not declared."""
        readers = self._readers
        try:
            return readers[reply[0]](reply[1:])
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise ScriptFailed(f"{self.name}: unexpected reply {reply!r}") from error
