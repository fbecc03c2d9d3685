"""What somebody said, as selection and the node want it.

Sound is looked at, but passes through as it came; only WAV is unwrapped to what every node takes.
"""

import msgspec

from jobs.base64 import from_base64, to_base64
from jobs.wishes import Unsupported, features_of, pipeline_of
from parley.audio import SAMPLE_RATE, AudioError, unwrap_wav
from parley.frames import ABSENT, FrameError, Pipeline, SessionInit, Utterance, present
from pools.ask import Ask
from pools.languages import AUTO, primary
from pools.routes import Route

WAV, PCM16 = "wav", "pcm16"
BOTH_WAYS = "two_way_auto"
WAV_HEADER_BYTES = 44
LONGEST_FORMAT = 64  # characters of its name
LONGEST_TAG = 35  # characters of a language that are kept of what makes no job


class Speech(msgspec.Struct, frozen=True):
    """An utterance as selection and the node want it. ``src`` and ``tgt`` are tags as given;
    ``audio`` is absent when the sound lies at ``audio_ref``. ``fault``: why it is a WAV still.
    """

    src: str
    tgt: str
    ask: Ask
    pipeline: Pipeline
    audio: msgspec.Raw
    audio_format: str
    sample_rate: int
    audio_ref: str | None = None
    fault: str = ""


def speech_of(frame: Utterance) -> Speech:
    """Raises ``FrameError`` for what can't be meant, ``Unsupported`` for what can't be done: sound
    that no node can be given, a step or feature that is not known.
    """
    route, pipeline = _route(frame), pipeline_of(frame.pipeline)
    return _speech(frame, route, pipeline, *_sound(frame))


def spoken(frame: Utterance, sound: bytes) -> Speech:
    """The same of an utterance of a stream, whose ``sound`` was looked at as it came."""
    route, pipeline = _route(frame), pipeline_of(frame.pipeline)
    return _speech(frame, route, pipeline, to_base64(sound), frame.audio_format, frame.sample_rate)


def languages_of(said: Utterance | SessionInit) -> tuple[str, str]:
    """Those of its job, ``src`` and ``tgt``, whether or not they can be meant."""
    both_ways = said.mode == BOTH_WAYS and said.lang_a and said.lang_b
    return (AUTO if both_ways else said.src_lang)[:LONGEST_TAG], said.tgt_lang[:LONGEST_TAG]


def route_of(said: Utterance | SessionInit) -> Route:
    """Its languages, whether or not they can be meant."""
    return Route.of(
        said.src_lang, said.tgt_lang, mode=said.mode, lang_a=said.lang_a, lang_b=said.lang_b
    )


def odd_language(said: Utterance | SessionInit, route: Route) -> tuple[str, str] | None:
    """The field whose language can't be meant, and what it says; None: its ``route`` can."""
    if route.src and route.tgt and route.tgt != AUTO:
        return None
    named = ("lang_a", "lang_b") if said.mode == BOTH_WAYS else ()
    for field in (*named, "src_lang", "tgt_lang"):
        tag = getattr(said, field) or ""
        if not primary(tag) or (field != "src_lang" and primary(tag) == AUTO):
            return field, tag[:64]
    return None


def _route(frame: Utterance) -> Route:
    route = route_of(frame)
    if odd := odd_language(frame, route):
        field, tag = odd
        raise FrameError(
            f"utterance: {tag!r} is no language.",
            field=field,
            expected="a BCP-47 language tag",
            type="utterance",
        )
    return route


def _speech(
    frame: Utterance,
    route: Route,
    pipeline: Pipeline,
    audio: msgspec.Raw,
    audio_format: str,
    rate: int,
    fault: str = "",
) -> Speech:
    reference = None if present(audio) else frame.audio_ref
    return Speech(
        src=AUTO if route.both_ways else frame.src_lang,
        tgt=frame.tgt_lang,
        ask=Ask.of(
            route,
            pipeline,
            audio_format,
            by_reference=reference is not None,
            features=features_of(frame.features),
            dialect=frame.dialect,
        ),
        pipeline=pipeline,
        audio=audio,
        audio_format=audio_format,
        sample_rate=rate,
        audio_ref=reference,
        fault=fault,
    )


def _sound(frame: Utterance) -> tuple[msgspec.Raw, str, int, str]:
    """Base64 (absent for sound that lies elsewhere), format, samples a second and ``fault``."""
    name, audio = frame.audio_format.strip().lower(), ABSENT
    if len(name) > LONGEST_FORMAT:
        raise Unsupported(f"There is no audio format {name[:LONGEST_FORMAT]!r}…")
    if present(frame.audio):
        audio = frame.audio
        sound = _decoded(frame)
        if name == WAV:
            return _unwrapped(frame, sound)
    elif not frame.audio_ref:
        raise _no_sound()
    if name == PCM16 and frame.sample_rate != SAMPLE_RATE:
        raise Unsupported(f"pcm16 needs {SAMPLE_RATE} samples a second, mono.")
    return audio, name, frame.sample_rate, ""


def _decoded(frame: Utterance) -> bytes:
    """A node must never be given what it can't decode."""
    try:
        sound = from_base64(frame.audio)
    except msgspec.ValidationError as error:
        raise FrameError(
            "utterance: audio is not base64.", field="audio", expected="base64", type="utterance"
        ) from error
    if not sound:
        raise _no_sound()
    return sound


def _unwrapped(frame: Utterance, wav: bytes) -> tuple[msgspec.Raw, str, int, str]:
    """A WAV of another kind stays one: only nodes that list the format get it."""
    if len(wav) <= WAV_HEADER_BYTES:
        raise _no_sound()
    try:
        samples, rate = unwrap_wav(wav)
    except AudioError as error:
        return frame.audio, WAV, frame.sample_rate, str(error)
    return to_base64(samples), PCM16, rate, ""


def _no_sound() -> FrameError:
    return FrameError(
        "utterance: audio is empty.", field="audio", expected="base64", type="utterance"
    )
