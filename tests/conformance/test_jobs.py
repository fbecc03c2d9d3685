"""From an utterance to `job_assign` (2.4, 3.2)."""

from __future__ import annotations

import pytest

from tests.conformance.kinds import Json
from tests.conformance.peers import Service, assert_has

STEPS = {
    "use_asr": True,
    "use_nmt": True,
    "use_tts": True,
    "use_semantic": False,
    "use_tone": False,
}
# what an utterance may say, and what of it the node is told
CARRIED: dict[str, tuple[Json, Json]] = {
    "nothing": ({}, {"pipeline": STEPS, "dialect": None}),
    "dialect": ({"dialect": "x"}, {"dialect": "x"}),
    "features": ({"features": {"emotion_detection": False}},) * 2,
    "auto_langs": ({"auto_langs": ["qaa", "qab"]},) * 2,
    "streaming": ({"enable_streaming_asr": True, "partial_update_interval_ms": 200},) * 2,
    "trace_id": ({"trace_id": "t-7"},) * 2,
    "one_way": ({"mode": "one_way"},) * 2,
    "a step": ({"pipeline": {"use_tts": False}}, {"pipeline": {**STEPS, "use_tts": False}}),
    "another step": (
        {"pipeline": {"use_semantic": True, "use_nmt": None}},
        {"pipeline": {**STEPS, "use_semantic": True}},
    ),
    "pcm16": ({"audio_format": "pcm16"},) * 2,
    "opus": ({"audio_format": "opus", "audio": "AgAAAA=="},) * 2,
}
SAID_ONCE = ("dialect", "features", "auto_langs", "streaming", "one_way")
ALWAYS = {
    "attempt_id": 1,
    "is_manual_cut": True,
    "is_timeout_triggered": False,
    "is_max_duration_triggered": False,
    "sample_rate": 16_000,
}


@pytest.mark.parametrize("name", CARRIED)
async def test_what_an_utterance_says_reaches_the_node(
    service: Service, languages: tuple[str, str], name: str
) -> None:
    said, told = CARRIED[name]
    async with service.node(*languages) as node, service.spoken(languages) as session:
        index = await session.says(**said)
        job = await node.job()
    assert_has(job, {"audio": "AAAA", "session_id": session.id, **ALWAYS, **told})
    assert (job["src_lang"], job["tgt_lang"]) == languages
    assert job["session_utterance_index"] == index


@pytest.mark.parametrize("name", SAID_ONCE)
async def test_what_a_session_says_holds_for_its_utterances(
    service: Service, languages: tuple[str, str], name: str
) -> None:
    said, told = CARRIED[name]
    async with service.node(*languages) as node, service.spoken(languages, **said) as session:
        await session.says()
        assert_has(await node.job(), told)


async def test_two_ways(service: Service, languages: tuple[str, str]) -> None:
    one, other = languages
    both = {"mode": "two_way_auto", "lang_a": one, "lang_b": other}
    async with service.node(*languages) as node, service.spoken(languages, **both) as session:
        await session.says()
        assert_has(await node.job(), {"src_lang": "auto", **both})


async def test_the_nodes_own_tags_are_used(service: Service, languages: tuple[str, str]) -> None:
    own = tuple(f"{language}-Hans" for language in languages)
    upper = tuple(language.upper() for language in languages)
    async with service.node(*own) as node, service.spoken(upper) as session:  # type: ignore[arg-type]
        await session.says()
        job = await node.job()
    assert (job["src_lang"], job["tgt_lang"]) == own


# what can't be meant or done: the field that is named, or none, and the code
REFUSED: dict[str, tuple[Json, str | None, str]] = {
    "no sound": ({"audio": ""}, "audio", "INVALID_MESSAGE"),
    "no base64": ({"audio": "!"}, "audio", "INVALID_MESSAGE"),
    "no language": ({"tgt_lang": "?"}, "tgt_lang", "INVALID_MESSAGE"),
    "auto as target": ({"tgt_lang": "auto"}, "tgt_lang", "INVALID_MESSAGE"),
    "an unknown format": ({"audio_format": "8-track"}, None, "UNSUPPORTED_FEATURE"),
    "an unknown feature": ({"features": {"x": True}}, None, "UNSUPPORTED_FEATURE"),
    "an unknown step": ({"pipeline": {"use_x": True}}, None, "UNSUPPORTED_FEATURE"),
    "a step that is no switch": (
        {"pipeline": {"use_asr": 1}},
        "pipeline.use_asr",
        "INVALID_MESSAGE",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_cannot_be_meant_or_done_is_refused_and_has_its_place(
    service: Service, languages: tuple[str, str], name: str
) -> None:
    said, field, code = REFUSED[name]
    async with service.node(*languages) as node, service.spoken(languages) as session:
        await session.says(**said)
        assert_has(await session.hears(), {"reason": "job_failed", "code": code})
        [error] = session.link.of_type("error")
        assert (error["code"], error["details"].get("field")) == (code, field)
        await session.says()
        await node.answers(await node.job(), text_asr="a")
        assert_has(await session.hears(), {"utterance_index": 1, "text_asr": "a"})
