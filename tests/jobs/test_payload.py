"""What a job carries, made of an utterance."""

import base64
from typing import Any

import msgspec
import pytest

from jobs.payload import digest_of, inherit, payload_of, said_by
from jobs.speech import speech_of
from jobs.wishes import Unsupported
from parley.audio import tone, wav_from_pcm16
from parley.frames import ABSENT, FrameError, SessionInit, Utterance

SOUND = tone(0.1)


def base64_json(data: bytes) -> msgspec.Raw:
    return msgspec.Raw(b'"' + base64.b64encode(data) + b'"')


def utterance(**changes: Any) -> Utterance:
    fields: dict[str, Any] = {
        "session_id": "s-1",
        "utterance_index": 7,
        "manual_cut": False,
        "src_lang": "en",
        "tgt_lang": "zh",
        "audio_format": "pcm16",
        "sample_rate": 16_000,
        "audio": base64_json(SOUND),
    }
    return Utterance(**{**fields, **changes})


def payload(frame: Utterance) -> dict[str, Any]:
    return msgspec.json.decode(payload_of(frame, speech_of(frame), trace="t-1"))  # type: ignore[no-any-return]


def test_an_utterance_becomes_what_every_node_is_sent() -> None:
    sent = payload(utterance(mode="one_way", enable_streaming_asr=True))
    assert sent == {
        "session_id": "s-1",
        "dialect": None,
        "pipeline": {
            "use_asr": True,
            "use_nmt": True,
            "use_tts": True,
            "use_semantic": False,
            "use_tone": False,
        },
        "audio_format": "pcm16",
        "sample_rate": 16_000,
        "trace_id": "t-1",
        "is_manual_cut": True,
        "is_timeout_triggered": False,
        "is_max_duration_triggered": False,
        "audio": base64.b64encode(SOUND).decode(),
        "mode": "one_way",
        "enable_streaming_asr": True,
        "session_utterance_index": 7,
    }


def test_sound_passes_through_as_it_came() -> None:
    sent = payload(utterance(audio_format="OPUS", audio=base64_json(b"no packet")))
    assert (sent["audio_format"], sent["audio"]) == (
        "opus",
        base64.b64encode(b"no packet").decode(),
    )


@pytest.mark.parametrize("audio_format", ["pcm16", "opus", "flac", "wav"])
@pytest.mark.parametrize("audio", ["", "?", "QUJ", "QU JD", "-_8=", "QQ=Q", "QQ==QQ=="])
def test_sound_that_is_not_base64_is_refused_whatever_its_format(
    audio: str, audio_format: str
) -> None:
    raw = msgspec.Raw(f'"{audio}"'.encode())
    with pytest.raises(FrameError) as caught:
        speech_of(utterance(audio=raw, audio_format=audio_format))
    assert caught.value.field == "audio"


def test_base64_with_escaped_slashes_is_base64() -> None:
    raw = msgspec.Raw(rb'"\/\/8="')
    assert payload(utterance(audio=raw, audio_format="opus"))["audio"] == "//8="


def test_the_pipeline_has_its_defaults_key_by_key() -> None:
    sent = payload(utterance(pipeline={"use_tts": False, "use_tone": True, "use_asr": None}))
    assert sent["pipeline"] == {
        "use_asr": True,
        "use_nmt": True,
        "use_tts": False,
        "use_semantic": False,
        "use_tone": True,
    }


def test_a_plain_wav_is_unwrapped() -> None:
    frame = utterance(audio_format="wav", audio=base64_json(wav_from_pcm16(SOUND)), sample_rate=1)
    sent = payload(frame)
    assert (sent["audio_format"], sent["sample_rate"]) == ("pcm16", 16_000)
    assert base64.b64decode(sent["audio"]) == SOUND


