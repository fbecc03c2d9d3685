"""What a session is told of its utterances, over real sockets."""

import asyncio
import base64
import json

import pytest

from jobs.settings import JobSettings, OrderSettings, SocketSettings
from jobs.telling import KEPT_RESULTS
from lua.scripts import cancel
from parley.audio import tone, wav_from_pcm16
from parley.codes import advice
from tests.harness.frames import job_result, session_init, utterance
from tests.peers.raw import raw_peer
from tests.peers.until import until

NOISE = base64.b64encode(b"not sound, but nobody looks").decode()
OPUS = {"audio": NOISE, "audio_format": "opus"}


def events(session, index: int = 0) -> list[str]:
    about = session.peer.of_type("ui_event")
    return [event["event"] for event in about if event["utterance_index"] == index]


async def test_each_step_of_a_job_is_told(node, session):
    anna, ben = await node(), await session()
    await ben.says(trace_id="t-9")
    job = await anna.job()
    assert job["trace_id"] == "t-9"
    await anna.acks(job)
    await anna.hears_so_far(job, "hel")
    partial = await ben.peer.expect("asr_partial")
    assert partial == {
        "type": "asr_partial",
        "job_id": job["job_id"],
        "session_id": ben.id,
        "utterance_index": 0,
        "text": "hel",
        "is_final": False,
        "trace_id": "t-9",
    }
    await anna.answers(job, "你好")
    result = await ben.hears()
    assert result["network_timings"]["scheduler_to_node_ms"] >= 0
    assert events(ben) == [
        "INPUT_STARTED",
        "INPUT_ENDED",
        "DISPATCHED",
        "NODE_ACCEPTED",
        "ASR_PARTIAL",
        "NMT_DONE",
    ]
    for event in ben.peer.of_type("ui_event"):
        assert (event["trace_id"], event["job_id"], event["status"]) == ("t-9", job["job_id"], "ok")
        assert event["elapsed_ms"] >= 0


def plays(session, trace: str):
    """What a client sends when it has begun to play a result, and when that has ended."""
    about = {"session_id": session.id, "trace_id": trace, "group_id": "unknown"}
    started = {"type": "tts_started", "ts_start_ms": 1, **about}
    return started, {"type": "tts_play_ended", "ts_end_ms": 2, **about}


async def test_a_result_that_is_played_is_told_of_its_utterance(node, session):
    anna, ben = await node(), await session()
    for trace in ("t-0", "t-1"):
        await ben.says(trace_id=trace)
        await anna.answers(await anna.job(), "…")
        await ben.hears()
    for frame in (*plays(ben, "t-OTHER"), *plays(ben, "t-1"), *plays(ben, "t-0")):
        await ben.peer.send(frame)
    await ben.peer.expect("ui_event", event="TTS_PLAY_ENDED", trace_id="t-0")
    told = [(event["utterance_index"], event["event"]) for event in ben.peer.of_type("ui_event")]
    assert told[-4:] == [
        (1, "TTS_PLAY_STARTED"),
        (1, "TTS_PLAY_ENDED"),
        (0, "TTS_PLAY_STARTED"),
        (0, "TTS_PLAY_ENDED"),
    ]


async def test_only_the_last_results_can_be_played(node, session):
    anna, ben = await node(), await session()
    for index in range(KEPT_RESULTS + 1):
        await ben.says(trace_id=f"t-{index}")
        await anna.answers(await anna.job(), "…")
        await ben.hears()
    for index in (0, 1):
        for frame in plays(ben, f"t-{index}"):
            await ben.peer.send(frame)
    await ben.peer.expect("ui_event", event="TTS_PLAY_ENDED", utterance_index=1)
    assert "TTS_PLAY_STARTED" not in events(ben, 0)


async def test_partials_overtake_the_results_that_wait(node, session):
    anna, ben = await node(), await session()
    await ben.says()
    await ben.says()
    first, second = await anna.job(), await anna.job()
    await anna.answers(second, "two")
    await anna.hears_so_far(first, "one so far")
    await ben.peer.expect("asr_partial")
    assert ben.outcomes == []
    await anna.answers(first, "one")
    assert [(await ben.hears())["utterance_index"] for _ in range(2)] == [0, 1]


