"""What a session gets for an utterance: an answer, or word that none will come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from parley.audio import wav_from_pcm16
from parley.codes import advice
from parley.frames import AsrPartial, MissingResult, TranslationResult, from_base64


class SessionError(Exception):
    """The session can't be opened or can't go on; trying again the same way won't help."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Answer:
    """A translation. `frame` has everything else that the node said."""

    frame: TranslationResult
    ok: Literal[True] = True

    @property
    def index(self) -> int:
        """Which utterance it answers."""
        return self.frame.utterance_index

    @property
    def text_asr(self) -> str:
        """What was heard."""
        return self.frame.text_asr

    @property
    def text_translated(self) -> str:
        return self.frame.text_translated

    @property
    def audio(self) -> bytes:
        """The spoken answer, in the format `frame.tts_format`; empty where there is none."""
        return from_base64(self.frame.tts_audio)

    @property
    def wav(self) -> bytes:
        """The spoken answer as a WAV file; empty where there is none in pcm16 or wav."""
        match self.frame.tts_format:
            case "wav":
                return self.audio
            case "pcm16":
                return wav_from_pcm16(self.audio) if self.audio else b""
            case _:
                return b""

    @property
    def node_ms(self) -> float | None:
        """How long the node worked, in milliseconds."""
        timings = self.frame.service_timings
        return timings.total_ms if timings else None

    @property
    def late(self) -> bool:
        """Whether it follows a `Missing` of reason `gap_timeout`."""
        return bool(self.frame.late)


@dataclass(frozen=True)
class Missing:
    """No answer to an utterance. `reason`: gap_timeout (it may still come, late), job_failed,
    pending_overflow_evict or silence_detected.
    """

    frame: MissingResult
    ok: Literal[False] = False

    @property
    def index(self) -> int:
        return self.frame.utterance_index

    @property
    def reason(self) -> str:
        return self.frame.reason

    @property
    def code(self) -> str:
        """Why, as an error code; empty where nothing failed."""
        return self.frame.code or ""

    def advice(self, lang: str = "en") -> str:
        """One sentence for the person who spoke."""
        return advice(self.code, lang) if self.code else ""


Outcome: TypeAlias = Answer | Missing
Event: TypeAlias = Answer | Missing | AsrPartial
