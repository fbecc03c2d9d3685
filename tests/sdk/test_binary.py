"""Binary frames: their bytes, what comes back, and what is wrong with those that are damaged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.frames import (
    BinaryAudio,
    BinaryFinal,
    BinaryFrame,
    BinaryPing,
    BinaryPong,
    FrameError,
    decode_binary,
    encode_binary,
)

NAME = "s-0000002A"
U32 = st.integers(0, 2**32 - 1)
NAMES = st.text(max_size=63)
FRAMES: st.SearchStrategy[BinaryFrame] = st.one_of(
    st.builds(BinaryAudio, NAMES, U32, U32, st.booleans(), st.binary(max_size=99)),
    *(st.builds(kind, NAMES, U32, U32) for kind in (BinaryFinal, BinaryPing, BinaryPong)),
)


def test_sound_is_laid_out_as_announced() -> None:
    frame = BinaryAudio(NAME, 0x04030201, 0x08070605, True, b"\2\0ab")
    expected = b"\x01\x0a\x01\x02\x03\x04\x05\x06\x07\x08\x01\x00" + NAME.encode() + b"\2\0ab"
    assert encode_binary(frame) == expected


@pytest.mark.parametrize(
    ("frame", "kind"), [(BinaryFinal, 0x02), (BinaryPing, 0x10), (BinaryPong, 0x11)]
)
def test_the_others_end_with_the_session(frame: type[BinaryFinal], kind: int) -> None:
    expected = bytes([kind, 10, 7, 0, 0, 0, 9, 0, 0, 0]) + NAME.encode()
    assert encode_binary(frame(NAME, 7, 9)) == expected


@given(FRAMES)
def test_what_is_encoded_comes_back(frame: BinaryFrame) -> None:
    assert decode_binary(encode_binary(frame)) == frame


def test_numbers_keep_their_low_bits() -> None:
    frame = decode_binary(encode_binary(BinaryFinal(NAME, 2**32 + 5, 2**40 + 6)))
    assert (frame.seq, frame.timestamp_ms) == (5, 6)


def test_a_session_id_has_its_bounds() -> None:
    assert decode_binary(encode_binary(BinaryPing("é" * 127, 1))) == BinaryPing("é" * 127, 1)
    with pytest.raises(ValueError, match="255"):
        encode_binary(BinaryPing("é" * 128, 1))


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b"", ""),
        (b"\x01\x00\x00\x00\x00\x00\x00\x00\x00", ""),
        (b"\x03" + bytes(9), "kind"),
        (b"\x02\x05" + bytes(8) + b"s-1", "session_id"),
        (b"\x02\x03" + bytes(8) + b"s-1x", "session_id"),
        (b"\x10\x02" + bytes(8) + b"\xff\xfe", "session_id"),
        (b"\x01\x00" + bytes(8), "session_id"),
        (b"\x01\x03" + bytes(8) + b"\x00\x00s-", "session_id"),
        (b"\x01\x03" + bytes(8) + b"\x02\x00s-1", "is_final"),
    ],
)
def test_a_damaged_one_says_which_part_is_wrong(data: bytes, field: str) -> None:
    with pytest.raises(FrameError) as refused:
        decode_binary(data)
    assert refused.value.code == "INVALID_MESSAGE"
    assert refused.value.field == field
    assert refused.value.message.startswith("binary frame: ")


@given(st.binary(max_size=40))
def test_any_bytes_are_a_frame_or_a_frame_error(data: bytes) -> None:
    try:
        frame = decode_binary(data)
    except FrameError:
        return
    # The reserved byte of sound says nothing.
    assert encode_binary(frame) == (data[:11] + b"\0" + data[12:] if data[0] == 1 else data)