async def test_everything_that_a_node_says_of_its_result_arrives(node, session):
    anna, ben = await node(), await session()
    await ben.says()
    said = {
        "tts_audio": NOISE,
        "tts_format": "opus",
        "group_id": "g-1",
        "part_index": 2,
        "quality_score": 0.5,
        "reason_codes": ["x"],
        "rerun_count": 1,
        "segments_meta": {"a": [1]},
        "asr_quality_level": "good",
        "extra": {"service_timings": {"asr_ms": 3}, "emotion": "glad"},
    }
    await anna.answers(await anna.job(), "你好", **said)
    result = await ben.hears()
    assert {name: result[name] for name in said} == said
    assert result["service_timings"] == {"asr_ms": 3}


async def test_a_wav_reaches_the_node_as_plain_samples(node, session):
    anna, ben = await node(), await session()
    sound = tone(0.1)
    await ben.says(base64.b64encode(wav_from_pcm16(sound)).decode())
    job = await anna.job()
    assert (job["audio_format"], job["sample_rate"]) == ("pcm16", 16_000)
    assert base64.b64decode(job["audio"]) == sound


async def test_another_format_goes_only_to_nodes_that_take_it(node, session):
    await node("anna")
    ben = await session(accepts=["errors"])
    await ben.says(NOISE, audio_format="flac")
    refusal = await ben.hears()
    assert (refusal["reason"], refusal["code"]) == ("job_failed", "UNSUPPORTED_FEATURE")
    assert "opus and pcm16" in refusal["message"]
    carl = await node("carl", audio_formats=["opus", "pcm16", "flac"])
    await ben.says(NOISE, audio_format="flac")
    assert (await carl.job())["audio_format"] == "flac"


@pytest.mark.parametrize(
    ("taken", "sent", "possible"),
    [
        (["pcm16"], "opus", "pcm16, 16 kHz mono, is possible."),
        (["pcm16"], "flac", "pcm16, 16 kHz mono, is possible."),
        (["flac"], "opus", "can take audio of the format 'opus'."),
    ],
)
async def test_a_refused_format_names_those_that_the_nodes_do_take(
    node, session, taken, sent, possible
):
    await node(audio_formats=taken)
    ben = await session()
    await ben.says(NOISE, audio_format=sent)
    refusal = await ben.hears()
    assert refusal["code"] == "UNSUPPORTED_FEATURE"
    assert refusal["message"].endswith(possible)


async def test_a_wav_that_could_not_be_unwrapped_is_refused_with_the_reason(node, session):
    await node()
    ben = await session()
    wav = bytearray(wav_from_pcm16(tone(0.1), 44_100))
    wav[22:24] = b"\2\0"  # channels
    await ben.says(base64.b64encode(wav).decode())
    refusal = await ben.hears()
    assert refusal["code"] == "UNSUPPORTED_FEATURE"
    assert refusal["message"].endswith("got 16-bit PCM, 2 channel(s), 44100 Hz.")


async def test_sound_that_lies_elsewhere_goes_only_to_nodes_that_fetch_it(node, session):
    await node("anna")
    ben = await session()
    await ben.says(audio=None, audio_ref="https://sound", audio_format="opus")
    refusal = await ben.hears()
    assert (refusal["reason"], refusal["code"]) == ("job_failed", "UNSUPPORTED_FEATURE")
    assert "audio_ref" in refusal["message"]
    carl = await node("carl", audio_ref=True)
    await ben.says(audio=None, audio_ref="https://sound", audio_format="opus")
    job = await carl.job()
    assert job["audio_ref"] == "https://sound"
    assert "audio" not in job


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"audio": ""}, "audio"),
        ({"audio": "not base64"}, "audio"),
        ({"src_lang": "not a language"}, "src_lang"),
        ({"tgt_lang": "auto"}, "tgt_lang"),
    ],
)
@pytest.mark.parametrize("accepts", [[], ["errors"]])
async def test_an_utterance_that_cannot_be_meant_is_answered_in_its_turn_and_at_once(
    node, session, changes, field, accepts
):
    anna, ben = await node(), await session(accepts=accepts)
    await ben.says(**OPUS)
    await ben.says(trace_id="t-1", **{**OPUS, **changes})
    await ben.says(**OPUS)
    error = await ben.peer.expect("error", code="INVALID_MESSAGE")
    assert (error["trace_id"], error["details"]["field"]) == ("t-1", field)
    for _ in range(2):
        await anna.answers(await anna.job(), "well")
    first, refused, last = [await ben.hears(within_s=2) for _ in range(3)]
    assert first["text_translated"] == last["text_translated"] == "well"
    assert (refused["utterance_index"], refused["reason"]) == (1, "job_failed")
    assert (refused["code"], refused["trace_id"]) == ("INVALID_MESSAGE", "t-1")
    assert refused["message"] == error["message"]
    assert refused["details"]["field"] == field
    assert len(ben.peer.of_type("error")) == 1
    assert len(anna.jobs) == 2


