"""WAV files of every kind become 16 kHz mono pcm16 without changing what is heard."""

from __future__ import annotations

import math
import struct
import wave
from array import array
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest

from parley import audio
from parley.resample import resample

AUDIO = Path(__file__).parent.parent / "audio"


def make_wav(
    coding: int, channels: int, rate: int, bits: int, data: bytes, *, extensible: bool = False
) -> bytes:
    width = channels * bits // 8
    outer = 0xFFFE if extensible else coding
    fmt = struct.pack("<HHIIHH", outer, channels, rate, rate * width, width, bits)
    if extensible:
        guid = struct.pack("<H", coding) + bytes.fromhex("000000001000800000aa00389b71")
        fmt += struct.pack("<HHI", 22, bits, 0) + guid
    chunks = b"LIST" + struct.pack("<I", 3) + b"odd\0"
    chunks += b"fmt " + struct.pack("<I", len(fmt)) + fmt
    chunks += b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def sine(rate: int, hertz: float, seconds: float = 0.5) -> list[float]:
    return [0.5 * math.sin(2 * math.pi * hertz * n / rate) for n in range(int(rate * seconds))]


def loudness(pcm16: bytes) -> float:
    """Root mean square, from 0 to 1, without the first and last 50 ms."""
    samples = array("h", pcm16)[800:-800]
    return math.sqrt(sum(value * value for value in samples) / len(samples)) / 32767


def crossings(pcm16: bytes) -> int:
    samples = array("h", pcm16)
    return sum(1 for a, b in pairwise(samples) if a < 0 <= b)


def encoded(values: list[float], coding: int, bits: int) -> bytes:
    if coding == 3:
        return struct.pack(f"<{len(values)}{'f' if bits == 32 else 'd'}", *values)
    if bits == 8:
        return bytes(128 + round(127 * value) for value in values)
    peak = 2 ** (bits - 1) - 1
    return b"".join(
        round(peak * value).to_bytes(bits // 8, "little", signed=True) for value in values
    )


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize(("coding", "bits"), [(1, 8), (1, 16), (1, 24), (1, 32), (3, 32), (3, 64)])
def test_every_sample_format_sounds_the_same(coding: int, bits: int, extensible: bool) -> None:
    data = encoded(sine(16_000, 500), coding, bits)
    pcm16 = audio.pcm16_from_wav(make_wav(coding, 1, 16_000, bits, data, extensible=extensible))
    assert len(pcm16) == 16_000
    assert crossings(pcm16) == pytest.approx(250, abs=2)
    assert loudness(pcm16) == pytest.approx(0.5 / math.sqrt(2), rel=0.02)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 32_000, 44_100, 48_000, 96_000, 16_001])
def test_every_rate_keeps_pitch_and_loudness(rate: int) -> None:
    data = encoded(sine(rate, 1000), 1, 16)
    pcm16 = audio.pcm16_from_wav(make_wav(1, 1, rate, 16, data))
    assert audio.duration_ms(pcm16) == pytest.approx(500, abs=1)
    assert crossings(pcm16) == pytest.approx(500, abs=3)
    assert loudness(pcm16) == pytest.approx(0.5 / math.sqrt(2), rel=0.02)


def test_what_16_khz_cannot_carry_is_filtered_out() -> None:
    high = array("h", (round(32767 * value) for value in sine(48_000, 11_000)))
    assert loudness(resample(high, 48_000, 16_000).tobytes()) < 0.001


def test_stereo_is_mixed() -> None:
    left, right = sine(16_000, 400), [0.0] * 8_000
    both = [value for pair in zip(left, right, strict=True) for value in pair]
    pcm16 = audio.pcm16_from_wav(make_wav(1, 2, 16_000, 16, encoded(both, 1, 16)))
    assert len(pcm16) == 16_000
    assert loudness(pcm16) == pytest.approx(0.25 / math.sqrt(2), rel=0.02)


def test_a_44_khz_stereo_recording_matches_its_16_khz_original() -> None:
    original = array("h", audio.load_wav(AUDIO / "hello.wav"))
    converted = array("h", audio.load_wav(AUDIO / "hello-44k-stereo.wav"))
    assert audio.duration_ms(converted.tobytes()) == pytest.approx(1100, abs=1)
    error = sum((a - b) ** 2 for a, b in zip(original, converted, strict=False))
    signal = sum(a * a for a in original[: len(converted)])
    assert error < 0.02 * signal


def test_a_wav_is_unwrapped_without_change() -> None:
    wav = (AUDIO / "thanks.wav").read_bytes()
    with wave.open(BytesIO(wav)) as reader:
        frames = reader.readframes(reader.getnframes())
    assert audio.unwrap_wav(wav) == (frames, 16_000)


@pytest.mark.parametrize(
    ("wav", "said"),
    [
        (make_wav(1, 2, 16_000, 16, bytes(8)), r"2 channel\(s\)"),
        (make_wav(1, 1, 44_100, 16, bytes(8)), "44100 Hz"),
        (make_wav(1, 1, 16_000, 24, bytes(6)), "24-bit PCM"),
        (make_wav(3, 1, 16_000, 32, bytes(8)), "32-bit float"),
        (make_wav(6, 1, 16_000, 8, bytes(8)), "format 6"),
        (make_wav(1, 0, 16_000, 16, bytes(8)), "0 channels"),
        (make_wav(1, 1, 0, 16, bytes(8)), "0 Hz"),
        (make_wav(1, 1, 16_000, 16, b""), "no samples"),
        (b"RIFF\0\0\0\0WAVE", "no data"),
        (b"RIFF\0\0\0\0WAVEdata\2\0\0\0ab", "no format"),
        (b"RIFF\0\0\0\0WAVEfmt \2\0\0\0ab", "cut short"),
        (b"OggS" + bytes(20), "not a WAV"),
        (b"", "not a WAV"),
    ],
)
def test_what_cannot_be_unwrapped_says_why(wav: bytes, said: str) -> None:
    with pytest.raises(audio.AudioError, match=said):
        audio.unwrap_wav(wav)


@pytest.mark.parametrize("size", [0xFFFFFFFF, 100])
def test_a_stream_that_claims_too_much_is_read_to_its_end(size: int) -> None:
    wav = make_wav(1, 1, 16_000, 16, b"\1\2\3\4\5")
    broken = wav[:-9] + struct.pack("<I", size) + wav[-5:]
    assert audio.unwrap_wav(broken) == (b"\1\2\3\4", 16_000)


def test_a_written_wav_is_read_by_others() -> None:
    pcm16 = audio.tone(0.25, hertz=800)
    with wave.open(BytesIO(audio.wav_from_pcm16(pcm16))) as reader:
        assert reader.getparams()[:4] == (1, 2, 16_000, 4_000)
        assert reader.readframes(4_000) == pcm16
    assert crossings(pcm16) == pytest.approx(200, abs=1)
    assert loudness(pcm16) == pytest.approx(0.3 / math.sqrt(2), rel=0.02)
