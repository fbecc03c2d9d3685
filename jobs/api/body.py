"""The body of ``POST jobs/``: read as the sockets read their frames, the sound left encoded."""

from collections.abc import Mapping
from typing import IO, Any

import msgspec
from django.conf import settings
from rest_framework.parsers import BaseParser

from jobs.api.problems import Problem
from parley.audio import SAMPLE_RATE
from parley.codes import ErrorCode
from parley.frames import ABSENT, FrameError, Utterance, present
from parley.frames.common import Base64, Count, Id, Part, Priority, Switches, first_byte
from parley.frames.decode import explain

# How base64 begins whose bytes begin with RIFF.
WAV_START = b'"UklGR'
SILENCE: Base64 = msgspec.Raw(b'"AAAA"')


class Options(Part):
    """``strict``: on the preferred node or nowhere. ``deadline_ms``: how long it may wait;
    ``priority``: before (1) or behind (5) others that wait.
    """

    preferred_node_id: Id | None = None
    strict: bool | None = None
    require_tts: bool | None = None
    exclude_node_id: Id | None = None
    spread_nodes: bool | None = None
    deadline_ms: Count | None = None
    priority: Priority | None = None


class JobBody(Part):
    """What a client asks for. ``audio_format`` absent: told by the sound, WAV or else pcm16."""

    src_lang: str
    tgt_lang: str
    audio: Base64 = ABSENT
    audio_ref: str | None = None
    audio_format: str | None = None
    sample_rate: Count | None = None
    session_id: Id | None = None
    tenant_id: Id | None = None
    trace_id: Id | None = None
    dialect: str | None = None
    mode: str | None = None
    lang_a: str | None = None
    lang_b: str | None = None
    pipeline: Switches | None = None
    features: Switches | None = None
    options: Options | None = None


class JobParser(BaseParser):
    """JSON of a job. Raises a Problem that names the field at fault."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        limit = settings.PARLEY_JOBS.socket.max_frame_bytes
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise Problem(413, ErrorCode.INVALID_MESSAGE, f"The body is over {limit} bytes.")
        return self.read(raw)

    def read(self, raw: bytes) -> JobBody:
        """The body of a request of a bearable size."""
        return read_body(raw)


def read_body(raw: bytes, *, needs_sound: bool = True) -> JobBody:
    """Raises a Problem (422) that says which field should be what."""
    try:
        body = msgspec.json.decode(raw, type=JobBody)
    except msgspec.ValidationError as error:
        raise invalid(explain(JobBody, "job", str(error))) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, ErrorCode.INVALID_MESSAGE, "The body is not JSON.") from error
    absent = not present(body.audio)
    if absent and body.audio_ref is None and not needs_sound:
        return body
    if absent and body.audio_ref is None:
        raise invalid(FrameError("job: audio is missing.", field="audio", expected="string"))
    if absent and body.audio_format is None:
        fault = "job: audio_format is missing: it can't be told from audio_ref."
        raise invalid(FrameError(fault, field="audio_format", expected="string"))
    if not absent and first_byte(body.audio) != b'"':
        fault = "job: expected string at audio."
        raise invalid(FrameError(fault, field="audio", expected="string"))
    return body


def invalid(error: FrameError) -> Problem:
    """A frame's fault as a problem document."""
    return Problem(422, error.code, error.message, field=error.field, expected=error.expected)


def utterance_of(body: JobBody, *, key: str) -> Utterance:
    """The body as the utterance that a session would have sent; which one is not said yet."""
    options = body.options or Options()
    wish = dict(body.pipeline or {})
    if options.require_tts:
        wish["use_tts"] = True
    return Utterance(
        session_id="",
        utterance_index=0,
        manual_cut=True,
        src_lang=body.src_lang,
        tgt_lang=body.tgt_lang,
        audio_format=body.audio_format or _format_of(body.audio),
        sample_rate=body.sample_rate or SAMPLE_RATE,
        audio=body.audio,
        audio_ref=body.audio_ref,
        dialect=body.dialect,
        features=body.features,
        mode=body.mode,
        lang_a=body.lang_a,
        lang_b=body.lang_b,
        trace_id=body.trace_id,
        pipeline=wish,
        request_id=key or None,
        preferred_node_id=options.preferred_node_id,
        deadline_ms=options.deadline_ms,
        priority=options.priority,
    )


def _format_of(audio: Base64) -> str:
    return "wav" if bytes(memoryview(audio)[: len(WAV_START)]) == WAV_START else "pcm16"
