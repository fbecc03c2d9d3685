"""Binary frames of a session: sound and its end without base64, and a ping with its answer.

Numbers are little-endian. Every frame begins with `kind` (1 byte), the length of `session_id` (1),
`seq` (4) and the low 32 bits of the sender's clock in ms (4). Sound goes on with `is_final` (1), a
reserved byte, `session_id` and the sound; all others with `session_id`.
"""

from __future__ import annotations

import struct
from typing import Final, TypeAlias

import msgspec

from parley.frames.decode import FrameError

AUDIO: Final = 0x01
FINAL: Final = 0x02
PING: Final = 0x10
PONG: Final = 0x11

_HEAD = struct.Struct("<BBII")
_SOUND = struct.Struct("<BB")
_LOW = 0xFFFFFFFF
_LONGEST_ID = 0xFF


class _Binary(msgspec.Struct, frozen=True, gc=False):
    session_id: str
    seq: int
    timestamp_ms: int = 0


class BinaryAudio(_Binary, frozen=True):
    """A piece of a stream, as `audio_chunk`; Opus is packets each after its length (u16)."""

    is_final: bool = False
    audio: bytes = b""


class BinaryFinal(_Binary, frozen=True):
    """The stream's present utterance has ended: an `audio_chunk` that is final and empty."""


class BinaryPing(_Binary, frozen=True):
    """Asks for a `BinaryPong` with the same `seq` and time."""


class BinaryPong(_Binary, frozen=True):
    """The answer to a `BinaryPing`."""


BinaryFrame: TypeAlias = BinaryAudio | BinaryFinal | BinaryPing | BinaryPong

_KINDS: Final[dict[type[BinaryFrame], int]] = {
    BinaryAudio: AUDIO,
    BinaryFinal: FINAL,
    BinaryPing: PING,
    BinaryPong: PONG,
}
_SHORT: Final[dict[int, type[BinaryFinal] | type[BinaryPing] | type[BinaryPong]]] = {
    FINAL: BinaryFinal,
    PING: BinaryPing,
    PONG: BinaryPong,
}


def encode_binary(frame: BinaryFrame) -> bytes:
    """The frame's bytes. Raises `ValueError` for a session id of more than 255 bytes."""
    name = frame.session_id.encode()
    if len(name) > _LONGEST_ID:
        raise ValueError("a session id has at most 255 bytes")
    kind, times = _KINDS[type(frame)], (frame.seq & _LOW, frame.timestamp_ms & _LOW)
    head = _HEAD.pack(kind, len(name), *times)
    if isinstance(frame, BinaryAudio):
        return b"".join((head, _SOUND.pack(frame.is_final, 0), name, frame.audio))
    return head + name


def decode_binary(data: bytes) -> BinaryFrame:
    """From the bytes of a frame. Raises `FrameError`; its `field` is a name of the list above."""
    if len(data) < _HEAD.size:
        raise _wrong(f"it has {len(data)} bytes", "", f"at least {_HEAD.size} bytes")
    kind, length, seq, timestamp_ms = _HEAD.unpack_from(data)
    if kind == AUDIO:
        return _audio(data, length, seq, timestamp_ms)
    if kind not in _SHORT:
        raise _wrong(f"unknown kind 0x{kind:02x}", "kind", "0x01, 0x02, 0x10 or 0x11")
    if len(data) != _HEAD.size + length:
        expected = f"{length} bytes at the end"
        raise _wrong("its length is not that of its parts", "session_id", expected)
    return _SHORT[kind](_name(data[_HEAD.size :]), seq, timestamp_ms)


def _audio(data: bytes, length: int, seq: int, timestamp_ms: int) -> BinaryAudio:
    start = _HEAD.size + _SOUND.size
    if len(data) < start + length:
        raise _wrong("it ends before its session id does", "session_id", f"{length} bytes")
    is_final, _ = _SOUND.unpack_from(data, _HEAD.size)
    if is_final > 1:
        raise _wrong(f"is_final is {is_final}", "is_final", "0 or 1")
    name, audio = _name(data[start : start + length]), data[start + length :]
    return BinaryAudio(name, seq, timestamp_ms, is_final == 1, audio)


def _name(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise _wrong("the session id is not UTF-8", "session_id", "UTF-8") from None


def _wrong(fault: str, field: str, expected: str) -> FrameError:
    return FrameError(
        f"binary frame: {fault}.", field=field, expected=expected, type="binary frame"
    )