def test_another_wav_stays_one_for_the_nodes_that_take_it() -> None:
    wav = base64_json(wav_from_pcm16(SOUND, sample_rate=44_100))
    frame = utterance(audio_format="wav", audio=wav, sample_rate=44_100)
    sent = payload(frame)
    assert (sent["audio_format"], sent["sample_rate"]) == ("wav", 44_100)
    assert b'"' + sent["audio"].encode() + b'"' == bytes(memoryview(wav))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"audio": msgspec.Raw(b'""')}, "audio"),
        ({"audio": ABSENT, "audio_ref": ""}, "audio"),
        ({"audio": msgspec.Raw(b'"?"'), "audio_format": "wav"}, "audio"),
        ({"audio": base64_json(wav_from_pcm16(b"")), "audio_format": "wav"}, "audio"),
        ({"pipeline": {"use_tts": "yes"}}, "pipeline.use_tts"),
        ({"features": {"persona_adaptation": 1}}, "features.persona_adaptation"),
        ({"src_lang": "not a language"}, "src_lang"),
        ({"tgt_lang": ""}, "tgt_lang"),
        ({"tgt_lang": "auto"}, "tgt_lang"),
        ({"mode": "two_way_auto", "lang_a": "en", "lang_b": "!"}, "lang_b"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(FrameError) as caught:
        speech_of(utterance(**changes))
    assert caught.value.field == field


@pytest.mark.parametrize(
    "changes",
    [
        {"sample_rate": 8_000},
        {"sample_rate": 8_000, "audio": ABSENT, "audio_ref": "s3://sound"},
        {"features": {"mind_reading": True}},
        {"features": {"mind_reading": False}},
        {"pipeline": {"use_mind": None}},
    ],
)
def test_what_no_node_takes_is_unsupported(changes: dict[str, Any]) -> None:
    with pytest.raises(Unsupported, match=r"sample|'mind_reading' is not|'use_mind' is not"):
        speech_of(utterance(**changes))


def test_sound_that_lies_elsewhere_is_only_named() -> None:
    frame = utterance(audio=ABSENT, audio_ref="s3://sound", audio_format="FLAC", sample_rate=44_100)
    sent = payload(frame)
    assert "audio" not in sent
    assert (sent["audio_ref"], sent["audio_format"], sent["sample_rate"]) == (
        "s3://sound",
        "flac",
        44_100,
    )
    assert speech_of(frame).ask.has[:2] == ("audio:ref", "format:flac")


def test_the_sound_itself_comes_before_where_it_lies() -> None:
    sent = payload(utterance(audio_ref="s3://sound"))
    assert "audio_ref" not in sent
    assert sent["audio"]


def test_a_feature_asks_for_what_its_modules_need() -> None:
    silent = {"use_tts": False}
    wanted = {"speech_rate_control": True, "emotion_detection": False, "persona_adaptation": None}
    assert speech_of(utterance(pipeline=silent)).ask.has == ()
    assert speech_of(utterance(pipeline=silent, features=wanted)).ask.has == ("tts:zh",)


def test_two_ways_mean_that_the_source_is_to_be_found_out() -> None:
    frame = utterance(mode="two_way_auto", lang_a="en", lang_b="zh-Hans")
    speech = speech_of(frame)
    assert (speech.src, speech.tgt) == ("auto", "zh")
    assert speech.ask.route.both_ways


def test_what_an_utterance_leaves_out_is_taken_from_its_session() -> None:
    init = SessionInit("1", "web", "en", "zh", dialect="x", mode="one_way", lang_a="en")
    frame = utterance(mode="two_way_auto")
    inherit(frame, said_by(init))
    assert (frame.dialect, frame.mode, frame.lang_a) == ("x", "two_way_auto", "en")


def digest(*, also: tuple[str, ...] = (), **changes: Any) -> str:
    frame = utterance(**changes)
    return digest_of(frame, speech_of(frame), *also)


def test_equal_requests_have_equal_digests() -> None:
    assert digest() == digest(utterance_index=99, trace_id="other", request_id="r")
    different = [
        digest(),
        digest(audio=base64_json(tone(0.2))),
        digest(src_lang="zh", tgt_lang="en"),
        digest(pipeline={"use_tts": False}),
        digest(dialect="cantonese"),
        digest(dialect="cantonese", also=("more",)),
    ]
    assert len(set(different)) == len(different)


def test_a_format_has_a_name_that_can_be_remembered() -> None:
    assert speech_of(utterance(audio_format="x" * 64)).audio_format == "x" * 64
    with pytest.raises(Unsupported, match="There is no audio format 'xxx"):
        speech_of(utterance(audio_format="x" * 65))
