"""A session's small messages, its limits and its errors (1.3, 1.4, 3.1, 3.6, 3.9)."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.conformance.peers import Service, Session, assert_has
from tests.conformance.session_frames import (
    AFTER_INIT,
    CLIENT_HEARTBEAT,
    SESSION_CLOSE,
    SESSION_INIT,
)
from tests.conformance.times import seconds

BURST_FRAMES = 200
OTHER = "s-7FFFFFFF"


async def test_it_is_acknowledged_with_the_values_that_clients_know(service: Service) -> None:
    async with service.session(trace_id="t-9") as session:
        wanted = {
            "trace_id": "t-9",
            "assigned_node_id": None,
            "protocol_version": "1.0",
            "negotiated_codec": "opus",
            "negotiated_audio_format": "opus",
            "negotiated_sample_rate": 16_000,
            "negotiated_channel_count": 1,
        }
        assert_has(session.ack, wanted)


async def test_every_session_has_an_id_of_its_own(service: Service) -> None:
    async with service.session() as one, service.session() as other:
        assert one.id != other.id
        assert one.ack["trace_id"] != other.ack["trace_id"]


async def test_a_pairing_that_must_be_and_cannot_is_refused(service: Service) -> None:
    for code in ({"pairing_code": "000000"}, {}):
        async with service.session_link() as one:
            await one.say(SESSION_INIT.minimal(pairing_required=True, **code))
            assert (await one.next())["code"] == "INVALID_PAIRING_CODE"
            assert await one.closed() == 4400


async def test_an_unknown_pairing_code_gives_an_unpaired_session(service: Service) -> None:
    async with service.session(pairing_code="000000") as session:
        assert session.ack["assigned_node_id"] is None
        assert session.ack["message"]


@pytest.mark.parametrize("message", AFTER_INIT, ids=lambda message: message.type)
async def test_another_sessions_messages_are_refused(service: Service, message) -> None:
    async with service.session() as session:
        [error] = await session.link.answers({**message.full, "session_id": OTHER})
        assert error["code"] == "INVALID_SESSION"
        await alive(session)


async def test_a_second_init_is_refused_and_changes_nothing(service: Service) -> None:
    async with service.session() as session:
        [error] = await session.link.answers(SESSION_INIT.full)
        assert (error["type"], error["code"]) == ("error", "INVALID_MESSAGE")
        await alive(session)


async def test_a_heartbeat_is_answered_with_the_time(service: Service) -> None:
    async with service.session() as session:
        [beat] = await session.link.answers(heartbeat(session))
        assert beat["session_id"] == session.id
        assert abs(beat["timestamp"] / 1000 - time.time()) < 60


async def test_a_close_is_acknowledged_and_then_nothing_is(service: Service) -> None:
    async with service.session() as session:
        close = SESSION_CLOSE.minimal(session_id=session.id)
        await session.link.say(close, heartbeat(session), close)
        assert await session.link.closed() == 1000
        assert [frame["type"] for frame in session.link.frames] == [
            "session_init_ack",
            "session_close_ack",
        ]


async def test_old_clients_are_shown_the_same_error_once(service: Service) -> None:
    async with service.session(accepts=None) as session:
        nonsense = [{"type": f"x{number}"} for number in range(5)]
        foreign = 3 * [{**heartbeat(session), "session_id": OTHER}]
        await session.link.say(*nonsense, *foreign, heartbeat(session))
        await session.link.expect("server_heartbeat")
        codes = [error["code"] for error in session.link.of_type("error")]
        assert codes == ["INVALID_MESSAGE", "INVALID_SESSION"]


async def test_who_sends_too_much_is_paused_and_then_closed(service: Service) -> None:
    async with service.session(accepts=None) as session:
        await session.link.say(*(BURST_FRAMES + 20) * [heartbeat(session)])
        pause = await session.link.expect("backpressure")
        assert_has(pause, {"action": "PAUSE"})
        assert pause["resume_after_ms"] == 1000 * seconds("PARLEY_PAUSE_MS")
        assert session.link.socket.close_code is None
        await asyncio.gather(*(session.link.say(heartbeat(session)) for _ in range(800)))
        assert await session.link.closed() == 4429
        assert len(session.link.of_type("backpressure")) == 1


async def test_what_was_held_back_may_come_at_once(service: Service) -> None:
    """As many frames as a client makes in the pause, 40 ms each, sent in one go."""
    async with service.session(accepts=None) as session:
        await session.link.say(*(BURST_FRAMES + 20) * [heartbeat(session)])
        pause = await session.link.expect("backpressure")
        pause_s = pause["resume_after_ms"] / 1000
        await asyncio.sleep(pause_s)  # as the client does
        for _ in range(2):
            await session.link.say(*int(25 * pause_s + 20) * [heartbeat(session)])
        await alive(session)
        assert len(session.link.of_type("backpressure")) == 1


async def test_a_client_that_hears_bad_things_can_always_go_on(service: Service) -> None:
    async with service.session() as session:
        for sent in ("", "{", '{"type":5}', '{"type":"utterance"}'):
            await session.link.answers(sent)
        await alive(session)


def heartbeat(session: Session) -> dict[str, object]:
    return CLIENT_HEARTBEAT.minimal(session_id=session.id)


async def alive(session: Session) -> None:
    await session.link.say(heartbeat(session))
    await session.link.expect("server_heartbeat")
