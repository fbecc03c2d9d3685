"""The SDK's streams against a real web process."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from parley import Answer, Session
from parley.frames import AsrPartial, SessionInit
from parley.outcome import Event
from tests.harness.frames import opus
from tests.jobs.test_streams import sound_of


async def pieces(*some: bytes) -> AsyncIterator[bytes]:
    for piece in some:
        yield piece


def indexes(heard: list[Event]) -> list[int]:
    return [event.index for event in heard if not isinstance(event, AsrPartial)]


async def answering(node, count: int) -> list[dict]:
    jobs = []
    for number in range(count):
        jobs.append(await node.job())
        await node.answers(jobs[-1], str(number))
    return jobs


@pytest.mark.parametrize("accepts", [None, ["resume"]])
async def test_pcm16_is_heard_in_binary_and_in_text(web, node, accepts):
    anna = await node()
    init = SessionInit("1", "web", "en", "zh", accepts=accepts)
    async with Session(web.session_url, init=init) as session:
        assert session.ack is not None
        assert session.ack.use_binary_frame is (accepts is None)
        jobs = asyncio.create_task(answering(anna, 2))
        for number in range(2):
            chunks = pieces(b"\1\0" * 1_600, b"\2\0" * 1_600)
            [answer] = [event async for event in session.stream(chunks)]
            assert isinstance(answer, Answer)
            assert (answer.index, answer.text_translated) == (number, str(number))
        for job in await jobs:
            assert sound_of(job) == b"\1\0" * 1_600 + b"\2\0" * 1_600
            assert job["audio_format"] == "pcm16"


async def test_opus_is_sent_as_it_is(web, node):
    anna = await node()
    init = SessionInit("1", "web", "en", "zh", audio_format="opus")
    async with Session(web.session_url, init=init) as session:
        jobs = asyncio.create_task(answering(anna, 1))
        heard = [event async for event in session.stream(pieces(opus(3), opus(2, start=3)))]
        assert indexes(heard) == [0]
        assert sound_of((await jobs)[0]) == opus(5)


async def test_a_long_speech_is_cut_and_all_of_it_is_answered(web, node):
    anna = await node()
    async with Session(web.session_url, src_lang="en", tgt_lang="zh") as session:
        jobs = asyncio.create_task(answering(anna, 3))
        second = b"\1\0" * 16_000
        heard = [event async for event in session.stream(pieces(*[second] * 25))]
        assert indexes(heard) == [0, 1, 2]
        assert b"".join(map(sound_of, await jobs)) == second * 25


async def test_silence_is_no_stream(web, node):
    await node()
    async with Session(web.session_url, src_lang="en", tgt_lang="zh") as session:
        assert [event async for event in session.stream(pieces())] == []
