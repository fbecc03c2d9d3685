"""Streams of the session end: against a server that the test plays, and against the real one."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from parley import Answer, Missing, Session, SessionError, live
from parley.audio import tone
from parley.frames import AsrPartial, BinaryAudio, BinaryFinal, decode_binary
from tests.peers.raw import RawPeer
from tests.peers.server import FakeServer
from tests.peers.until import until
from tests.sdk.sessions import make_session, missing, result, talking, welcome

PIECES = [b"\1\0" * 800, b"\2\0" * 800]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions don't wait long for the answer to their goodbye, which most tests don't give."""
    monkeypatch.setattr("parley.conversation.CLOSE_S", 0.02)


async def pieces(some: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in some:
        yield piece


async def said(session: Session, some: Iterable[bytes] = PIECES) -> list[Any]:
    return [event async for event in session.stream(pieces(some))]


async def hears(peer: RawPeer, index: int, event: str) -> None:
    about = {"session_id": "s-00000001", "job_id": f"job-{index}", "trace_id": "t"}
    await peer.send(
        {"type": "ui_event", "utterance_index": index, "event": event, "status": "ok", **about}
    )


async def beats(peer: RawPeer) -> None:
    """Answers the question whether all was heard."""
    beat = await peer.expect("client_heartbeat")
    await peer.send({"type": "server_heartbeat", "session_id": beat["session_id"], "timestamp": 1})


async def test_pieces_go_out_and_a_final_after_them(server: FakeServer) -> None:
    async with talking(server) as (session, peer):
        saying = asyncio.create_task(said(session, [*PIECES, b""]))
        await hears(peer, 0, "INPUT_STARTED")
        await beats(peer)
        await hears(peer, 0, "INPUT_ENDED")
        await peer.send(result(0))
        [answer] = await saying
        assert isinstance(answer, Answer)
    init, chunks = peer.of_type("session_init")[0], peer.of_type("audio_chunk")
    assert (init["audio_format"], init["sample_rate"]) == ("pcm16", 16_000)
    assert [base64.b64decode(chunk["payload"]) for chunk in chunks] == [*PIECES, b""]
    assert [chunk["seq"] for chunk in chunks] == [0, 1, 2]
    assert [chunk["is_final"] for chunk in chunks] == [False, False, True]


async def test_a_piece_that_no_frame_can_hold_goes_out_in_several(server: FakeServer) -> None:
    sound = bytes(range(256)) * 1_000
    async with talking(server) as (session, peer):
        saying = asyncio.create_task(said(session, [sound]))
        await beats(peer)
        await saying
    *chunks, final = peer.of_type("audio_chunk")
    pieces = [base64.b64decode(chunk["payload"]) for chunk in chunks]
    assert b"".join(pieces) == sound
    assert max(map(len, pieces)) == 65_536
    assert (final["payload"], final["is_final"]) == ("", True)


async def test_where_the_server_announces_it_they_are_binary(server: FakeServer) -> None:
    welcoming = asyncio.create_task(welcome(server, use_binary_frame=True))
    async with make_session(server) as session:
        peer = await welcoming
        saying = asyncio.create_task(said(session))
        await beats(peer)
        assert await saying == []
    frames = [decode_binary(one) for one in peer.binary]
    assert [type(frame) for frame in frames] == [BinaryAudio, BinaryAudio, BinaryFinal]
    assert [frame.audio for frame in frames if isinstance(frame, BinaryAudio)] == PIECES
    assert peer.of_type("audio_chunk") == []


async def test_everything_is_told_as_it_comes_and_it_ends_with_the_last_answer(
    server: FakeServer,
) -> None:
    async with talking(server) as (session, peer):
        stream = session.stream(pieces(PIECES))
        first = asyncio.ensure_future(anext(stream))
        for index in (0, 1):
            await hears(peer, index, "INPUT_STARTED")
            await hears(peer, index, "INPUT_ENDED")
        partial = {"type": "asr_partial", "text": "hel", "is_final": False, "job_id": "j"}
        about = {"session_id": "s-00000001", "utterance_index": 0, "trace_id": "t"}
        await peer.send({**partial, **about})
        assert isinstance(await first, AsrPartial)
        await beats(peer)
        await peer.send(missing(0))
        assert isinstance(await anext(stream), Missing)
        await peer.send(result(1))
        assert isinstance(await anext(stream), Answer)
        with pytest.raises(StopAsyncIteration):
            await anext(stream)


async def test_nothing_is_sent_during_a_pause(server: FakeServer) -> None:
    async with talking(server) as (session, peer):
        paused = {"type": "backpressure", "action": "PAUSE", "resume_after_ms": 300}
        await peer.send(paused)
        await until(lambda: session._conversation._pause_over > 0)
        began = time.monotonic()
        saying = asyncio.create_task(said(session))
        await peer.expect("audio_chunk")
        assert time.monotonic() - began >= 0.25
        await beats(peer)
        await saying


async def test_after_a_break_it_goes_on_and_what_was_heard_is_answered(server: FakeServer) -> None:
    async with talking(server) as (session, peer):
        more = asyncio.Event()

        async def spoken() -> AsyncIterator[bytes]:
            yield PIECES[0]
            await more.wait()
            yield PIECES[1]

        saying = asyncio.create_task(collect(session, spoken()))
        await hears(peer, 0, "INPUT_STARTED")
        await hears(peer, 0, "INPUT_ENDED")
        await hears(peer, 1, "INPUT_STARTED")
        await until(lambda: session._ledger.streamed == {0: True, 1: False})
        peer.vanish()
        again = await welcome(server)
        more.set()
        chunk = await again.expect("audio_chunk")
        assert base64.b64decode(chunk["payload"]) == PIECES[1]
        await again.send(result(0))
        await beats(again)
        assert [event.index for event in await saying] == [0]


async def test_a_stream_ends_though_the_connection_broke_before_its_last_word_was_told(
    server: FakeServer,
) -> None:
    async with talking(server) as (session, peer):
        saying = asyncio.create_task(said(session))
        await hears(peer, 0, "INPUT_STARTED")
        await beats(peer)
        await until(session._conversation.voice.heard.is_set)
        assert session._ledger.streamed == {0: False}
        peer.vanish()
        await welcome(server)
        assert await asyncio.wait_for(saying, 5) == []


async def test_what_was_torn_by_a_break_may_be_answered_after_it(server: FakeServer) -> None:
    async with talking(server) as (session, peer):
        more = asyncio.Event()

        async def spoken() -> AsyncIterator[bytes]:
            yield PIECES[0]
            await more.wait()

        saying = asyncio.create_task(collect(session, spoken()))
        await hears(peer, 0, "INPUT_STARTED")
        await until(lambda: session._ledger.streamed == {0: False})
        peer.vanish()
        again = await welcome(server)
        await again.send(result(0))
        await again.send(result(0))
        more.set()
        await beats(again)
        assert [event.index for event in await saying] == [0]


Task = asyncio.Task[list[Any]]


async def resumed(server: FakeServer, peer: RawPeer) -> RawPeer:
    peer.vanish()
    return await welcome(server, resume_token="again")


@asynccontextmanager
async def whole(server: FakeServer) -> AsyncIterator[tuple[Session, RawPeer, Task]]:
    """The server has heard all of an utterance, and its connection is lost and made again."""
    async with talking(server) as (session, peer):
        saying = asyncio.create_task(said(session))
        await hears(peer, 0, "INPUT_STARTED")
        await hears(peer, 0, "INPUT_ENDED")
        await beats(peer)
        await until(lambda: session._ledger.streamed == {0: True})
        yield session, await resumed(server, peer), saying


async def test_what_the_server_lost_is_not_waited_for_for_ever(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parley.conversation.LIFE_S", 0.1)
    async with whole(server) as (_, _, saying):
        [lost] = await asyncio.wait_for(saying, 5)
        assert (lost.index, lost.reason, lost.code) == (0, "job_failed", "STATE_LOST")


async def test_what_the_server_knows_is_waited_for_as_long_as_it_takes(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parley.conversation.LIFE_S", 0.1)
    async with whole(server) as (session, peer, saying):
        await peer.send(result(0))
        assert [event.ok for event in await saying] == [True]
        await asyncio.sleep(0.2)
        assert not session._ledger._events


async def test_what_the_server_lost_has_an_end_when_its_index_is_given_again(
    server: FakeServer,
) -> None:
    async with whole(server) as (session, peer, saying):
        await hears(peer, 0, "INPUT_STARTED")
        await hears(peer, 0, "INPUT_ENDED")
        await peer.send(result(0))
        lost, answer = await saying
        assert isinstance(lost, Missing)
        assert isinstance(answer, Answer)
        assert (lost.code, answer.index) == ("STATE_LOST", 0)
        await resumed(server, peer)
        assert session._ledger.last_answered == 0


async def test_a_session_that_takes_the_place_of_another_has_answered_nothing_yet(
    server: FakeServer,
) -> None:
    """Its streams are numbered anew."""
    async with talking(server) as (session, peer):
        saying = asyncio.create_task(said(session))
        await hears(peer, 7, "INPUT_STARTED")
        await peer.send(result(7))
        await beats(peer)
        await saying
        assert session._ledger.last_answered == 7
        peer.vanish()
        peer = await welcome(server, "s-00000002", resume_token="again")
        await until(lambda: session.session_id == "s-00000002")
        peer.vanish()
        peer = await welcome(server, "s-00000002", resume_token="once more")
        assert "last_utterance_index" not in peer.of_type("session_init")[0]


async def test_another_session_cannot_answer_what_the_first_one_heard(server: FakeServer) -> None:
    async with talking(server) as (session, peer):
        saying = asyncio.create_task(said(session))
        await hears(peer, 0, "INPUT_STARTED")
        await hears(peer, 0, "INPUT_ENDED")
        await beats(peer)
        await until(lambda: session._ledger.streamed == {0: True})
        peer.vanish()
        await welcome(server, "s-00000002")
        [lost] = await saying
        assert (lost.reason, lost.code) == ("job_failed", "STATE_LOST")


async def test_what_follows_a_stream_has_the_next_index(server: FakeServer) -> None:
    async with talking(server) as (session, peer):
        saying = asyncio.create_task(said(session))
        await hears(peer, 4, "INPUT_STARTED")
        await peer.send(result(4))
        await beats(peer)
        await saying
        assert await session.send(tone(0.1)) == 5


async def test_an_error_of_the_source_is_the_callers(server: FakeServer) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield PIECES[0]
        raise OSError("the microphone is gone")

    async with talking(server) as (session, _):
        with pytest.raises(OSError, match="microphone"):
            await collect(session, broken())


async def test_the_end_of_the_session_ends_the_stream(server: FakeServer) -> None:
    async with talking(server) as (session, peer):
        saying = asyncio.create_task(said(session))
        await peer.expect("client_heartbeat")
        await peer.close(4400)
        with pytest.raises(SessionError):
            await saying


async def test_live_sound_takes_its_time() -> None:
    began = time.monotonic()
    heard = [piece async for piece in live(tone(0.25))]
    assert time.monotonic() - began >= 0.25
    assert b"".join(heard) == tone(0.25)
    assert [len(piece) for piece in heard] == [3_200, 3_200, 1_600]


async def collect(session: Session, source: AsyncIterator[bytes]) -> list[Any]:
    return [event async for event in session.stream(source)]
