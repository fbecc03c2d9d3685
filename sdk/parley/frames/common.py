"""What all frames share: the base class, encoding, splicing, and base64 that is not decoded."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Final, TypeAlias, cast

import msgspec

SAFE_INTEGER: Final = 2**53 - 1
"""Largest integer that every JSON reader keeps exactly (RFC 8259, section 6)."""

Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=SAFE_INTEGER)]
"""An integer from 0: an index, a number of things, or integer milliseconds."""

Priority: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=5)]
"""How urgent a job is: 1 most, 3 as usual, 5 least."""

Id: TypeAlias = Annotated[str, msgspec.Meta(max_length=256)]
"""An identifier: at most 256 characters, because ids become part of keys and log lines."""

Number: TypeAlias = int | float
"""Any JSON number, kept as it was written."""

Base64: TypeAlias = msgspec.Raw
"""A JSON string of base64 exactly as it came, quotes included: it is passed on, not decoded."""

Switches: TypeAlias = dict[str, Any]
"""Features, or steps of a pipeline, that a client asks for (true) or forbids (false). What it
leaves out, or gives as null, has its default; a name that the server does not know is refused."""

ABSENT: Final = msgspec.Raw()
"""Default of an optional `Raw` field; left out when the frame is encoded."""


class Part(msgspec.Struct, omit_defaults=True, gc=False):
    """An object inside a frame. Fields with a default are left out when they have it."""


class Frame(Part, tag_field="type"):
    """One message of a socket: a JSON object whose `type` says which one."""


class Error(Frame, tag="error"):
    """`error`, server to either peer. `trace_id` comes with the failure of a job."""

    code: str
    message: str
    details: dict[str, Any] | None = None
    trace_id: str | None = None


def frame_type(frame: msgspec.Struct | type[msgspec.Struct]) -> str:
    """The `type` that a frame has on the wire."""
    return cast(str, frame.__struct_config__.tag)


def present(raw: msgspec.Raw) -> bool:
    """Whether an optional `Raw` field was given and is not `null`."""
    return raw is not ABSENT and first_byte(raw) not in (b"", b"n")


def first_byte(raw: msgspec.Raw) -> bytes:
    """What kind of JSON value it is, without copying it: `"`, `{`, `n` for `null`, …"""
    return bytes(memoryview(raw)[:1])


def to_base64(data: bytes) -> Base64:
    """The bytes as a base64 field of a frame."""
    return msgspec.Raw(b'"' + base64.b64encode(data) + b'"')


def from_base64(raw: Base64) -> bytes:
    """The decoded bytes of a base64 field, empty when it is absent.

    Raises `msgspec.ValidationError` if it is not standard base64.
    """
    return msgspec.json.decode(raw, type=bytes) if present(raw) else b""


_encoder = msgspec.json.Encoder()
encode = _encoder.encode
"""`encode(frame) -> bytes`: the frame as UTF-8 JSON, with its `type` first."""


def splice(head: msgspec.Struct, body: bytes) -> bytes:
    """One JSON object of the fields of `head`, then those of `body`.

    `body` is a JSON object without white space around it. It is copied, never parsed, so that audio
    is not encoded again; it must not repeat a field of `head`.
    """
    start = _encoder.encode(head)
    if body == b"{}":
        return start
    if start == b"{}":
        return body
    return b",".join((memoryview(start)[:-1], memoryview(body)[1:]))
