"""What a node's result means, and what is kept of it."""

import json

import pytest

from jobs.outcome import LARGEST_EXTRA, prepare, verdict_of
from parley.frames import JobResult, ResultHead, decode_node_frame, decode_to_session, splice
from tests.nodes.frames import failure, read_result, result


@pytest.mark.parametrize(
    ("answer", "verdict", "code"),
    [
        ({}, "done", ""),
        ({"text_translated": None}, "done", ""),
        ({"text_asr": None, "text_translated": None, "extra": {"reason": "ASR_EMPTY"}}, "done", ""),
        (failure("MODEL_NOT_AVAILABLE"), "retry", "MODEL_NOT_AVAILABLE"),
        (failure("NODE_OVERLOADED"), "retry", "NODE_OVERLOADED"),
        (failure("PROCESSING_ERROR", "DUPLICATE_JOB: seen"), "retry", "PROCESSING_ERROR"),
        (failure("INVALID_STATE", "DUPLICATE_UTTERANCE: seen"), "retry", "INVALID_STATE"),
        (failure("INVALID_AUDIO"), "fail", "INVALID_AUDIO"),
        (failure("UNSUPPORTED_AUDIO_FORMAT"), "fail", "UNSUPPORTED_AUDIO_FORMAT"),
        (failure("NMT_TIMEOUT"), "retry", "NMT_TIMEOUT"),
        (failure("INTERNAL_ERROR"), "retry", "INTERNAL_ERROR"),
        (failure("SOMETHING_NEW"), "retry", "SOMETHING_NEW"),
        (failure(""), "retry", "PROCESSING_ERROR"),
        ({"success": False}, "retry", "PROCESSING_ERROR"),
    ],
)
def test_a_verdict(answer, verdict, code):
    assert verdict_of(read_result(result(**answer)))[:2] == (verdict, code)


@pytest.mark.parametrize(
    ("answer", "blamed"),
    [
        ({}, ""),
        (failure("MODEL_NOT_AVAILABLE", service_id="nmt-1"), ""),
        (failure("NODE_OVERLOADED"), ""),
        (failure("PROCESSING_ERROR", "DUPLICATE_JOB: seen"), ""),
        (failure("INVALID_AUDIO"), ""),
        (failure("NMT_TIMEOUT"), "*"),
        (failure("NMT_TIMEOUT", service_id="nmt-1"), "nmt-1"),
        (failure("NMT_TIMEOUT", service_id="nmt-2"), "*"),
        (failure("NMT_TIMEOUT", service_id="a = b"), "*"),
        (failure("SOMETHING_NEW"), "*"),
        ({"success": False}, "*"),
    ],
)
def test_whose_fault_a_failure_may_be(answer, blamed):
    ready = prepare(read_result(result(**answer)), node="node-1", services={"nmt-1"})
    assert ready.outcome.blame == blamed


def test_long_codes_and_messages_are_cut():
    ready = prepare(read_result(result(**failure("X" * 500, "y" * 5_000))), node="node-1")
    assert len(ready.outcome.code) == 64
    assert len(ready.outcome.message) == 500
    assert ready.body == b""
    assert ready.outcome.size == 0


def kept(**answer):
    ready = prepare(read_result(result(**answer)), node="node-1", trace="trace-of-job")
    assert ready.outcome.size == len(ready.body)
    return json.loads(ready.body)


def test_missing_texts_are_empty_and_a_group_is_made():
    body = kept(text_asr=None, text_translated=None)
    assert (body["text_asr"], body["text_translated"], body["tts_audio"]) == ("", "", "")
    assert body["tts_format"] == "pcm16"
    assert body["trace_id"] == "trace-1"
    assert body["group_id"]
    assert kept(group_id="g-7")["group_id"] == "g-7"
    assert kept(trace_id="")["trace_id"] == "trace-of-job"


@pytest.mark.parametrize("reason", ["ASR_EMPTY", "NO_TEXT_ASSIGNED"])
@pytest.mark.parametrize("answer", [{}, failure("PROCESSING_ERROR"), failure("INVALID_AUDIO")])
def test_a_reason_to_have_no_text_makes_the_job_done_without_any(reason, answer):
    answer = {"tts_audio": "QUJD", **answer, "extra": {"reason": reason}}
    assert verdict_of(read_result(result(**answer))) == ("done", "", "")
    body = kept(**answer)
    assert (body["text_asr"], body["text_translated"], body["tts_audio"]) == ("", "", "")


def test_audio_is_passed_on_as_it_came():
    audio = r"QUJD\u0052EVG"
    text = json.dumps(result(tts_audio="@", tts_format="opus")).replace("@", audio)
    frame = decode_node_frame(text)
    assert isinstance(frame, JobResult)
    body = prepare(frame, node="node-1").body
    assert b'"tts_audio":"' + audio.encode() + b'"' in body
    assert b'"tts_format":"opus"' in body


@pytest.mark.parametrize(
    ("answer", "timings"),
    [
        ({}, None),
        ({"processing_time_ms": 250}, {"total_ms": 250}),
        (
            {"extra": {"service_timings": {"asr_ms": 5, "total_ms": 9}}},
            {"asr_ms": 5, "total_ms": 9},
        ),
        ({"extra": {"service_timings": "fast"}, "processing_time_ms": 7}, {"total_ms": 7}),
        ({"extra": [1, 2]}, None),
    ],
)
def test_timings_are_kept_with_the_result_and_for_the_history(answer, timings):
    assert kept(**answer).get("service_timings") == timings
    ready = prepare(read_result(result(**answer)), node="node-1")
    assert (json.loads(ready.outcome.brief) if ready.outcome.brief else None) == timings


def test_free_form_parts_are_passed_on_while_they_are_small():
    assert kept(extra={"reason": "x", "odd": [1]})["extra"] == {"reason": "x", "odd": [1]}
    assert "extra" not in kept(extra={"big": "x" * LARGEST_EXTRA})
    assert "extra" not in kept(extra=None)
    assert kept(segments_meta=[{"start": 1}])["segments_meta"] == [{"start": 1}]


def test_what_is_kept_becomes_a_translation_result():
    ready = prepare(
        read_result(result(tts_audio="QUJD", asr_quality_level="good", quality_score=0.5)), node="n"
    )
    head = ResultHead(session_id="s-1", utterance_index=4, job_id="job-1", scheduler_sent_at_ms=1)
    frame = decode_to_session(splice(head, ready.body))
    assert frame.text_translated == "你好"  # type: ignore[union-attr]
    assert frame.asr_quality_level == "good"  # type: ignore[union-attr]


def test_every_result_has_a_token_of_its_own():
    twice = [prepare(read_result(result()), node="node-1").outcome.token for _ in range(2)]
    assert twice[0] != twice[1]