async def test_a_result_of_nothing_is_silence(node, session):
    anna, ben = await node(), await session()
    await ben.says()
    nothing = {"text_asr": "", "text_translated": None, "extra": {"reason": "ASR_EMPTY"}}
    await anna.peer.send(job_result(await anna.job(), anna.name, **nothing))
    silence = await ben.hears()
    assert (silence["type"], silence["reason"]) == ("missing_result", "silence_detected")
    assert ben.peer.of_type("error") == []


async def test_some_text_without_a_translation_is_a_result(node, session):
    anna, ben = await node(), await session()
    await ben.says()
    await anna.answers(await anna.job(), "")
    result = await ben.hears()
    assert (result["text_asr"], result["text_translated"]) == ("…", "")


@pytest.mark.parametrize("accepts", [[], ["errors"]])
async def test_what_the_node_itself_reports_is_told_to_everybody(node, session, accepts):
    anna, ben = await node(), await session(accepts=accepts)
    await ben.says()
    job = await anna.job()
    await anna.fails(job, "INVALID_SPEECH", "it is only noise")
    missing = await ben.hears()
    assert (missing["reason"], missing["code"]) == ("job_failed", "INVALID_SPEECH")
    assert missing["message"] == "it is only noise"
    error = await ben.peer.expect("error", code="INVALID_SPEECH", message="it is only noise")
    assert error["trace_id"] == job["trace_id"]
    assert error["details"]["job_id"] == job["job_id"]
    assert error["details"]["utterance_index"] == 0
    event = ben.peer.of_type("ui_event")[-1]
    assert (event["event"], event["status"]) == ("ERROR", "error")
    assert (event["error_code"], bool(event["hint"])) == ("INVALID_SPEECH", True)


async def busy(node, session, name: str) -> None:
    """A node that has all it can do."""
    it, other = await node(name, slots=1), await session()
    await other.says()
    await it.job()


@pytest.mark.parametrize("message", ["out of memory", ""])
async def test_what_a_node_reported_is_told_even_if_the_job_waits_afterwards(
    node, session, message
):
    await busy(node, session, "carl")
    anna, ben = await node(), await session()
    await ben.says(deadline_ms=1_000)
    await anna.fails(await anna.job(), "GPU_ON_FIRE", message)
    missing = await ben.hears()
    error = await ben.peer.expect("error", code="GPU_ON_FIRE")
    said = message or advice("GPU_ON_FIRE")
    assert (missing["code"], missing["message"], error["message"]) == ("GPU_ON_FIRE", said, said)


async def test_a_node_that_gives_no_message_is_told_with_advice(node, session):
    anna, ben = await node(), await session()
    await ben.says()
    await anna.fails(await anna.job(), "INVALID_SPEECH", "")
    error = await ben.peer.expect("error", code="INVALID_SPEECH")
    assert error["message"] == advice("INVALID_SPEECH")
    assert (await ben.hears())["message"] == advice("INVALID_SPEECH")


@pytest.mark.parametrize(("accepts", "shown"), [([], 0), (["errors"], 1)])
async def test_other_failures_are_error_frames_for_those_who_accept_them(session, accepts, shown):
    ben = await session(accepts=accepts)
    await ben.says()
    missing = await ben.hears()
    assert (missing["code"], missing["details"]["reason"]) == ("NO_CAPABLE_NODE", "no_nodes")
    assert len(ben.peer.of_type("error")) == shown
    assert events(ben)[-1] == "ERROR"


