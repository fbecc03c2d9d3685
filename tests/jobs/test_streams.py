"""Speech that comes in pieces, over real sockets. The rules of cutting are in test_cutter."""

import base64

from tests.harness.frames import opus


def sound_of(job) -> bytes:
    return base64.b64decode(job["audio"])


CUTS = ("is_manual_cut", "is_timeout_triggered", "is_max_duration_triggered")


def cut_of(job) -> list[str]:
    return [name for name in CUTS if job[name]]


async def test_what_is_said_up_to_the_final_is_one_job(node, session):
    anna, ben = await node(), await session()
    for number in range(3):
        await ben.streams(opus(5, start=5 * number))
    await ben.streams(opus(1, start=15), final=True)
    job = await anna.job()
    assert sound_of(job) == opus(16)
    assert (job["audio_format"], job["sample_rate"]) == ("opus", 16_000)
    assert cut_of(job) == ["is_manual_cut"]
    assert job["turn_id"]
    await anna.answers(job, "你好")
    result = await ben.hears()
    assert (result["utterance_index"], result["text_translated"]) == (0, "你好")


async def test_a_final_may_come_before_the_last_sound(node, session):
    anna, ben = await node(), await session()
    await ben.streams(opus(3))
    await ben.streams(final=True)
    await ben.streams(opus(2, start=3))
    assert sound_of(await anna.job()) == opus(5)


async def test_a_final_without_any_sound_makes_no_job(node, session):
    anna, ben = await node(), await session()
    await ben.streams(final=True)
    await ben.peer.send({"type": "client_heartbeat", "session_id": ben.id, "timestamp": 1})
    await ben.peer.expect("server_heartbeat")
    await ben.says()
    job = await anna.job()
    assert job["session_utterance_index"] == 0
    assert job["audio_format"] == "pcm16"
    assert len(anna.jobs) == 1
