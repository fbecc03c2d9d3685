"""From `job_result` to what the session is told (2.5, 2.6, 3.7, 3.8)."""

from __future__ import annotations

import pytest

from tests.conformance.kinds import Json
from tests.conformance.node_frames import JOB_ACK, JOB_STARTED
from tests.conformance.peers import Service, assert_has, full_result, own_languages, result
from tests.conformance.session_frames import TTS_PLAY_ENDED, TTS_STARTED


async def test_every_field_of_a_result_comes_back(
    service: Service, languages: tuple[str, str]
) -> None:
    async with service.node(*languages) as node, service.spoken(languages) as session:
        await session.says(trace_id="t-1")
        job = await node.job()
        sent = full_result(job, node.id)
        await node.link.say(sent)
        heard = await session.link.expect("translation_result")
    same = ("text_asr", "text_translated", "tts_audio", "tts_format", "trace_id", "group_id")
    more = ("part_index", "asr_quality_level", "reason_codes", "quality_score", "rerun_count")
    assert_has(heard, {name: sent[name] for name in (*same, *more, "segments_meta", "job_id")})
    assert_has(heard, {"session_id": session.id, "utterance_index": 0})
    assert heard["extra"]["emotion"] == "calm"
    assert heard["service_timings"] == {"asr_ms": 30, "total_ms": 80.5}
    assert "late" not in heard