async def test_a_cancelled_job_is_told_as_cancelled(node, session, web):
    anna, ben = await node(), await session()
    await ben.says()
    job = await anna.job()
    await cancel(web.process.cells, cell=0, job=job["job_id"], code="OPERATOR")
    missing = await ben.hears()
    assert (missing["reason"], missing["code"]) == ("job_failed", "CANCELLED")


async def test_a_job_that_waits_asks_for_a_pause_once(node, session):
    anna, ben = await node(slots=1), await session()
    for _ in range(3):
        await ben.says()
    pause = await ben.peer.expect("backpressure")
    assert pause == {"type": "backpressure", "action": "PAUSE", "resume_after_ms": 5_000}
    for _ in range(3):
        await anna.answers(await anna.job(), "…")
    assert [(await ben.hears())["type"] for _ in range(3)] == ["translation_result"] * 3
    assert len(ben.peer.of_type("backpressure")) == 1
    assert events(ben, 2) == ["INPUT_STARTED", "INPUT_ENDED", "DISPATCHED", "NMT_DONE"]


@pytest.mark.parametrize(("accepts", "action"), [([], "PAUSE"), (["backpressure"], "SLOW_DOWN")])
async def test_a_job_that_is_tried_again_and_waits_says_so_once(node, session, accepts, action):
    nodes = [await node("anna", slots=1), await node("zoe", slots=1)]
    mia, ben = await session(), await session(accepts=accepts)
    await mia.says()
    await ben.says()
    jobs = [await one.job() for one in nodes]
    first = jobs[0]["session_id"] == ben.id
    bad, good = nodes if first else nodes[::-1]
    bens, mias = jobs if first else jobs[::-1]
    assert ben.peer.of_type("backpressure") == []
    await bad.fails(bens, "INTERNAL_ERROR")
    assert (await ben.peer.expect("backpressure"))["action"] == action
    await good.answers(mias, "…")
    await good.answers(await good.job(), "at last")
    assert (await ben.hears())["text_translated"] == "at last"
    assert len(ben.peer.of_type("backpressure")) == 1
    assert events(ben, 0).count("DISPATCHED") == 1
    assert mia.peer.of_type("backpressure") == []


async def test_what_an_utterance_leaves_out_its_session_has_said(node, session):
    anna = await node()
    ben = await session(
        mode="two_way_auto",
        lang_a="en",
        lang_b="zh",
        dialect="d",
        features={"emotion_detection": True},
    )
    await ben.says()
    job = await anna.job()
    assert (job["src_lang"], job["tgt_lang"]) == ("auto", "zh")
    assert (job["mode"], job["lang_a"], job["lang_b"]) == ("two_way_auto", "en", "zh")
    assert (job["dialect"], job["features"]) == ("d", {"emotion_detection": True})


async def test_a_request_made_again_while_it_runs_answers_both_utterances(node, session):
    anna, ben = await node(), await session()
    await ben.says(request_id="r-1")
    job = await anna.job()
    await ben.says(request_id="r-1")
    await ben.says()
    last = await anna.job()
    await anna.answers(last, "third")
    await anna.answers(job, "first")
    told = [await ben.hears() for _ in range(3)]
    assert [(one["utterance_index"], one["text_translated"]) for one in told] == [
        (0, "first"),
        (1, "first"),
        (2, "third"),
    ]
    assert {told[0]["job_id"], told[1]["job_id"]} == {job["job_id"]}
    assert len(anna.jobs) == 2


