"""Speech that comes in pieces, over real sockets. The rules of cutting are in test_cutter."""

import asyncio
import base64
from dataclasses import replace

import pytest

from jobs.settings import JobSettings, StreamSettings
from lua.scripts import Command, control_node
from parley.audio import tone, wav_from_pcm16
from parley.codes import advice
from tests.harness.frames import opus
from tests.jobs.test_utterances import events, plays
from tests.peers.until import until

CUTS = ("is_manual_cut", "is_timeout_triggered", "is_max_duration_triggered")
FULL = 510  # packets of the longest utterance
NOISE = b"\xff\xff not Opus"


def settings(**streams: int) -> JobSettings:
    quick = StreamSettings(**{"final_hold_ms": 50, **streams})
    return JobSettings(lease_pause_ms=200, reap_pause_ms=50, streams=quick)


impatient = pytest.mark.parametrize("jobs", [settings(stream_timeout_ms=500)])
PATIENCE_S = 0.8


@pytest.fixture
def jobs() -> JobSettings:
    return settings()


def sound_of(job) -> bytes:
    return base64.b64decode(job["audio"])


def cut_of(job) -> list[str]:
    return [name for name in CUTS if job[name]]


async def busy(node, session) -> None:
    """The only node there is has all it can do."""
    full, other = await node("full", slots=1), await session()
    await other.says()
    await full.job()


async def test_what_is_said_up_to_the_final_is_one_job(node, session):
    anna, ben = await node(), await session()
    for number in range(3):
        await ben.streams(opus(5, start=5 * number))
    await ben.streams(opus(1, start=15), final=True)
    job = await anna.job()
    assert sound_of(job) == opus(16)
    assert (job["audio_format"], job["sample_rate"]) == ("opus", 16_000)
    assert (job["src_lang"], job["tgt_lang"]) == ("en", "zh")
    assert cut_of(job) == ["is_manual_cut"]
    await anna.answers(job, "你好")
    result = await ben.hears()
    assert (result["utterance_index"], result["text_translated"]) == (0, "你好")


@impatient
async def test_silence_ends_an_utterance_and_its_turn(node, session):
    anna, ben = await node(), await session()
    await ben.streams(opus(3))
    first = await anna.job()
    assert cut_of(first) == ["is_timeout_triggered"]
    await ben.streams(opus(3), final=True)
    assert (await anna.job())["turn_id"] != first["turn_id"]


async def test_a_long_turn_stays_on_its_node(node, session):
    nodes = [await node(name) for name in ("anna", "carl", "mary", "nora")]
    ben = await session()
    for _ in range(3):
        await ben.streams(opus(FULL))
    await ben.streams(opus(2 * FULL + 7), final=True)
    await until(lambda: any(len(one.jobs) == 6 for one in nodes))
    [home] = [one for one in nodes if one.jobs]
    first, *rest = home.jobs
    assert {job["turn_id"] for job in rest} == {first["turn_id"]}
    assert [cut_of(job) for job in home.jobs] == [["is_max_duration_triggered"]] * 5 + [
        ["is_manual_cut"]
    ]
    assert [job["session_utterance_index"] for job in home.jobs] == [0, 1, 2, 3, 4, 5]
    index = first["utterance_index"]
    assert [job["utterance_index"] for job in home.jobs] == list(range(index, index + 6))


async def test_a_turn_moves_between_utterances_when_its_node_is_drained(web, node, session):
    anna, ben = await node("anna"), await session()
    await ben.streams(opus(FULL + 1))
    job = await anna.job()
    mary = await node("mary")
    await control_node(
        web.process.cells, cell=0, node="anna", command=Command.DRAIN, reason="a new driver"
    )
    await ben.streams(opus(FULL))
    await anna.answers(job, "one")
    await mary.answers(await mary.job(), "two")
    assert [(await ben.hears())["text_translated"] for _ in range(2)] == ["one", "two"]
    await ben.streams(opus(1), final=True)
    assert (await mary.job())["turn_id"] == job["turn_id"]
    assert len(anna.jobs) == 1


async def test_a_turn_that_waited_goes_on_where_it_was_taken(node, session):
    ben = await session()
    await busy(node, session)
    await ben.streams(opus(FULL + 1))
    await ben.peer.expect("backpressure")
    anna, _ = await node("anna"), await node("mary")
    first = await anna.job()
    await ben.streams(opus(FULL))
    assert (await anna.job())["turn_id"] == first["turn_id"]


