"""The rules of the session socket, frame by frame."""

import asyncio
import json

import pytest
from websockets.exceptions import InvalidStatus

from jobs.settings import JobSettings
from lua import ids
from nodes.settings import NodeSettings
from parley.codes import advice
from tests.harness.actors import hand_session
from tests.harness.frames import session_init, utterance
from tests.harness.web import Web
from tests.peers.raw import raw_peer
from tests.peers.until import until

QUICK = JobSettings(init_timeout_ms=300, lease_pause_ms=200)
INIT = session_init("en", "zh")


async def opened(client, **changes) -> str:
    await client.send({**INIT, **changes})
    ack = await client.expect("session_init_ack")
    return str(ack["session_id"])


@pytest.mark.parametrize("at", ["the same process", "another process"])
async def test_no_session_gets_the_name_of_another(
    web, stage, store, jobs, node, session, monkeypatch, at
):
    anna, ben = await node(), await session()
    await ben.says()
    job = await anna.job()
    there = web
    if at == "another process":
        there = await stage.enter_async_context(Web(store, jobs, NodeSettings()))
    names = iter([ben.id, ben.id, "s-0000BEEF"])
    monkeypatch.setattr(ids, "new_session", lambda cell, cells: next(names))
    eve = await stage.enter_async_context(hand_session(there.session_url, "en", "zh"))
    assert eve.id == "s-0000BEEF"
    await anna.answers(job, "one")
    assert (await ben.hears())["text_translated"] == "one"


async def test_a_session_is_acknowledged_with_the_values_that_clients_know(client):
    await client.send({**INIT, "trace_id": "t-1"})
    ack = await client.expect("session_init_ack")
    session = ack.pop("session_id")
    assert session.startswith("s-")
    assert len(session) == 10
    assert ack == {
        "type": "session_init_ack",
        "assigned_node_id": None,
        "message": "The session is open.",
        "trace_id": "t-1",
        "protocol_version": "1.0",
        "use_binary_frame": False,
        "negotiated_codec": "opus",
        "negotiated_audio_format": "opus",
        "negotiated_sample_rate": 16_000,
        "negotiated_channel_count": 1,
    }


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({"tgt_lang": "q!!"}, " But tgt_lang, 'q!!', is no language."),
        ({"tgt_lang": "auto"}, " But tgt_lang, 'auto', is no language."),
        ({"mode": "two_way_auto", "lang_a": "en", "lang_b": "zh", "tgt_lang": "auto"}, ""),
        ({"src_lang": "auto"}, ""),
    ],
)
async def test_a_language_that_cannot_be_meant_is_named_at_once(client, changes, warning):
    await client.send({**INIT, **changes})
    ack = await client.expect("session_init_ack")
    assert ack["message"] == f"The session is open.{warning}"


async def test_a_pairing_that_cannot_be_gives_an_unpaired_session(client):
    await client.send({**INIT, "pairing_code": "123456"})
    ack = await client.expect("session_init_ack")
    assert ack["assigned_node_id"] is None
    assert "not paired" in ack["message"]


@pytest.mark.parametrize(
    ("changes", "word"),
    [({"pairing_code": "123456"}, "valid"), ({"pairing_code": ""}, "missing"), ({}, "missing")],
)
async def test_a_pairing_that_must_be_is_refused_with_a_code_or_without(client, changes, word):
    await client.send({**INIT, "pairing_required": True, **changes})
    error = await client.expect("error", code="INVALID_PAIRING_CODE")
    assert word in error["message"]
    assert await client.closed() == 4400


class TestQuickly:
    @pytest.fixture
    def jobs(self) -> JobSettings:
        return QUICK

    async def test_a_client_that_never_begins_is_closed(self, client):
        assert await client.closed() == 4408

    async def test_who_has_begun_is_not_closed(self, client):
        session = await opened(client)
        await asyncio.sleep(QUICK.init_timeout_ms / 1000)  # the time itself is what is tested
        await client.send({"type": "client_heartbeat", "session_id": session, "timestamp": 1})
        await client.expect("server_heartbeat")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("no json", None),
        ("[]", None),
        ("{}", "type"),
        ('{"type": 5}', "type"),
        ('{"type": "no_such_type"}', "type"),
        (json.dumps({**INIT, "src_lang": 5}), "src_lang"),
    ],
)
async def test_a_frame_that_cannot_be_understood_is_answered_and_nothing_more(client, text, field):
    await client.send_text(text)
    error = await client.expect("error", code="INVALID_MESSAGE")
    assert error.get("details", {}).get("field") == field
    await opened(client)


async def test_what_comes_before_the_session_is_refused(client):
    await client.send({"type": "client_heartbeat", "session_id": "s-1", "timestamp": 1})
    assert (await client.expect("error"))["code"] == "INVALID_SESSION"
    await opened(client)


async def test_what_is_sent_while_the_session_is_being_opened_waits(client):
    """The heartbeat comes in the same packet as the init, so its session's name is only guessed."""
    await asyncio.gather(
        client.send(INIT),
        client.send({"type": "client_heartbeat", "session_id": "s-1", "timestamp": 1}),
    )
    await client.expect("error", code="INVALID_SESSION")
    assert [frame["type"] for frame in client.frames] == ["session_init_ack", "error"]


async def test_another_sessions_frames_are_refused(client):
    await opened(client)
    await client.send({"type": "client_heartbeat", "session_id": "s-OTHER", "timestamp": 1})
    assert (await client.expect("error"))["code"] == "INVALID_SESSION"