# what a node says of its success, and how the client hears it
ANSWERS: dict[str, tuple[Json, Json]] = {
    "text alone": (
        {"text_asr": "a", "text_translated": "b"},
        {"text_asr": "a", "text_translated": "b", "tts_audio": "", "tts_format": "pcm16"},
    ),
    "no translation": (
        {"text_asr": "a", "text_translated": ""},
        {"text_asr": "a", "text_translated": ""},
    ),
    "nulls": (
        {"text_asr": "a", "text_translated": None, "tts_audio": None, "tts_format": None},
        {"text_asr": "a", "text_translated": "", "tts_audio": "", "tts_format": "pcm16"},
    ),
    "sound alone": ({"tts_audio": "AAAA"}, {"text_asr": "", "tts_audio": "AAAA"}),
    "wav": (
        {"text_asr": "a", "tts_audio": "AAAA", "tts_format": "wav"},
        {"tts_audio": "AAAA", "tts_format": "wav"},
    ),
    "time taken": (
        {"text_asr": "a", "processing_time_ms": 70},
        {"service_timings": {"total_ms": 70}},
    ),
    "another attempt's number": ({"text_asr": "a", "attempt_id": 9}, {"text_asr": "a"}),
    "odd extra": ({"text_asr": "a", "extra": "x"}, {"text_asr": "a"}),
    "odd timings": ({"text_asr": "a", "extra": {"service_timings": 5}}, {"text_asr": "a"}),
}
SILENCE: dict[str, Json] = {
    "empty": {},
    "nulls": {"text_asr": None, "text_translated": None, "tts_audio": None},
    "ASR_EMPTY": {"extra": {"reason": "ASR_EMPTY"}},
    "NO_TEXT_ASSIGNED": {"extra": {"reason": "NO_TEXT_ASSIGNED"}},
    "no success": {"success": False, "extra": {"reason": "ASR_EMPTY"}},
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_is_told(service: Service, languages: tuple[str, str], name: str) -> None:
    said, heard = ANSWERS[name]
    async with service.node(*languages) as node, service.spoken(languages) as session:
        await session.says()
        await node.answers(await node.job(), **said)
        answer = await session.hears()
    assert_has(answer, {"type": "translation_result", **heard})
    assert answer["trace_id"]
    assert answer["group_id"]


@pytest.mark.parametrize("name", SILENCE)
async def test_nothing_said_is_silence(
    service: Service, languages: tuple[str, str], name: str
) -> None:
    async with service.node(*languages) as node, service.spoken(languages) as session:
        await session.says()
        await node.answers(await node.job(), **SILENCE[name])
        assert_has(await session.hears(), {"type": "missing_result", "reason": "silence_detected"})
        assert session.link.of_type("error") == []


@pytest.mark.parametrize("accepts", [[], ["errors"]])
async def test_a_nodes_own_failure_is_told_with_its_words(
    service: Service, languages: tuple[str, str], accepts: list[str]
) -> None:
    error = {"code": "INVALID_VOICE", "message": "Nobody speaks like that.", "details": None}
    async with (
        service.node(*languages) as node,
        service.spoken(languages, accepts=accepts) as session,
    ):
        await session.says(trace_id="t-1")
        job = await node.job()
        await node.answers(job, success=False, error=error)
        missing = await session.hears()
    told = {"code": error["code"], "message": error["message"]}
    assert_has(missing, {"reason": "job_failed", "trace_id": "t-1", **told})
    [shown] = [one for one in session.link.of_type("error") if one["code"] == error["code"]]
    assert_has(shown, {"trace_id": "t-1", **told})
    assert_has(shown["details"], {"job_id": job["job_id"], "utterance_index": 0})
    assert shown["details"]["reason"]
    [event] = [one for one in session.link.of_type("ui_event") if one["event"] == "ERROR"]
    assert_has(event, {"status": "error", "error_code": error["code"], "job_id": job["job_id"]})


@pytest.mark.parametrize(("accepts", "errors"), [([], 0), (["errors"], 1)])
async def test_other_failures_are_errors_only_to_those_that_accept_them(
    service: Service, languages: tuple[str, str], accepts: list[str], errors: int
) -> None:
    async with service.spoken(languages, accepts=accepts) as session:  # nobody serves them
        await session.says()
        assert_has(await session.hears(), {"reason": "job_failed", "code": "NO_CAPABLE_NODE"})
        shown = [one["code"] for one in session.link.of_type("error")]
    assert shown == errors * ["NO_CAPABLE_NODE"]


def partial(job: Json, node: str, words: str, is_final: bool) -> Json:
    names = ("job_id", "session_id", "utterance_index", "trace_id")
    about = {name: job[name] for name in names}
    said = {"text": words, "is_final": is_final}
    return {"type": "asr_partial", "node_id": node, **about, **said}


async def test_progress_is_told(service: Service, languages: tuple[str, str]) -> None:
    async with service.node(*languages) as node, service.spoken(languages) as session:
        await session.says()
        job = await node.job()
        about = {name: job[name] for name in ("job_id", "attempt_id", "session_id", "trace_id")}
        for message in (JOB_ACK, JOB_ACK, JOB_STARTED, JOB_STARTED):  # doubled, and told once
            await node.link.say({**message.full, **about, "node_id": node.id})
        for words, is_final in (("good", False), ("good morning", False), ("good morning", True)):
            await node.link.say(partial(job, node.id, words, is_final))
        for words, is_final in (("good", False), ("good morning", False), ("good morning", True)):
            heard = await session.link.expect("asr_partial")
            assert_has(heard, {"text": words, "is_final": is_final, "utterance_index": 0})
            assert_has(heard, {"job_id": job["job_id"], "session_id": session.id})
        await node.answers(job, text_asr="good morning")
        told = await session.hears()
        played = {"session_id": session.id, "trace_id": told["trace_id"]}
        for message in (TTS_STARTED, TTS_PLAY_ENDED):
            await session.link.answers({**message.full, **played, "group_id": told["group_id"]})
    events = [one["event"] for one in session.link.of_type("ui_event")]
    assert [name for name in events if name != "DISPATCHED"] == [
        "INPUT_STARTED",
        "INPUT_ENDED",
        "NODE_ACCEPTED",
        "ASR_PARTIAL",
        "ASR_FINAL",
        "NMT_DONE",
        "TTS_PLAY_STARTED",
        "TTS_PLAY_ENDED",
    ]
    assert events.count("DISPATCHED") == 1


async def test_only_the_node_that_holds_a_job_answers_it_and_only_once(
    service: Service, languages: tuple[str, str]
) -> None:
    stranger = own_languages()
    async with (
        service.node(*languages) as node,
        service.node(*stranger) as other,
        service.spoken(languages) as session,
    ):
        await session.says()
        job = await node.job()
        assert await other.link.answers(result(job, other.id, text_asr="no")) == []
        assert await node.link.answers(result(job, node.id, text_asr="yes")) == []
        assert await node.link.answers(result(job, node.id, text_asr="again")) == []
        assert (await session.hears())["text_asr"] == "yes"
        await session.says()
        await node.answers(await node.job(), text_asr="next")
        assert_has(await session.hears(), {"utterance_index": 1, "text_asr": "next"})
