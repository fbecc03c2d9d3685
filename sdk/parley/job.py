"""A job as a node's handler sees it, and what the handler gives back."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from parley.audio import duration_ms
from parley.codes import ErrorCode
from parley.frames import (
    ABSENT,
    JobAssign,
    JobError,
    JobResult,
    NodeAsrPartial,
    Pipeline,
    ServiceTimings,
    from_base64,
    to_base64,
)


class JobFailed(Exception):
    """Raised by a handler to fail a job with a code of its own; `details` is a JSON object."""

    def __init__(self, code: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.error = JobError(code, message, details)


@dataclass(frozen=True)
class Result:
    """What a handler returns. `audio` is the spoken answer: pcm16, 16 kHz mono by default."""

    text_asr: str = ""
    text_translated: str = ""
    audio: bytes = b""
    audio_format: str = "pcm16"
    timings: ServiceTimings | None = None
    extra: dict[str, Any] = field(default_factory=dict)


class Job:
    """One utterance to translate."""

    def __init__(
        self, assign: JobAssign, node_id: str, send: Callable[[NodeAsrPartial], Awaitable[object]]
    ) -> None:
        self.assign = assign
        self.node_id = node_id
        self.cancelled = False
        self._send = send

    @property
    def job_id(self) -> str:
        return self.assign.job_id

    @property
    def src_lang(self) -> str:
        """The node's own code of the source language, or `auto`."""
        return self.assign.src_lang

    @property
    def tgt_lang(self) -> str:
        return self.assign.tgt_lang

    @property
    def audio_format(self) -> str:
        """One of the formats that the node takes."""
        return self.assign.audio_format

    @property
    def sample_rate(self) -> int:
        return self.assign.sample_rate

    @property
    def audio(self) -> bytes:
        """The speech, in `audio_format` at `sample_rate` Hz."""
        return from_base64(self.assign.audio)

    @property
    def text(self) -> str:
        """What was typed instead of spoken: only for nodes that list the format `text`."""
        return self.audio.decode(errors="replace") if self.audio_format == "text" else ""

    @property
    def duration_ms(self) -> int:
        """How long the speech lasts, if it is pcm16."""
        return duration_ms(self.audio, self.sample_rate)

    @property
    def pipeline(self) -> Pipeline:
        """Which steps are wanted."""
        return self.assign.pipeline

    async def partial(self, text: str, *, is_final: bool = False) -> None:
        """Shows what is recognised so far; lost when the connection is down."""
        about = self.assign
        await self._send(
            NodeAsrPartial(
                about.job_id,
                self.node_id,
                about.session_id,
                about.utterance_index,
                text,
                is_final,
                about.trace_id,
            )
        )

    def succeeded(self, result: Result, took_ms: float) -> JobResult:
        """The frame of a result."""
        extra = dict(result.extra)
        if result.timings is not None:
            extra["service_timings"] = msgspec.to_builtins(result.timings)
        frame = self._answer(success=True, took_ms=took_ms)
        frame.text_asr = result.text_asr
        frame.text_translated = result.text_translated
        frame.extra = msgspec.Raw(json.dumps(extra).encode()) if extra else ABSENT
        if result.audio:
            frame.tts_audio = to_base64(result.audio)
            frame.tts_format = result.audio_format
        return frame

    def failed(self, error: BaseException, took_ms: float) -> JobResult:
        """The frame of a failure; a `JobFailed` names its own code."""
        frame = self._answer(success=False, took_ms=took_ms)
        if isinstance(error, JobFailed):
            frame.error = error.error
        else:
            text = f"{type(error).__name__}: {error}"
            frame.error = JobError(ErrorCode.PROCESSING_ERROR, text)
        return frame

    def _answer(self, *, success: bool, took_ms: float) -> JobResult:
        about = self.assign
        return JobResult(
            about.job_id,
            about.attempt_id,
            self.node_id,
            about.session_id,
            about.utterance_index,
            success,
            about.trace_id,
            processing_time_ms=round(took_ms),
            group_id=about.group_id,
            part_index=about.part_index,
        )
