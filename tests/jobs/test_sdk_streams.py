"""The SDK's streams against a real web process."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from parley import Answer, Backoff, Missing, Session
from parley.frames import AsrPartial, SessionInit
from parley.outcome import Event
from tests.harness.frames import opus
from tests.harness.relay import Relay
from tests.jobs.test_streams import FULL, sound_of
from tests.peers.until import until


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


async def test_what_was_refused_is_answered_by_the_process_that_the_session_goes_on_at(
    web, other, node
):
    anna = await node()
    web.process.settings = replace(web.process.settings, unfinished_jobs=1)
    init = SessionInit("1", "web", "en", "zh", audio_format="opus")
    async with (
        Relay(web.session_url) as relay,
        Session(relay.url, init=init, backoff=Backoff(first=0.01, longest=0.1)) as session,
    ):
        heard = session.stream(pieces(opus(FULL), opus(1, start=FULL)))
        hearing = asyncio.create_task(all_of(heard))
        job = await anna.job()
        await until(lambda: session._ledger.streamed == {0: True, 1: True})
        relay.to = other.session_url
        assert session._conversation.wire.socket is not None
        session._conversation.wire.socket.transport.abort()
        await until(lambda: other.process.sessions.get(session.session_id))
        await anna.answers(job, "zero")
        async with asyncio.timeout(5):
            first, second = await hearing
        assert isinstance(first, Answer)
        assert isinstance(second, Missing)
        assert (first.index, second.index, second.code) == (0, 1, "NODE_OVERLOADED")


async def all_of(events: AsyncIterator[Event]) -> list[Event]:
    return [event async for event in events]
