"""The rules of both sockets (1.1 to 1.4)."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from tests.conformance.kinds import Json
from tests.conformance.link import Link
from tests.conformance.node_frames import JOB_RESULT, NODE_HEARTBEAT, NODE_REGISTER
from tests.conformance.peers import Service, registration
from tests.conformance.session_frames import (
    AFTER_INIT,
    CLIENT_HEARTBEAT,
    ROOMS,
    SESSION_INIT,
    WEBRTC,
)
from tests.conformance.times import seconds

LARGEST_FRAME = 8 * 2**20
DEEP = 2_000

# what is sent, and what `details.field` says
NO_MESSAGES: dict[str, tuple[str, str | None]] = {
    "nothing": ("", None),
    "no JSON": ("hello", None),
    "half of a message": ('{"type": "session_init"', None),
    "two messages": ('{"type": "x"}{"type": "y"}', None),
    "white space": (" \n", None),
    "null": ("null", None),
    "a number": ("5", None),
    "a string": ('"session_init"', None),
    "an array": ('[{"type": "session_init"}]', None),
    "NaN": ('{"type": NaN}', None),
    "a lone surrogate": ('{"type": "\\ud800"}', None),
    "something very deep": ("[" * DEEP + "]" * DEEP, None),
    "no type": ("{}", "type"),
    "null as type": ('{"type": null}', "type"),
    "a number as type": ('{"type": 5}', "type"),
    "an object as type": ('{"type": {}}', "type"),
    "two types, one unknown": ('{"type": "x", "type": "session_init"}', "type"),
    "two types, one a number": ('{"type": 5, "type": "node_register"}', "type"),
    "two types, both known": ('{"type": "session_close", "type": "session_init"}', "type"),
    "another field's name": ('{"Type": "session_init"}', "type"),
}
UNKNOWN = ("", "hello", "SESSION_INIT", "session_init ", "session_init_ack", "x" * 1_000, "型")


def complained(frame: Json) -> str | None:
    """The field that an INVALID_MESSAGE names."""
    assert (frame["type"], frame["code"]) == ("error", "INVALID_MESSAGE"), frame
    details: Json = frame.get("details", {})
    return details.get("field")


@pytest.mark.parametrize("name", NO_MESSAGES)
@pytest.mark.parametrize("socket", ["session", "node"])
async def test_what_is_no_message_is_told_and_the_connection_stays(
    service: Service, socket: str, name: str
) -> None:
    text, field = NO_MESSAGES[name]
    async with opened(service, socket) as one:
        await one.say(text)
        assert complained(await one.next()) == field
        await begins(one, socket)
        [error] = await one.answers(text)  # and once it has begun
        assert complained(error) == field


@pytest.mark.parametrize("kind", UNKNOWN)
@pytest.mark.parametrize("socket", ["session", "node"])
async def test_an_unknown_type_is_named(service: Service, socket: str, kind: str) -> None:
    async with opened(service, socket) as one:
        await begins(one, socket)
        [error] = await one.answers({"type": kind})
        assert complained(error) == "type"
        assert kind[:32] in error["message"]


@pytest.mark.parametrize("socket", ["session", "node"])
async def test_a_peers_messages_are_not_the_others(service: Service, socket: str) -> None:
    others = (NODE_REGISTER, NODE_HEARTBEAT) if socket == "session" else (SESSION_INIT, *AFTER_INIT)
    async with opened(service, socket) as one:
        await begins(one, socket)
        for message in others:
            [error] = await one.answers(message.full)
            assert complained(error) == "type"


@pytest.mark.parametrize("socket", ["session", "node"])
async def test_a_frame_may_have_8_mib_and_not_a_byte_more(service: Service, socket: str) -> None:
    room = LARGEST_FRAME - len(json.dumps({"type": "x", "pad": ""}))
    async with opened(service, socket) as one:
        await begins(one, socket)
        [error] = await one.answers({"type": "x", "pad": "a" * room})
        assert complained(error) == "type"
        await one.say({"type": "x", "pad": "a" * (room + 1)})
        assert await one.closed() == 1009


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("socket", ["session", "node"])
async def test_much_too_large_frames_are_no_better(
    service: Service, socket: str, begun: bool
) -> None:
    async with opened(service, socket) as one:
        if begun:
            await begins(one, socket)
        with suppress(ConnectionClosed):  # it may be closed before all of it is written
            await one.say("a" * (2 * LARGEST_FRAME))
        assert await one.closed() == 1009


async def test_who_never_begins_is_closed_in_time_and_no_sooner(service: Service) -> None:
    limits = {
        "session": seconds("PARLEY_INIT_TIMEOUT_MS"),
        "node": seconds("PARLEY_REGISTER_TIMEOUT_MS"),
    }
    await asyncio.gather(*(never_begins(service, *limit) for limit in limits.items()))


async def never_begins(service: Service, socket: str, limit_s: float) -> None:
    clock = asyncio.get_running_loop().time
    async with opened(service, socket) as silent, opened(service, socket) as chatty:
        began_s = clock()
        await chatty.say({"type": "x"})  # says something, but does not begin
        assert await silent.closed(limit_s + 10) == 4408
        assert clock() - began_s >= 0.9 * limit_s
        assert await chatty.closed(limit_s + 10) == 4408


async def test_who_has_begun_may_be_silent(service: Service) -> None:
    longest_s = max(seconds("PARLEY_INIT_TIMEOUT_MS"), seconds("PARLEY_REGISTER_TIMEOUT_MS"))
    async with service.session() as session, service.node("qaa", "qab") as node:
        await asyncio.sleep(1.1 * longest_s)  # the time itself is what is tested
        assert await session.link.answers() == []
        assert await node.link.answers() == []


@pytest.mark.parametrize("message", AFTER_INIT, ids=lambda message: message.type)
async def test_a_session_must_begin_with_its_init(service: Service, message: Any) -> None:
    async with service.session_link() as one:
        await one.say(message.full)
        assert (await one.next())["code"] == "INVALID_SESSION"
        await begins(one, "session")


async def test_a_node_that_has_not_registered_is_told_so_once(service: Service) -> None:
    async with service.node_link() as one:
        answers = await one.answers(*3 * (NODE_HEARTBEAT.full, JOB_RESULT.full))
        assert [answer["code"] for answer in answers] == ["NODE_UNAVAILABLE"]
        await begins(one, "node")


async def test_what_is_sent_with_the_first_message_is_handled_after_it(service: Service) -> None:
    beats = [{"type": "x"} for _ in range(20)]
    for socket, ack in (("session", "session_init_ack"), ("node", "node_register_ack")):
        async with opened(service, socket) as one:
            answers = await one.answers(first_of(socket), *beats)
            assert [answer["type"] for answer in answers] == [ack] + 20 * ["error"]


async def test_frames_are_handled_in_their_order(service: Service) -> None:
    names = [f"x{number}" for number in range(50)]
    async with service.session() as session:
        beat = {**CLIENT_HEARTBEAT.full, "session_id": session.id}
        answers = await session.link.answers(
            *(one for name in names for one in (beat, {"type": name}))
        )
        assert [answer["type"] for answer in answers] == 50 * ["server_heartbeat", "error"]
        assert [answer["details"]["type"] for answer in answers[1::2]] == names
    async with service.node("qaa", "qab") as node:
        answers = await node.link.answers(*({"type": name} for name in names))
        assert [answer["details"]["type"] for answer in answers] == names


async def test_a_large_frame_is_not_overtaken(service: Service) -> None:
    large = {"type": "large", "pad": "a" * 2**21}
    for socket in ("session", "node"):
        async with opened(service, socket) as one:
            await begins(one, socket)
            answers = await one.answers(large, {"type": "small"}, large)
            assert [answer["details"]["type"] for answer in answers] == ["large", "small", "large"]


@pytest.mark.parametrize("kind", ROOMS)
async def test_rooms_are_refused_in_words_of_their_own(service: Service, kind: str) -> None:
    frames: tuple[Json, ...] = ({"type": kind}, {"type": kind, "room": [5], "session_id": 5})
    async with service.session_link() as one:
        await one.say(*frames)
        assert {(await one.next())["type"] for _ in frames} == {"room_error"}
        await begins(one, "session")
        answers = await one.answers(*frames)
        assert [answer["type"] for answer in answers] == ["room_error", "room_error"]


async def test_webrtc_is_ignored(service: Service) -> None:
    frames = [{"type": kind, "sdp": ["x"], "session_id": None} for kind in WEBRTC]
    async with service.session_link() as one:
        await one.say(*frames)
        await begins(one, "session")
        assert [frame["type"] for frame in one.frames] == ["session_init_ack"]
        assert await one.answers(*frames) == []


def opened(service: Service, socket: str) -> Any:
    return service.session_link() if socket == "session" else service.node_link()


def first_of(socket: str) -> Json:
    if socket == "session":
        return SESSION_INIT.minimal(accepts=["errors"])
    return {**registration("", ("qaa", "qab")), "node_id": None}


async def begins(one: Link, socket: str) -> None:
    await one.say(first_of(socket))
    await one.expect("session_init_ack" if socket == "session" else "node_register_ack")


@pytest.mark.parametrize("socket", ["session", "node"])
async def test_a_page_from_anywhere_may_connect(service: Service, socket: str) -> None:
    open_link = service.session_link if socket == "session" else service.node_link
    async with open_link(origin=Origin("https://elsewhere.example")) as one:
        await begins(one, socket)
