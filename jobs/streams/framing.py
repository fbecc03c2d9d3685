"""What the sound of a stream is made of: where it may be cut, its length, what is damaged."""

from dataclasses import dataclass
from typing import Protocol

from jobs.streams.endings import Why
from parley.audio import SAMPLE_RATE, AudioError, unwrap_wav
from parley.codes import ErrorCode

OPUS, PCM16, WAV = "opus", "pcm16", "wav"

PACKET_MS = 20
PREFIX_BYTES = 2
MOST_PACKET_BYTES = 1_276
"""A packet of one frame: a TOC byte and at most 1275 bytes (RFC 6716, section 3.2.1)."""

SAMPLE_BYTES = 2
BYTES_A_MS = SAMPLE_RATE * SAMPLE_BYTES // 1000
WAV_HEADER_BYTES = 44


class Refused(Exception):
    """Sound that makes no job; the text says why."""

    code: ErrorCode


class Damaged(Refused):
    """No node could decode it."""

    code = ErrorCode.INVALID_MESSAGE


class Unsuited(Refused):
    """It can't be made what every node takes; the text says what is possible."""

    code = ErrorCode.UNSUPPORTED_FEATURE


@dataclass(frozen=True)
class Fit:
    """``size`` bytes of what was offered last ``ms``; ``full``: why no further part has room."""

    size: int
    ms: float
    full: Why | None


class Framing(Protocol):
    """``audio_format`` and ``sample_rate`` are those of the jobs."""

    audio_format: str
    sample_rate: int

    def bare(self, chunk: bytes) -> bytes:
        """The sound of a chunk. Raises Damaged, Unsuited."""

    def fit(self, sound: bytes, ms: float, size: int) -> Fit:
        """Whole parts from the beginning of ``sound`` that fit in this time and so many bytes.

        What is left over, though not full, is the beginning of a part. Raises Damaged.
        """


class Opus:
    """Packets of 20 ms, each after its length: u16, little-endian."""

    audio_format, sample_rate = OPUS, SAMPLE_RATE

    def bare(self, chunk: bytes) -> bytes:
        return chunk

    def fit(self, sound: bytes, ms: float, size: int) -> Fit:
        at, count, most, end = 0, 0, int(ms / PACKET_MS), len(sound) - PREFIX_BYTES
        full = None
        while at <= end and count < most:
            length = sound[at] | sound[at + 1] << 8
            if not 1 <= length <= MOST_PACKET_BYTES:
                raise Damaged(f"An Opus packet can't have {length} bytes.")
            after = at + PREFIX_BYTES + length
            if after > size:
                full = Why.LENGTH
            if after > min(size, len(sound)):
                break
            at, count = after, count + 1
        return Fit(at, count * PACKET_MS, Why.DURATION if count == most else full)


class Pcm16:
    """Signed little-endian 16-bit samples, mono."""

    audio_format = PCM16

    def __init__(self, sample_rate: int = SAMPLE_RATE) -> None:
        self.sample_rate = sample_rate

    def bare(self, chunk: bytes) -> bytes:
        if self.sample_rate != SAMPLE_RATE:
            raise Unsuited(f"pcm16 needs {SAMPLE_RATE} samples a second, mono.")
        return chunk

    def fit(self, sound: bytes, ms: float, size: int) -> Fit:
        in_time, in_size = int(ms * BYTES_A_MS), size - size % SAMPLE_BYTES
        taken = min(len(sound) - len(sound) % SAMPLE_BYTES, in_time, in_size)
        full = Why.DURATION if taken == in_time else Why.LENGTH if taken == in_size else None
        return Fit(taken, taken / BYTES_A_MS, full)


class Wav(Pcm16):
    """Each chunk a WAV of its own, or the samples that follow one: sent on as ``pcm16``."""

    def bare(self, chunk: bytes) -> bytes:
        if not chunk.startswith(b"RIFF"):
            return chunk
        if len(chunk) <= WAV_HEADER_BYTES:
            return b""
        try:
            return unwrap_wav(chunk)[0]
        except AudioError as error:
            raise Unsuited(f"A stream's WAV: {error}.") from error


class Whole:
    """A format that nobody here looks into: it is cut between chunks, and its time is not known."""

    def __init__(self, audio_format: str, sample_rate: int) -> None:
        self.audio_format, self.sample_rate = audio_format, sample_rate

    def bare(self, chunk: bytes) -> bytes:
        return chunk

    def fit(self, sound: bytes, ms: float, size: int) -> Fit:
        if len(sound) > size:
            return Fit(0, 0, Why.LENGTH)
        return Fit(len(sound), 0, None)


def framing_of(audio_format: str | None, sample_rate: int | None) -> Framing:
    """What ``session_init`` says of its chunks; without a word of it they are Opus."""
    name = (audio_format or "").strip().lower() or OPUS
    rate = sample_rate or SAMPLE_RATE
    match name:
        case "opus":
            return Opus()
        case "pcm16":
            return Pcm16(rate)
        case "wav":
            return Wav()
    return Whole(name, rate)
