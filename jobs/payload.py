"""What a job carries: the fields of ``job_assign`` that are the same for every node, encoded once.

Made where the utterance came in; the node's process puts its own fields in front.
"""

from hashlib import sha1
from typing import Any

from jobs.speech import Speech
from jobs.streams.endings import WHOLE, Ending, Why
from parley.frames import JobPayload, SessionInit, Utterance, encode

_INHERITED = (
    "dialect",
    "features",
    "mode",
    "lang_a",
    "lang_b",
    "auto_langs",
    "enable_streaming_asr",
    "partial_update_interval_ms",
    "context_text",
    "padding_ms",
)


def said_by(init: SessionInit) -> dict[str, Any]:
    """What a session has said for all its utterances, by the name of the field."""
    said = {name: getattr(init, name) for name in _INHERITED}
    return {name: value for name, value in said.items() if value is not None}


def inherit(frame: Utterance, said: dict[str, Any]) -> None:
    """Fill in what the utterance leaves to its session."""
    for name, value in said.items():
        if getattr(frame, name) is None:
            setattr(frame, name, value)


def payload_of(frame: Utterance, speech: Speech, *, trace: str, ending: Ending = WHOLE) -> bytes:
    """The JSON object that is kept with the job."""
    return encode(
        JobPayload(
            session_id=frame.session_id,
            dialect=frame.dialect,
            pipeline=speech.pipeline,
            audio_format=speech.audio_format,
            sample_rate=speech.sample_rate,
            trace_id=trace,
            is_manual_cut=ending.why is Why.MANUAL,
            is_timeout_triggered=ending.why is Why.TIMEOUT,
            is_max_duration_triggered=ending.why is Why.DURATION,
            audio=speech.audio,
            audio_ref=speech.audio_ref,
            features=frame.features,
            mode=frame.mode,
            lang_a=frame.lang_a,
            lang_b=frame.lang_b,
            auto_langs=frame.auto_langs,
            enable_streaming_asr=frame.enable_streaming_asr,
            partial_update_interval_ms=frame.partial_update_interval_ms,
            context_text=frame.context_text,
            padding_ms=frame.padding_ms,
            turn_id=ending.turn.id if ending.turn else None,
            session_utterance_index=frame.utterance_index,
        )
    )


def digest_of(frame: Utterance, speech: Speech, *more: object) -> str:
    """Guards a request id: equal for equal bodies, whatever their index and trace id. ``more``:
    what else was asked for.
    """
    sound = (speech.audio_format, speech.sample_rate, speech.audio_ref)
    body = (speech.src, speech.tgt, speech.pipeline, *sound)
    asked = tuple(getattr(frame, name) for name in _INHERITED)
    digest = sha1(encode((body, asked, *more)), usedforsecurity=False)
    digest.update(memoryview(speech.audio))
    return digest.hexdigest()
