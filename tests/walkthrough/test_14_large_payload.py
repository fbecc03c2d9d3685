"""Seven MiB of speech go to a node, and as much comes back."""

import base64
import random
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed

SEVEN_MIB = base64.b64encode(random.Random(7).randbytes(7 * 2**20 * 3 // 4)).decode()


@pytest.fixture
def other(two_processes):
    return two_processes[1]


async def test_a_large_utterance_and_a_large_answer_arrive_whole(node, session, other):
    anna, ben = await node("anna"), await session("en", "zh", at=other)
    await ben.says(SEVEN_MIB, audio_format="pcm16")
    job = await anna.job(within_s=10)
    assert job["audio"] == SEVEN_MIB

    await anna.answers(job, "你好", tts_audio=SEVEN_MIB, tts_format="pcm16")
    result = await ben.hears(within_s=10)
    assert result["tts_audio"] == SEVEN_MIB


async def test_small_ones_after_it_keep_their_order(node, session, other):
    anna, ben = await node("anna", slots=3), await session("en", "zh", at=other)
    await ben.says(SEVEN_MIB, audio_format="pcm16")
    await ben.says()
    await ben.says()
    jobs = [await anna.job(within_s=10) for _ in range(3)]
    assert [job["session_utterance_index"] for job in jobs] == [0, 1, 2]
    for job in jobs:
        await anna.answers(job, "你好", tts_audio=SEVEN_MIB if job is jobs[0] else "AAAA")
    results = [await ben.hears(within_s=10) for _ in range(3)]
    assert [len(result["tts_audio"]) for result in results] == [len(SEVEN_MIB), 4, 4]


async def test_a_frame_over_the_limit_ends_the_connection(session):
    ben = await session("en", "zh")
    with suppress(ConnectionClosed):  # it may be closed before the last byte is sent
        await ben.says(SEVEN_MIB + SEVEN_MIB, audio_format="pcm16")
    assert await ben.peer.closed() == 1009