class TestShortGaps:
    @pytest.fixture
    def jobs(self) -> JobSettings:
        order = OrderSettings(gap_ms=200, patient_gap_ms=600)
        return JobSettings(order=order, lease_pause_ms=200, reap_pause_ms=50)

    async def test_a_gap_is_given_up_and_its_result_comes_late(self, node, session):
        anna, ben = await node(), await session()
        await ben.says(trace_id="t-0")
        await ben.says()
        slow, quick = await anna.job(), await anna.job()
        await anna.answers(quick, "two")
        gap, two = await ben.hears(), await ben.hears()
        assert (gap["utterance_index"], gap["reason"]) == (0, "gap_timeout")
        assert gap["trace_id"] == "t-0"
        assert two["utterance_index"] == 1
        await anna.answers(slow, "one")
        late = await ben.hears()
        assert (late["text_translated"], late["late"]) == ("one", True)

    async def test_a_failure_after_its_gap_is_no_second_answer(self, node, session):
        anna, ben = await node(), await session(accepts=["errors"])
        await ben.says()
        await ben.says()
        slow, quick = await anna.job(), await anna.job()
        await anna.answers(quick, "two")
        await ben.hears()
        await ben.hears()
        await anna.fails(slow, "INVALID_SPEECH")
        await ben.peer.expect("error")
        await ben.says()
        await anna.answers(await anna.job(), "three")
        assert (await ben.hears())["utterance_index"] == 2
        assert len(ben.outcomes) == 3

    async def test_what_waits_when_its_gap_is_given_up_is_cancelled(self, node, session, web):
        """Some patience is due to it, but once it is over no node works for nobody."""
        anna, carl = await node(), await node("carl", slots=1, audio_formats=["pcm16", "flac"])
        ben, dora = await session(), await session()
        await dora.says(NOISE, audio_format="flac")
        busy = await carl.job()
        await ben.says(NOISE, audio_format="flac")
        await ben.says(**OPUS)
        began_s = asyncio.get_running_loop().time()
        await anna.answers(await anna.job(), "two")
        assert (await ben.hears())["reason"] == "gap_timeout"
        assert asyncio.get_running_loop().time() - began_s >= 0.6
        assert (await ben.hears())["text_translated"] == "two"
        await ben.peer.expect("ui_event", event="ERROR", error_code="CANCELLED")
        await carl.answers(busy, "dora's")
        await dora.hears()
        await dora.says(NOISE, audio_format="flac")
        assert (await carl.job())["session_id"] == dora.id
        assert len(ben.outcomes) == 2


class TestLittleRoom:
    @pytest.fixture
    def jobs(self) -> JobSettings:
        return JobSettings(unfinished_jobs=2, lease_pause_ms=200, reap_pause_ms=50)

    async def test_a_session_with_too_much_unanswered_is_refused_more(self, node, session):
        anna, ben = await node(), await session()
        for _ in range(3):
            await ben.says()
        await ben.peer.expect("ui_event", event="ERROR", error_code="NODE_OVERLOADED")
        await ben.peer.expect("backpressure", action="PAUSE")
        for job in (await anna.job(), await anna.job()):
            await anna.answers(job, "…")
        told = [(await ben.hears())["type"] for _ in range(3)]
        assert told == ["translation_result", "translation_result", "missing_result"]
        await ben.says()
        await anna.answers(await anna.job(), "again")
        assert (await ben.hears())["text_translated"] == "again"


class TestLittleToSend:
    """A burst of results that only waited for one before them is no fault of the client."""

    @pytest.fixture
    def jobs(self) -> JobSettings:
        socket = SocketSettings(outgoing_bytes=4 * 2**20)
        return JobSettings(socket=socket, lease_pause_ms=200, reap_pause_ms=50)

    async def test_large_results_that_waited_leave_no_faster_than_they_are_read(self, web, node):
        count, large = 16, base64.b64encode(bytes(2**20)).decode()
        init = session_init("en", "zh")
        anna = await node(slots=count)
        async with raw_peer(web.session_url, reading=False) as peer:
            await peer.send(init)
            name = json.loads(await peer.socket.recv())["session_id"]
            for index in range(count):
                await peer.send(utterance(name, index, init, NOISE, audio_format="opus"))
            assigned = [await anna.job() for _ in range(count)]
            for job in assigned[1:]:
                await anna.answers(job, "…", tts_audio=large)
            await anna.answers(assigned[0], "first")
            await asyncio.sleep(1)  # in which the client reads nothing
            peer.start_reading()
            for index in range(count):
                await peer.expect("translation_result", utterance_index=index)


async def test_a_session_that_is_over_keeps_no_sound(node, session, web):
    anna, ben = await node(), await session()
    await ben.says()
    await anna.job()
    live = web.process.sessions.get(ben.id)
    assert live.unfinished
    await ben.ends()
    await until(lambda: live.ended and not live.unfinished)