async def test_each_utterance_of_a_stream_is_told_from_its_beginning(node, session):
    anna, ben = await node(), await session()
    await ben.streams(opus(3))
    started = await ben.peer.expect("ui_event")
    assert (started["event"], started["utterance_index"]) == ("INPUT_STARTED", 0)
    assert not anna.jobs
    await ben.streams(opus(3), final=True)
    job = await anna.job()
    await anna.answers(job, "你好")
    await ben.hears()
    assert events(ben) == ["INPUT_STARTED", "INPUT_ENDED", "DISPATCHED", "NMT_DONE"]
    about = {(event["job_id"], event["trace_id"]) for event in ben.peer.of_type("ui_event")}
    assert about == {(job["job_id"], job["trace_id"])}


async def test_a_chunk_counts_once_wherever_its_numbers_begin(node, session):
    anna, ben = await node(), await session()
    for seq, start in ((700, 0), (700, 0), (701, 1), (709, 2), (701, 1)):
        await ben.streams(opus(1, start=start), seq=seq)
    await ben.streams(opus(1, start=3), seq=710, final=True)
    await ben.streams(opus(1, start=3), seq=710, final=True)
    assert sound_of(await anna.job()) == opus(4)


async def test_streams_and_whole_utterances_share_their_numbers(node, session):
    anna, ben = await node(), await session()
    await ben.says(utterance_index=4)
    await anna.answers(await anna.job(), "whole")
    await ben.streams(opus(1))
    await ben.peer.expect("ui_event", event="INPUT_STARTED", utterance_index=5)
    await ben.says(utterance_index=5)
    await anna.answers(await anna.job(), "whole again")
    await ben.streams(final=True)
    await anna.answers(await anna.job(), "streamed")
    heard = [await ben.hears() for _ in range(3)]
    assert [(one["utterance_index"], one["text_translated"]) for one in heard] == [
        (4, "whole"),
        (5, "whole again"),
        (6, "streamed"),
    ]


async def test_a_final_without_any_sound_makes_no_job(node, session):
    anna, ben = await node(), await session()
    await ben.streams(final=True)
    await asyncio.sleep(0.1)  # longer than a final is held
    await ben.streams(opus(1), final=True)
    assert (await anna.job())["session_utterance_index"] == 0
    assert events(ben)[0] == "INPUT_STARTED"
    assert len(anna.jobs) == 1


async def test_damaged_sound_is_refused_and_the_stream_goes_on(node, session):
    anna, ben = await node(), await session()
    await ben.streams(opus(3))
    await ben.streams(NOISE)
    refusal = await ben.hears()
    assert (refusal["type"], refusal["utterance_index"]) == ("missing_result", 0)
    assert (refusal["reason"], refusal["code"]) == ("job_failed", "INVALID_MESSAGE")
    assert "Opus" in refusal["message"]
    assert events(ben) == ["INPUT_STARTED", "INPUT_ENDED", "ERROR"]
    await ben.streams(opus(3), final=True)
    await asyncio.sleep(0.1)
    await ben.streams(opus(2), final=True)
    job = await anna.job()
    assert (sound_of(job), job["session_utterance_index"]) == (opus(2), 1)
    assert ben.peer.of_type("error") == []


async def test_a_chunk_that_is_not_base64_never_came(node, session):
    anna, ben = await node(), await session()
    chunk = {"type": "audio_chunk", "session_id": ben.id, "seq": 1, "is_final": True}
    await ben.peer.send({**chunk, "payload": "not base64"})
    error = await ben.peer.expect("error")
    assert error["code"] == "INVALID_MESSAGE"
    assert error["details"] == {"field": "payload", "expected": "base64", "type": "audio_chunk"}
    await ben.streams(opus(1), seq=1, final=True)
    assert sound_of(await anna.job()) == opus(1)


@impatient
async def test_nobody_is_silent_while_a_result_is_played(node, session):
    anna, ben = await node(), await session()
    started, ended = plays(ben, "whatever it is called")
    await ben.streams(opus(1))
    await ben.peer.send(started)
    await asyncio.sleep(PATIENCE_S)
    assert not anna.jobs
    await ben.peer.send(ended)
    assert cut_of(await anna.job()) == ["is_timeout_triggered"]


@impatient
async def test_a_session_that_vanishes_in_the_middle_leaves_nothing(web, node, session):
    anna, ben = await node(), await session()
    await ben.streams(opus(9))
    await until(lambda: web.process.streams.used == len(opus(9)))
    ben.peer.vanish()
    await until(lambda: web.process.streams.used == 0)
    assert not web.process.speaking
    await asyncio.sleep(PATIENCE_S)
    assert not anna.jobs


async def test_a_session_that_may_come_back_has_not_spoken_in_vain(web, node, session):
    anna, ben = await node(), await session(accepts=["resume"])
    await ben.streams(opus(9))
    await ben.peer.expect("ui_event")
    ben.peer.vanish()
    job = await anna.job()
    assert (sound_of(job), cut_of(job)) == (opus(9), ["is_timeout_triggered"])
    assert web.process.streams.used == 0


