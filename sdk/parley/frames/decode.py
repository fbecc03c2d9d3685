"""From a text frame to a typed one, or to a `FrameError` that says what is wrong with it.

A correct frame costs one msgspec decode; only a wrong one is looked at closely.
"""

from __future__ import annotations

import re
from typing import Any, Final, Generic, TypeVar, cast, get_args

import msgspec

from parley.codes import ErrorCode
from parley.frames.common import Error, first_byte, frame_type, present
from parley.frames.expected import expected_at
from parley.frames.from_node import NodeFrame
from parley.frames.from_session import SessionFrame, Utterance
from parley.frames.to_node import ToNode
from parley.frames.to_session import ToSession

T = TypeVar("T")

_UNREADABLE = (msgspec.DecodeError, UnicodeEncodeError, RecursionError)
"""Lone surrogates and very deep nesting are not `DecodeError`s."""


class FrameError(Exception):
    """A frame that can't be understood.

    `field` is the JSON path of the wrong part (`resource_usage.running_jobs`, `nmt_pairs[1]`),
    empty when the frame as a whole is wrong; `expected` is what should be there; `type` is the
    frame's type where it has one.
    """

    def __init__(
        self, message: str, *, field: str = "", expected: str = "", type: str | None = None
    ) -> None:
        super().__init__(message)
        self.code = ErrorCode.INVALID_MESSAGE
        self.message = message
        self.field = field
        self.expected = expected
        self.type = type

    def frame(self) -> Error:
        """The `error` frame that answers it."""
        told = {"field": self.field, "expected": self.expected, "type": self.type}
        details = {name: value for name, value in told.items() if value}
        return Error(code=self.code, message=self.message, details=details or None)


class _Direction(Generic[T]):
    """All frames of one socket in one direction."""

    def __init__(self, union: object) -> None:
        frames: tuple[type[msgspec.Struct], ...] = get_args(union)
        self.classes = {frame_type(cls): cls for cls in frames}
        self._decoder: Final = msgspec.json.Decoder(cast(Any, union))
        self._base64 = {cls: getattr(cls, "base64_fields", ()) for cls in frames}

    def decode(self, data: str | bytes) -> T:
        try:
            frame = self._decoder.decode(data)
        except _UNREADABLE as error:
            raise self._explain(data, str(error)) from None
        for field in self._base64[type(frame)]:
            _check_string(frame, field)
        if type(frame) is Utterance:
            _check_has_audio(frame)
        return cast(T, frame)

    def _explain(self, data: str | bytes, reason: str) -> FrameError:
        try:
            value = msgspec.json.decode(data)
        except _UNREADABLE:
            return FrameError("The frame is not JSON.", expected="object")
        if not isinstance(value, dict):
            return FrameError("The frame is not a JSON object.", expected="object")
        if "type" not in value:
            return FrameError("The frame has no type.", field="type", expected="string")
        if not isinstance(value["type"], str):
            return FrameError("The type is not a string.", field="type", expected="string")
        name = value["type"]
        if name not in self.classes:
            return FrameError(f"Unknown type {name[:64]!r}.", field="type", type=name[:64])
        if reason.endswith("at `$.type`"):
            return FrameError("The frame has several types.", field="type", expected="string")
        return explain(self.classes[name], name, reason)


_MISSING = re.compile(r"missing required field `(.+?)`(?: - at `\$\.?(.*)`)?$")
_WRONG = re.compile(r" - at `\$\.?(.*)`$")


def explain(cls: type[msgspec.Struct], name: str, reason: str) -> FrameError:
    """What is wrong with a `cls` that is called `name`, from the text of msgspec's error."""
    if missing := _MISSING.search(reason):
        field = ".".join(part for part in (missing[2], missing[1]) if part)
        message = f"{name}: {field} is missing."
    elif wrong := _WRONG.search(reason):
        field = wrong[1]
        message = f"{name}: expected {expected_at(cls, field)} at {field}."
    else:
        return FrameError(f"{name}: the frame can't be read.", type=name)
    return FrameError(message, field=field, expected=expected_at(cls, field), type=name)


def _check_string(frame: msgspec.Struct, field: str) -> None:
    """A base64 field is not decoded here, but it has to be a string."""
    raw: msgspec.Raw = getattr(frame, field)
    if present(raw) and first_byte(raw) != b'"':
        name = frame_type(frame)
        raise FrameError(
            f"{name}: expected string at {field}.", field=field, expected="string", type=name
        )


def _check_has_audio(frame: Utterance) -> None:
    if frame.audio_ref is None and not present(frame.audio):
        raise FrameError(
            "utterance: audio is missing.", field="audio", expected="string", type="utterance"
        )


_from_node: _Direction[NodeFrame] = _Direction(NodeFrame)
_to_node: _Direction[ToNode] = _Direction(ToNode)
_from_session: _Direction[SessionFrame] = _Direction(SessionFrame)
_to_session: _Direction[ToSession] = _Direction(ToSession)


def decode_node_frame(data: str | bytes) -> NodeFrame:
    """What a node sent. Raises `FrameError`."""
    return _from_node.decode(data)


def decode_session_frame(data: str | bytes) -> SessionFrame:
    """What a client sent. Raises `FrameError`."""
    return _from_session.decode(data)


def decode_to_node(data: str | bytes) -> ToNode:
    """What the server sent to a node. Raises `FrameError`."""
    return _to_node.decode(data)


def decode_to_session(data: str | bytes) -> ToSession:
    """What the server sent to a client. Raises `FrameError`."""
    return _to_session.decode(data)
