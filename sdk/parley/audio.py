"""WAV files in and out, and their conversion to what every node takes: pcm16, 16 kHz, mono.

pcm16 means signed little-endian 16-bit samples.
"""

from __future__ import annotations

import math
import struct
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from parley.resample import resample

SAMPLE_RATE = 16_000
"""Samples a second of all audio that is sent."""

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_MAX_RATE = 768_000


class AudioError(ValueError):
    """Audio that can't be used; the text says why."""


@dataclass(frozen=True)
class _Wav:
    coding: int
    channels: int
    rate: int
    bits: int
    data: memoryview


def unwrap_wav(wav: bytes) -> tuple[bytes, int]:
    """The samples of a 16-bit mono 16 kHz WAV, unchanged: `(pcm16, sample_rate)`.

    Raises `AudioError` for anything else.
    """
    found = _parse(wav)
    if (found.coding, found.bits, found.channels, found.rate) != (_PCM, 16, 1, SAMPLE_RATE):
        raise AudioError(
            f"expected 16-bit PCM, mono, {SAMPLE_RATE} Hz; got {found.bits}-bit"
            f" {'PCM' if found.coding == _PCM else 'float'}, {found.channels} channel(s),"
            f" {found.rate} Hz"
        )
    return bytes(found.data[: len(found.data) & ~1]), SAMPLE_RATE


def pcm16_from_wav(wav: bytes) -> bytes:
    """Any PCM or float WAV as pcm16, 16 kHz, mono. Raises `AudioError`."""
    found = _parse(wav)
    samples = _mono(_samples(found), found.channels)
    return _pack(resample(samples, found.rate, SAMPLE_RATE))


def load_wav(path: str | Path) -> bytes:
    """A WAV file as pcm16, 16 kHz, mono. Raises `AudioError`, `OSError`."""
    return pcm16_from_wav(Path(path).read_bytes())


def any_pcm16(audio: str | Path | bytes) -> bytes:
    """The path of a WAV file, its bytes, or pcm16 already: as pcm16, 16 kHz, mono.

    Raises `AudioError`, `OSError`.
    """
    if not isinstance(audio, bytes):
        return load_wav(audio)
    return pcm16_from_wav(audio) if audio.startswith(b"RIFF") else audio


def wav_from_pcm16(pcm16: bytes, sample_rate: int = SAMPLE_RATE) -> bytes:
    """Mono pcm16 as a WAV file."""
    fmt = struct.pack("<HHIIHH", _PCM, 1, sample_rate, sample_rate * 2, 2, 16)
    chunks = b"fmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", len(pcm16))
    return b"RIFF" + struct.pack("<I", 4 + len(chunks) + len(pcm16)) + b"WAVE" + chunks + pcm16


def tone(seconds: float, hertz: float = 440.0, volume: float = 0.3) -> bytes:
    """A sine with soft ends, as pcm16 at 16 kHz; `volume` from 0 to 1."""
    count = round(seconds * SAMPLE_RATE)
    ramp = SAMPLE_RATE // 100
    step = 2 * math.pi * hertz / SAMPLE_RATE
    peak = 32767 * volume
    return _pack(
        array(
            "h",
            (
                round(peak * min(1.0, n / ramp, (count - n) / ramp) * math.sin(n * step))
                for n in range(count)
            ),
        )
    )


def duration_ms(pcm16: bytes, sample_rate: int = SAMPLE_RATE) -> int:
    """How long mono pcm16 plays, in milliseconds."""
    return len(pcm16) * 500 // sample_rate


def _parse(wav: bytes) -> _Wav:
    if len(wav) < 12 or wav[:4] != b"RIFF" or wav[8:12] != b"WAVE":
        raise AudioError("not a WAV file")
    layout: tuple[int, int, int, int] | None = None
    for name, body in _chunks(wav):
        if name == b"fmt ":
            layout = _layout(body)
        elif name == b"data":
            if layout is None:
                raise AudioError("the WAV file has no format before its data")
            coding, channels, rate, bits = layout
            whole = len(body) - len(body) % (channels * bits // 8)
            if not whole:
                raise AudioError("the WAV file has no samples")
            return _Wav(coding, channels, rate, bits, body[:whole])
    raise AudioError("the WAV file has no data")


def _chunks(wav: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Name and body of each RIFF chunk. A last one that claims too much (a stream) is cut."""
    view = memoryview(wav)
    at = 12
    while at + 8 <= len(wav):
        (size,) = struct.unpack_from("<I", wav, at + 4)
        yield bytes(view[at : at + 4]), view[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _layout(fmt: memoryview) -> tuple[int, int, int, int]:
    """Coding, channels, rate and bits a sample of a `fmt ` chunk."""
    if len(fmt) < 16:
        raise AudioError("the WAV file's format is cut short")
    coding, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", fmt)
    if coding == _EXTENSIBLE and len(fmt) >= 26:
        (coding,) = struct.unpack_from("<H", fmt, 24)
    if (coding, bits) not in {(_PCM, 8), (_PCM, 16), (_PCM, 24), (_PCM, 32)} | {
        (_FLOAT, 32),
        (_FLOAT, 64),
    }:
        raise AudioError(f"WAV format {coding} with {bits} bits is not PCM or float")
    if not 1 <= channels <= 32 or not 1000 <= rate <= _MAX_RATE:
        raise AudioError(f"a WAV of {channels} channels at {rate} Hz can't be used")
    return coding, channels, rate, bits


def _samples(wav: _Wav) -> array[int]:
    """All samples as 16 bit, channels interleaved."""
    if wav.coding == _FLOAT:
        return _from_float(wav)
    width = wav.bits // 8
    data = bytes(wav.data)
    count = len(data) // width
    pairs = bytearray(2 * count)
    if width == 1:  # the only unsigned one: 128 is silence
        pairs[1::2] = bytes(byte ^ 0x80 for byte in data)
    else:
        pairs[0::2] = data[width - 2 :: width]
        pairs[1::2] = data[width - 1 :: width]
    return _unpack(bytes(pairs))


def _from_float(wav: _Wav) -> array[int]:
    values = array("f" if wav.bits == 32 else "d", bytes(wav.data))
    if sys.byteorder == "big":
        values.byteswap()
    return array("h", (_clip(value) for value in values))


def _clip(value: float) -> int:
    if math.isnan(value):
        return 0
    return round(32767 * max(-1.0, min(1.0, value)))


def _mono(samples: array[int], channels: int) -> array[int]:
    if channels == 1:
        return samples
    frames = zip(*(samples[channel::channels] for channel in range(channels)), strict=True)
    return array("h", (sum(frame) // channels for frame in frames))


def _unpack(pcm16: bytes) -> array[int]:
    samples = array("h", pcm16)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _pack(samples: array[int]) -> bytes:
    if sys.byteorder == "big":
        samples = array("h", samples)
        samples.byteswap()
    return samples.tobytes()
