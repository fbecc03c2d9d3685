"""Frames to a session, put together from what the node's process stored."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from jobs.answers import Told, is_silent, result
from jobs.failures import Failure, failure_from
from jobs.network import way_of_low_bits_ms
from jobs.ordering import Missing
from jobs.outcome import prepare
from lua.mailbox import Outcome
from parley.codes import advice
from parley.frames import JobResult, decode_to_session

TOLD = Told("s-1", 3, "job-1", "t-1", "zh-Hans", received_ms=1_000)


def stored(*, acked_in_ms: int | None = None, **changes: Any) -> bytes:
    fields: dict[str, Any] = {
        "job_id": "job-1",
        "attempt_id": 1,
        "node_id": "n",
        "session_id": "s-1",
        "utterance_index": 900,
        "success": True,
        "trace_id": "t-1",
        "text_asr": "hello",
        "text_translated": "你好",
    }
    return prepare(JobResult(**{**fields, **changes}), node="n", acked_in_ms=acked_in_ms).body


def frame(body: bytes, **changes: Any) -> dict[str, Any]:
    data = result(TOLD, body, **changes)
    decode_to_session(data)
    return msgspec.json.decode(data)  # type: ignore[no-any-return]


def test_a_result_has_our_fields_and_the_nodes_but_not_what_we_kept_beside() -> None:
    audio = msgspec.Raw(b'"QUJD"')
    told = frame(stored(tts_audio=audio, tts_format="opus", group_id="g", part_index=2))
    assert told.pop("scheduler_sent_at_ms") > 0
    assert told == {
        "type": "translation_result",
        "session_id": "s-1",
        "utterance_index": 3,
        "job_id": "job-1",
        "text_asr": "hello",
        "text_translated": "你好",
        "tts_audio": "QUJD",
        "trace_id": "t-1",
        "group_id": "g",
        "tts_format": "opus",
        "part_index": 2,
    }


@pytest.mark.parametrize(
    ("acked_in_ms", "back_ms", "told"),
    [
        (19, 7, {"scheduler_to_node_ms": 12, "node_to_scheduler_ms": 7}),
        (20, None, {"scheduler_to_node_ms": 10}),
        (None, 7, {"node_to_scheduler_ms": 7}),
        (20, 50, {"scheduler_to_node_ms": 10, "node_to_scheduler_ms": 50}),
        (None, -5, None),
    ],
)
def test_a_result_tells_how_long_its_frames_were_on_their_way(
    acked_in_ms: int | None, back_ms: int | None, told: dict[str, int] | None
) -> None:
    at = 1.5 if back_ms is not None else None
    body = stored(acked_in_ms=acked_in_ms, node_completed_at_ms=at)
    completed = msgspec.json.decode(body)["received_at_ms"] - (back_ms or 0)
    body = body.replace(b'"node_completed_at_ms":1.5', b'"node_completed_at_ms":%d' % completed)
    assert frame(body).get("network_timings") == told
    assert not {"node_completed_at_ms", "acked_in_ms", "received_at_ms"} & frame(body).keys()


def test_a_result_tells_how_long_its_speech_was_on_its_way() -> None:
    data = result(replace(TOLD, way_ms=30), stored())
    assert msgspec.json.decode(data)["network_timings"] == {"web_to_scheduler_ms": 30}


@pytest.mark.parametrize(
    ("sent_ms", "way_ms"), [(990, 10), (2**32 - 10, 1_010), (0, None), (1_010, None)]
)
def test_the_low_bits_of_a_time_are_enough(sent_ms: int, way_ms: int | None) -> None:
    assert way_of_low_bits_ms(sent_ms, 5 * 2**32 + 1_000) == way_ms


def test_a_clock_that_is_hours_off_is_not_believed() -> None:
    assert "network_timings" not in frame(stored(node_completed_at_ms=5))


def test_text_that_looks_like_our_fields_is_left_alone() -> None:
    text = '","received_at_ms":5}'
    assert frame(stored(text_translated=text))["text_translated"] == text


def test_a_late_result_says_so() -> None:
    assert frame(stored(), late=True)["late"] is True


@pytest.mark.parametrize(
    ("fields", "silent"),
    [
        ({"text_asr": "", "text_translated": None}, True),
        ({"text_asr": "hm", "text_translated": ""}, False),
        ({"text_asr": "", "text_translated": "", "tts_audio": msgspec.Raw(b'"QQ=="')}, False),
    ],
)
def test_silence_is_neither_text_nor_sound(fields: dict[str, Any], silent: bool) -> None:
    assert is_silent(stored(**fields)) is silent


def test_a_failure_advises_the_speaker_in_the_speakers_language() -> None:
    failure = Failure("QUEUE_TIMEOUT", reason="capacity_exceeded", breakdown={"offline": 2})
    told = msgspec.json.decode(TOLD.missing(Missing.JOB_FAILED, failure))
    assert told.pop("created_at_ms") > 0
    assert told.pop("message").startswith("等待")
    assert told == {
        "type": "missing_result",
        "session_id": "s-1",
        "utterance_index": 3,
        "reason": "job_failed",
        "trace_id": "t-1",
        "code": "QUEUE_TIMEOUT",
        "details": {"reason": "capacity_exceeded", "breakdown": {"offline": 2}},
    }


def outcome(state: str, code: str, message: str = "", *, by_node: bool = False) -> Outcome:
    return Outcome("job-1", "s-1", state, code, message, "", "n", 1, 0, by_node)


@pytest.mark.parametrize(
    ("message", "said"), [("it burns", "it burns"), ("", advice("GPU_ON_FIRE", "zh"))]
)
def test_a_nodes_own_report_is_shown_with_its_words_or_advice(message: str, said: str) -> None:
    failure = failure_from(outcome("FAILED", "GPU_ON_FIRE", message, by_node=True))
    assert failure.is_shown
    assert TOLD.error(failure).message == said


def test_a_failure_that_no_node_reported_is_not_shown_to_everybody() -> None:
    assert not failure_from(outcome("FAILED", "JOB_TIMEOUT")).is_shown


def test_a_cancelled_job_is_told_as_cancelled_whatever_the_cause() -> None:
    assert failure_from(outcome("CANCELLED", "OPERATOR")).code == "CANCELLED"


def test_a_node_that_never_answered_heard_nothing() -> None:
    assert failure_from(outcome("FAILED", "NO_RESULT")).missing is Missing.SILENCE
    assert failure_from(outcome("FAILED", "JOB_TIMEOUT")).missing is Missing.JOB_FAILED
