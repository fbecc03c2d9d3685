"""The speaking end against a server that the test plays, over a real socket."""

from __future__ import annotations

import asyncio
import base64
from http import HTTPStatus
from pathlib import Path

import pytest

from parley import Answer, Missing, SessionError
from parley.audio import SAMPLE_RATE, AudioError, load_wav, tone, wav_from_pcm16
from parley.frames import AsrPartial, Backpressure, Error, SessionInit
from tests.peers.server import FakeServer
from tests.peers.until import until
from tests.sdk.sessions import make_session, missing, result, talking, welcome

HELLO = Path(__file__).parent.parent / "audio" / "hello.wav"
STEREO = HELLO.with_name("hello-44k-stereo.wav")


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions don't wait long for the answer to their goodbye, which most tests don't give."""
    monkeypatch.setattr("parley.conversation.CLOSE_S", 0.02)


async def test_it_introduces_itself(server: FakeServer) -> None:
    async with talking(server, token="secret") as (session, peer):
        assert session.session_id == "s-00000001"
    assert server.requests[0].headers["Authorization"] == "Bearer secret"
    init = peer.of_type("session_init")[0]
    assert (init["src_lang"], init["tgt_lang"]) == ("en", "zh")
    assert init["accepts"] == ["backpressure", "binary", "errors", "resume"]


async def test_an_init_says_more_and_its_utterances_too(server: FakeServer) -> None:
    init = SessionInit("1", "web", "auto", "zh", mode="two_way_auto", lang_a="en", lang_b="zh")
    init.accepts = []
    async with talking(server, init=init) as (session, peer):
        assert peer.of_type("session_init")[0]["accepts"] == []
        await session.send(tone(0.1))
        utterance = await peer.expect("utterance")
        said = {name: utterance[name] for name in ("src_lang", "mode", "lang_a", "lang_b")}
        assert said == {"src_lang": "auto", "mode": "two_way_auto", "lang_a": "en", "lang_b": "zh"}


async def test_a_wav_file_is_sent_as_pcm16_and_answered(server: FakeServer) -> None:
    async with talking(server) as (session, peer):
        saying = asyncio.create_task(session.say(HELLO))
        utterance = await peer.expect("utterance", utterance_index=0)
        assert base64.b64decode(utterance["audio"]) == load_wav(HELLO)
        assert (utterance["audio_format"], utterance["sample_rate"]) == ("pcm16", 16000)
        assert utterance["session_id"] == "s-00000001"
        await peer.send(result(0, service_timings={"total_ms": 12.5}, late=None))
        outcome = await saying
    assert isinstance(outcome, Answer)
    assert outcome.ok
    assert (outcome.index, outcome.text_asr, outcome.text_translated) == (0, "hello", "你好 0")
    assert (outcome.audio, outcome.node_ms, outcome.late) == (b"\1\0", 12.5, False)
    assert outcome.wav == wav_from_pcm16(b"\1\0")


@pytest.mark.parametrize(
    ("audio", "samples"),
    [(STEREO, 17_600), (STEREO.read_bytes(), 17_600), (tone(0.5), 8_000), (str(HELLO), 30_383)],
)
async def test_audio_may_be_a_path_a_wav_or_samples(
    server: FakeServer, audio: str | Path | bytes, samples: int
) -> None:
    async with talking(server) as (session, peer):
        await session.send(audio)
        utterance = await peer.expect("utterance")
        assert len(base64.b64decode(utterance["audio"])) == 2 * samples


async def test_more_sound_than_a_frame_may_have_is_refused_here(server: FakeServer) -> None:
    async with talking(server) as (session, _):
        with pytest.raises(AudioError, match="at most 196 s"):
            await session.send(b"\0\0" * SAMPLE_RATE * 197)
        assert await session.send(tone(0.1)) == 0


async def test_audio_that_is_none_is_refused_here(server: FakeServer) -> None:
    async with talking(server) as (session, peer):
        with pytest.raises(AudioError):
            await session.send(b"RIFF and then nothing")
        with pytest.raises(FileNotFoundError):
            await session.send("no such file.wav")
        await session.send(tone(0.1))
        assert (await peer.expect("utterance"))["utterance_index"] == 0


async def test_an_utterance_may_have_wishes(server: FakeServer) -> None:
    async with talking(server) as (session, peer):
        await session.send(
            tone(0.1),
            pipeline={"use_tts": False},
            preferred_node_id="node-1",
            deadline_ms=0,
            priority=1,
        )
        utterance = await peer.expect("utterance")
        assert utterance["pipeline"] == {"use_tts": False}
        assert (utterance["preferred_node_id"], utterance["deadline_ms"]) == ("node-1", 0)
        assert utterance["priority"] == 1


async def test_events_come_in_order_until_all_is_answered(server: FakeServer) -> None:
    async with talking(server) as (session, peer):
        for _ in range(3):
            await session.send(tone(0.1))
        session.finish()
        partial = {"job_id": "job-0", "session_id": "s-00000001", "utterance_index": 0}
        partial |= {"type": "asr_partial", "text": "hel", "is_final": False, "trace_id": "t"}
        for frame in (partial, result(0), missing(1, code="JOB_TIMEOUT"), result(2)):
            await peer.send(frame)
        events = [event async for event in session]
    first, *outcomes = events
    assert isinstance(first, AsrPartial)
    assert first.text == "hel"
    answered, failed, last = outcomes
    assert isinstance(answered, Answer)
    assert isinstance(failed, Missing)
    assert isinstance(last, Answer)
    assert [answered.index, failed.index, last.index] == [0, 1, 2]
    assert (failed.ok, failed.reason, failed.code) == (False, "job_failed", "JOB_TIMEOUT")
    assert "say it again" in failed.advice()
    assert "请再说一次" in failed.advice("zh")


async def test_an_outcome_may_be_asked_for_before_and_after_it_has_come(
    server: FakeServer,
) -> None:
    async with talking(server) as (session, peer):
        for _ in range(2):
            await session.send(tone(0.1))
        early = asyncio.create_task(session.outcome(1))
        await peer.send(result(0))
        await peer.send(result(1))
        assert (await early).index == 1
        assert (await session.outcome(0)).index == 0
        with pytest.raises(LookupError):
            await session.outcome(0)
        with pytest.raises(LookupError):
            await session.outcome(7)


async def test_a_second_result_is_dropped_but_a_late_one_is_not(server: FakeServer) -> None:
    async with talking(server) as (session, peer):
        for _ in range(2):
            await session.send(tone(0.1))
        for frame in (missing(0, "gap_timeout"), result(1), result(1), result(0, late=True)):
            await peer.send(frame)
        events = aiter(session)
        outcomes = [await anext(events) for _ in range(3)]
    kinds = [(type(event).__name__, getattr(event, "late", None)) for event in outcomes]
    assert kinds == [("Missing", None), ("Answer", False), ("Answer", True)]


async def test_a_pause_holds_utterances_back(server: FakeServer) -> None:
    notices: list[object] = []
    async with talking(server, on_notice=notices.append) as (session, peer):
        await peer.send({"type": "backpressure", "action": "PAUSE", "resume_after_ms": 200})
        await until(lambda: bool(notices))
        before = asyncio.get_running_loop().time()
        await session.send(tone(0.1))
        await peer.expect("utterance")
        assert asyncio.get_running_loop().time() - before >= 0.15
    assert notices == [Backpressure("PAUSE", 200)]


async def test_errors_are_told(server: FakeServer, caplog: pytest.LogCaptureFixture) -> None:
    notices: list[object] = []
    error = {"type": "error", "code": "RATE_LIMITED", "message": "too fast"}
    async with talking(server, on_notice=notices.append) as (_, peer):
        await peer.send(error)
        await until(lambda: bool(notices))
    assert notices == [Error("RATE_LIMITED", "too fast")]
    async with talking(server) as (session, peer):
        await peer.send(error)
        await peer.send({"type": "new_thing"})
        await session.send(tone(0.1))
        await peer.send(result(0))
        await session.outcome(0)
    assert "slow down" in caplog.text
    assert "new_thing" in caplog.text


async def test_what_is_unanswered_is_sent_again_after_a_lost_connection(
    server: FakeServer,
) -> None:
    async with talking(server) as (session, peer):
        for _ in range(3):
            await session.send(tone(0.1))
        first = await peer.expect("utterance", utterance_index=1)
        await peer.send(result(0))
        await session.outcome(0)
        peer.vanish()
        peer = await welcome(server, "s-00000002")
        assert "resume_token" not in peer.of_type("session_init")[0]
        again = await peer.expect("utterance")
        assert again["utterance_index"] == 1
        assert again["session_id"] == "s-00000002"
        assert again["request_id"] == first["request_id"]
        await peer.expect("utterance", utterance_index=2)
        await peer.send(result(1))
        await peer.send(result(2))
        assert (await session.outcome(1)).ok
        assert (await session.outcome(2)).ok


async def test_a_session_that_can_be_resumed_is(server: FakeServer) -> None:
    opening = asyncio.create_task(welcome(server, resume_token="again"))
    async with make_session(server) as session:
        peer = await opening
        await session.send(tone(0.1))
        await peer.expect("utterance")
        await peer.send(result(0))
        await session.outcome(0)
        await peer.close(1012)
        peer = await welcome(server)
        init = peer.of_type("session_init")[0]
        assert (init["resume_token"], init["last_utterance_index"]) == ("again", 0)


async def test_an_answer_counts_though_word_of_its_utterance_was_lost(server: FakeServer) -> None:
    """Of speech in a stream, whose number the server gives."""
    async with talking(server) as (session, peer):
        for frame in (result(0), result(0), result(1)):
            await peer.send(frame)
        events = aiter(session)
        answers = [await anext(events) for _ in range(2)]
        assert [getattr(answer, "index", None) for answer in answers] == [0, 1]
        assert await session.send(tone(0.1)) == 2


@pytest.mark.parametrize("code", [1013, 1012, 1006, 4409])
async def test_it_comes_back_with_the_token_that_it_has_until_there_is_another(
    server: FakeServer, code: int
) -> None:
    """However a return ends that is not acknowledged."""
    opening = asyncio.create_task(welcome(server, resume_token="first"))
    async with make_session(server) as session:
        peer = await opening
        await session.send(tone(0.1))
        await peer.send(result(0))
        await session.outcome(0)
        peer.vanish()
        for _ in range(2):
            peer = await server.accept()
            init = await peer.expect("session_init")
            assert (init["resume_token"], init["last_utterance_index"]) == ("first", 0)
            if code == 1006:
                peer.vanish()
            else:
                await peer.close(code)
        peer = await welcome(server, resume_token="second")
        assert peer.of_type("session_init")[0]["resume_token"] == "first"
        await peer.close(4409)
        peer = await welcome(server)
        assert peer.of_type("session_init")[0]["resume_token"] == "second"


async def test_a_session_that_can_be_resumed_no_more_gives_way_to_another(
    server: FakeServer,
) -> None:
    opening = asyncio.create_task(welcome(server, resume_token="again"))
    async with make_session(server) as session:
        peer = await opening
        for _ in range(2):
            await session.send(tone(0.1))
        await peer.send(result(0))
        await session.outcome(0)
        peer.vanish()
        peer = await server.accept()
        await peer.expect("session_init", resume_token="again")
        await peer.send({"type": "error", "code": "INVALID_SESSION", "message": "too late"})
        await peer.close(4400)
        peer = await welcome(server, "s-00000002")
        init = peer.of_type("session_init")[0]
        assert "resume_token" not in init
        assert "last_utterance_index" not in init
        again = await peer.expect("utterance", utterance_index=1)
        assert again["session_id"] == "s-00000002"
        await peer.send(result(1))
        assert (await session.outcome(1)).ok


async def test_closing_says_so_and_waits_for_the_answer(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parley.conversation.CLOSE_S", 5)
    async with talking(server) as (session, peer):
        closing = asyncio.create_task(session.close())
        await peer.expect("session_close", session_id="s-00000001")
        assert not closing.done()
        await peer.send({"type": "session_close_ack", "session_id": "s-00000001"})
        await closing
        assert await peer.closed() == 1000
        assert [event async for event in session] == []
        with pytest.raises(SessionError, match="SESSION_CLOSED"):
            await session.send(tone(0.1))


async def test_whoever_waits_when_the_session_is_closed_is_told(server: FakeServer) -> None:
    async with talking(server) as (session, peer):
        saying = asyncio.create_task(session.say(tone(0.1)))
        await peer.expect("utterance")
        await session.close()
        with pytest.raises(SessionError, match="SESSION_CLOSED"):
            await saying


async def test_who_asks_after_the_session_has_ended_is_told_at_once(server: FakeServer) -> None:
    async with talking(server) as (session, _):
        index = await session.send(tone(0.1))
        await session.close()
        with pytest.raises(SessionError, match="SESSION_CLOSED"):
            await asyncio.wait_for(session.outcome(index), 1)


async def test_a_refused_session_is_an_error_with_its_code(server: FakeServer) -> None:
    entering = asyncio.create_task(make_session(server).__aenter__())
    peer = await server.accept()
    await peer.send({"type": "error", "code": "INVALID_PAIRING_CODE", "message": "used"})
    await peer.close(4400)
    with pytest.raises(SessionError, match="INVALID_PAIRING_CODE: used"):
        await entering


async def test_a_refused_credential_is_an_error(server: FakeServer) -> None:
    server.refuse = HTTPStatus.UNAUTHORIZED
    with pytest.raises(SessionError, match="HTTP 401") as caught:
        await make_session(server).__aenter__()
    assert caught.value.code == "UNAUTHORIZED"


@pytest.mark.parametrize("code", [1013, 1012, 1006])
async def test_what_can_pass_is_tried_again(server: FakeServer, code: int) -> None:
    entering = asyncio.create_task(make_session(server).__aenter__())
    peer = await server.accept()
    await peer.expect("session_init")
    if code == 1006:
        peer.vanish()
    else:
        await peer.close(code)
    server.refuse = HTTPStatus.SERVICE_UNAVAILABLE
    await until(lambda: len(server.requests) >= 3)
    server.refuse = None
    await welcome(server)
    session = await asyncio.wait_for(entering, 5)
    await session.close()


async def test_a_refusal_later_ends_the_session(server: FakeServer) -> None:
    async with talking(server) as (session, peer):
        saying = asyncio.create_task(session.say(tone(0.1)))
        await peer.expect("utterance")
        server.refuse = HTTPStatus.FORBIDDEN
        await peer.close(1012)
        with pytest.raises(SessionError, match="HTTP 403"):
            await saying
        with pytest.raises(SessionError, match="HTTP 403"):
            await anext(aiter(session))