@pytest.mark.parametrize("lang", ["en", "zh-Hans"])
async def test_what_has_no_job_is_advised_in_the_sessions_language(client, web, monkeypatch, lang):
    session = await opened(client, src_lang=lang, accepts=["errors"])

    def broken(frame):
        raise RuntimeError("for the test")

    monkeypatch.setattr(web.process.sessions.get(session).intake, "utterance", broken)
    await client.send(utterance(session, 0, INIT, "QUJD", audio_format="pcm16"))
    error = await client.expect("error", code="INTERNAL_ERROR")
    assert error["message"] == advice("INTERNAL_ERROR", lang)


async def test_a_second_init_is_refused_and_the_session_stays(client):
    session = await opened(client)
    await client.send(INIT)
    assert (await client.expect("error"))["code"] == "INVALID_MESSAGE"
    await client.send({"type": "client_heartbeat", "session_id": session, "timestamp": 1})
    await client.expect("server_heartbeat", session_id=session)


async def test_a_closed_session_is_acknowledged_and_its_socket_closed(client, web):
    session = await opened(client)
    await client.send({"type": "session_close", "session_id": session, "reason": "done"})
    await client.expect("session_close_ack", session_id=session)
    assert await client.closed() == 1000


@pytest.mark.parametrize("name", ["create", "join", "leave", "raw_voice_preference"])
@pytest.mark.parametrize("begun", [True, False])
async def test_rooms_are_refused_in_their_own_way(client, name, begun):
    if begun:
        await opened(client)
    await client.send({"type": f"room_{name}", "anything": 1})
    assert (await client.expect("room_error"))["code"] == "UNSUPPORTED_FEATURE"
    assert client.of_type("error") == []


async def test_webrtc_and_playback_are_taken_without_a_word(client):
    session = await opened(client)
    about = {"session_id": session, "trace_id": "t", "group_id": "unknown"}
    await client.send({"type": "webrtc_offer", "sdp": "x"})
    await client.send({"type": "tts_started", "ts_start_ms": 1, **about})
    await client.send({"type": "tts_play_ended", "ts_end_ms": 2, **about})
    await client.send({"type": "client_heartbeat", "session_id": session, "timestamp": 1})
    await client.expect("server_heartbeat")
    assert client.of_type("error") == []


async def heartbeats(client, session: str, count: int) -> None:
    beat = {"type": "client_heartbeat", "session_id": session, "timestamp": 1}
    await asyncio.gather(*(client.send(beat) for _ in range(count)))


async def test_the_same_error_is_shown_once_to_old_clients(client):
    session = await opened(client)
    for _ in range(3):
        await client.send({"type": "nonsense"})
    await client.send({"type": "client_heartbeat", "session_id": "s-OTHER", "timestamp": 1})
    await heartbeats(client, session, 1)
    await client.expect("server_heartbeat")
    codes = [frame["code"] for frame in client.of_type("error")]
    assert codes == ["INVALID_MESSAGE", "INVALID_SESSION"]


async def test_who_accepts_errors_gets_them_all(client):
    session = await opened(client, accepts=["errors"])
    for _ in range(3):
        await client.send({"type": "nonsense"})
    await heartbeats(client, session, 1)
    await client.expect("server_heartbeat")
    assert len(client.of_type("error")) == 3


class TestTooFast:
    @pytest.fixture
    def jobs(self) -> JobSettings:
        return JobSettings(frames_per_s=1, burst_frames=50)

    async def test_a_pause_comes_before_the_close(self, client):
        session = await opened(client)
        await heartbeats(client, session, 49)
        await client.send({"type": "client_heartbeat", "session_id": session, "timestamp": 1})
        pause = await client.expect("backpressure")
        assert pause == {"type": "backpressure", "action": "PAUSE", "resume_after_ms": 5_000}
        await heartbeats(client, session, 60)
        assert await client.closed() == 4429
        assert len(client.of_type("backpressure")) == 1


class TestFull:
    @pytest.fixture
    def jobs(self) -> JobSettings:
        return JobSettings(max_sessions=1)

    @pytest.mark.parametrize("begun", [True, False])
    async def test_one_more_is_refused_at_the_handshake(self, client, web, begun):
        if begun:
            await opened(client)
        for _ in range(2):
            with pytest.raises(InvalidStatus) as caught:
                async with raw_peer(web.session_url):
                    pass
            assert caught.value.response.status_code == 503

    async def test_who_leaves_makes_room_without_ever_having_begun(self, client, web):
        await client.close()
        await until(lambda: web.process.callers == 0)
        async with raw_peer(web.session_url) as next_one:
            await opened(next_one)


async def test_a_draining_process_takes_no_new_sessions_and_no_new_jobs(client, web):
    session = await opened(client)
    await web.process.drain(5.0)
    with pytest.raises(InvalidStatus) as caught:
        async with raw_peer(web.session_url):
            pass
    assert caught.value.response.status_code == 503
    await client.send(utterance(session, 0, INIT, "QUJD", audio_format="pcm16"))
    missing = await client.expect("missing_result")
    assert (missing["reason"], missing["code"]) == ("job_failed", "SCHEDULER_DEPENDENCY_DOWN")


async def test_a_tenant_is_what_the_client_says_while_nobody_must_show_a_token(client, web):
    session = await opened(client, tenant_id="acme")
    live = web.process.sessions.get(session)
    assert live is not None
    assert live.origin.tenant == "acme"