@impatient
async def test_a_session_that_is_closed_in_the_middle_leaves_nothing(web, node, session):
    anna, ben = await node(), await session()
    await ben.streams(opus(9))
    await ben.ends()
    assert web.process.streams.used == 0
    await asyncio.sleep(PATIENCE_S)
    assert not anna.jobs


@pytest.mark.parametrize("jobs", [settings(stream_memory_bytes=4_000)])
async def test_when_memory_is_short_the_newest_is_refused(web, node, session):
    anna, ben, zoe = await node(), await session(), await session()
    await ben.streams(opus(70))
    await ben.peer.expect("ui_event")
    await zoe.streams(opus(5))
    refusal = await zoe.hears()
    assert (refusal["reason"], refusal["code"]) == ("job_failed", "NODE_OVERLOADED")
    assert (await zoe.peer.expect("backpressure"))["action"] == "PAUSE"
    await ben.streams(opus(5, start=70), final=True)
    assert sound_of(await anna.job()) == opus(75)
    assert web.process.streams.used == 0


@pytest.mark.parametrize("jobs", [replace(settings(), pause_ms=1_000)])
async def test_in_a_pause_what_comes_after_the_final_belongs_to_it(node, session):
    ben = await session()
    await busy(node, session)
    await ben.says(deadline_ms=0)
    pause = await ben.peer.expect("backpressure")
    assert (pause["action"], pause["resume_after_ms"]) == ("PAUSE", 1_000)
    await ben.streams(opus(2))
    await ben.streams(final=True)
    anna = await node()
    await asyncio.sleep(1.0)
    await ben.streams(opus(3, start=2))
    await ben.streams(opus(4, start=5))
    assert sound_of(await anna.job()) == opus(9)


OPTIONS = {
    "dialect": "en-GB",
    "features": {"emotion_detection": False},
    "enable_streaming_asr": True,
    "partial_update_interval_ms": 250,
    "context_text": "good morning",
    "padding_ms": 280,
    "auto_langs": ["en", "zh"],
}


async def test_what_the_session_wants_is_told_with_each_of_its_utterances(node, session):
    anna = await node()
    ben = await session(mode="two_way_auto", lang_a="en", lang_b="zh", **OPTIONS)
    await ben.streams(opus(1), final=True)
    await ben.streams(final=True)
    job = await anna.job()
    told = {"mode": "two_way_auto", "lang_a": "en", "lang_b": "zh", "src_lang": "auto", **OPTIONS}
    assert {name: job[name] for name in told} == told
    await ben.says(utterance_index=1)
    whole = await anna.job()
    assert {name: whole[name] for name in told} == told
    assert "turn_id" not in whole


@pytest.mark.parametrize("name", ["pcm16", "wav"])
async def test_other_formats_are_named_when_the_session_begins(node, session, name):
    anna = await node()
    ben = await session(audio_format=name, sample_rate=16_000)
    sound = tone(0.2)
    for _ in range(2):
        await ben.streams(wav_from_pcm16(sound) if name == "wav" else sound)
    await ben.streams(final=True)
    job = await anna.job()
    assert (job["audio_format"], job["sample_rate"]) == ("pcm16", 16_000)
    assert sound_of(job) == 2 * sound


async def test_a_format_that_no_node_takes_is_refused(node, session):
    await node()
    ben = await session(audio_format="flac", sample_rate=44_100)
    await ben.streams(b"fLaC...", final=True)
    refusal = await ben.hears()
    assert refusal["code"] == "UNSUPPORTED_FEATURE"
    assert "opus and pcm16" in refusal["message"]
    carl = await node("carl", audio_formats=["flac"])
    await ben.streams(b"fLaC...", final=True)
    job = await carl.job()
    assert (job["audio_format"], job["sample_rate"]) == ("flac", 44_100)


async def test_a_process_that_stops_takes_no_more_of_a_stream(web, node, session):
    anna, ben = await node(), await session()
    await ben.streams(opus(2))
    await ben.peer.expect("ui_event")
    draining = asyncio.create_task(web.process.drain(5))
    job = await anna.job()
    assert (sound_of(job), cut_of(job)) == (opus(2), ["is_timeout_triggered"])
    await ben.streams(opus(1), final=True)
    await anna.answers(job, "the last of it")
    assert (await ben.hears())["text_translated"] == "the last of it"
    refusal = await ben.hears()
    assert refusal["code"] == "SCHEDULER_DEPENDENCY_DOWN"
    assert refusal["message"] == advice("SCHEDULER_DEPENDENCY_DOWN", "en")
    await draining
    assert len(anna.jobs) == 1
