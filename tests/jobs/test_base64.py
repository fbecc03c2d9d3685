"""Fast base64 agrees with the plain one, which the SDK has."""

import os

import msgspec
import pytest

from jobs.base64 import from_base64, to_base64
from parley import frames


@pytest.mark.parametrize("size", [0, 1, 2, 3, 100_003])
def test_what_is_encoded_is_decoded(size: int) -> None:
    sound = os.urandom(size)
    assert from_base64(to_base64(sound)) == sound
    assert bytes(to_base64(sound)) == bytes(frames.to_base64(sound))


@pytest.mark.parametrize(
    "raw", [b'"QUI="', b'"QUJ="', b'"a\\/\\/a"', b'"QQ\\u003d="', b"null", b""]
)
def test_it_reads_what_the_plain_one_reads(raw: bytes) -> None:
    assert from_base64(msgspec.Raw(raw)) == frames.from_base64(msgspec.Raw(raw))


@pytest.mark.parametrize(
    "raw",
    [
        b'"QUJ"',
        b'"QUJD="',
        b'"QU JD"',
        b'"QUJ!"',
        b'"-_aa"',
        b'"===="',
        b'"QQ==QQ=="',
        b"1234567890",
    ],
)
def test_it_refuses_what_the_plain_one_refuses(raw: bytes) -> None:
    for decode in (from_base64, frames.from_base64):
        with pytest.raises(msgspec.ValidationError):
            decode(msgspec.Raw(raw))
