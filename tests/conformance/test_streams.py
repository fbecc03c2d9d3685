"""Sound that comes in pieces: cuts, turns, doubles, damage; as text and as binary (3.3 to 3.5)."""

from __future__ import annotations

import asyncio
import base64
import struct

import pytest

from tests.conformance.kinds import Json
from tests.conformance.link import Link
from tests.conformance.peers import Service, Session, assert_has
from tests.conformance.times import seconds

FLAGS = ("is_manual_cut", "is_timeout_triggered", "is_max_duration_triggered")
FULL = 510  # packets of 20 ms that one utterance has at most
FINAL_S = 0.2  # a final waits so long
AUDIO, FINAL, PING, PONG = 0x01, 0x02, 0x10, 0x11
OTHER = "s-7FFFFFFF"


def opus(first: int, count: int = 1) -> bytes:
    """Packets, each after its length and different from the others; nobody decodes them here."""
    packets = (b"\x00" + number.to_bytes(4, "little") for number in range(first, first + count))
    return b"".join(len(packet).to_bytes(2, "little") + packet for packet in packets)


def chunk(session: str, seq: int, sound: bytes = b"", *, final: bool = False) -> Json:
    payload = base64.b64encode(sound).decode()
    about = {"type": "audio_chunk", "session_id": session, "seq": seq}
    return {**about, "is_final": final, "payload": payload}


def binary(kind: int, session: str, seq: int, sound: bytes = b"", *, final: bool = False) -> bytes:
    head = struct.pack("<BBII", kind, len(session), seq, 99)
    middle = bytes((final, 0)) if kind == AUDIO else b""
    return head + middle + session.encode() + sound


def sound_of(job: Json) -> bytes:
    return base64.b64decode(job["audio"])


def why(job: Json) -> list[str]:
    return [flag for flag in FLAGS if job[flag]]


async def test_a_final_ends_an_utterance(service: Service, languages: tuple[str, str]) -> None:
    async with service.node(*languages) as node, service.spoken(languages) as session:
        chunks = [chunk(session.id, 1000 + n, opus(n)) for n in range(3)]  # seq may start anywhere
        await session.link.say(*chunks, chunk(session.id, 1003, opus(3), final=True))
        job = await node.job()
        assert_has(job, {"audio_format": "opus", "sample_rate": 16_000})
        assert (sound_of(job), why(job)) == (opus(0, 4), ["is_manual_cut"])
        assert job["turn_id"]
        await node.answers(job, text_asr="a")
        assert_has(await session.hears(), {"utterance_index": 0, "text_asr": "a"})


async def test_binary_and_text_chunks_are_one_stream(
    service: Service, languages: tuple[str, str]
) -> None:
    async with service.node(*languages) as node, service.spoken(languages) as session:
        await session.link.say(
            chunk(session.id, 0, opus(0)),
            binary(AUDIO, session.id, 1, opus(1)),
            binary(AUDIO, session.id, 2, opus(2), final=True),
        )
        assert sound_of(await node.job()) == opus(0, 3)


async def test_a_binary_final_ends_an_utterance(
    service: Service, languages: tuple[str, str]
) -> None:
    async with service.node(*languages) as node, service.spoken(languages) as session:
        sound = binary(AUDIO, session.id, 0, opus(0))
        await session.link.say(sound, binary(FINAL, session.id, 1))
        job = await node.job()
        assert (sound_of(job), why(job)) == (opus(0), ["is_manual_cut"])


async def test_silence_ends_an_utterance(service: Service, languages: tuple[str, str]) -> None:
    clock, limit_s = asyncio.get_running_loop().time, seconds("PARLEY_STREAM_TIMEOUT_MS")
    async with service.node(*languages) as node, service.spoken(languages) as session:
        began_s = clock()
        await session.link.say(chunk(session.id, 0, opus(0)))
        job = await node.job()
        assert clock() - began_s >= 0.9 * limit_s
        assert (sound_of(job), why(job)) == (opus(0), ["is_timeout_triggered"])


async def test_a_long_utterance_is_cut_and_its_turn_goes_on(
    service: Service, languages: tuple[str, str]
) -> None:
    async with service.node(*languages) as node, service.spoken(languages) as session:
        chunks = [chunk(session.id, n, opus(10 * n, 10)) for n in range(FULL // 10 + 1)]
        await session.link.say(*chunks, chunk(session.id, 999, final=True))
        first, second = await node.job(), await node.job()
        assert (sound_of(first), why(first)) == (opus(0, FULL), ["is_max_duration_triggered"])
        assert (sound_of(second), why(second)) == (opus(FULL, 10), ["is_manual_cut"])
        assert first["turn_id"] == second["turn_id"]
        await session.link.say(chunk(session.id, 1000, opus(0), final=True))
        await node.answers(first, text_asr="a")
        await node.answers(second, text_asr="b")
        assert (await node.job())["turn_id"] != first["turn_id"]


async def test_a_final_waits_a_moment_for_the_last_sound(
    service: Service, languages: tuple[str, str]
) -> None:
    async with service.node(*languages) as node, service.spoken(languages) as session:
        await session.link.say(
            chunk(session.id, 0, opus(0)),
            chunk(session.id, 2, final=True),
            chunk(session.id, 1, opus(1)),  # it overtook this one
        )
        job = await node.job()
        assert (sound_of(job), why(job)) == (opus(0, 2), ["is_manual_cut"])


async def test_what_is_doubled_counts_once(service: Service, languages: tuple[str, str]) -> None:
    async with service.node(*languages) as node, service.spoken(languages) as session:
        one, other = chunk(session.id, 5, opus(0)), chunk(session.id, 9, opus(1))
        await session.link.say(one, one, other, one, other, chunk(session.id, 10, final=True))
        assert sound_of(await node.job()) == opus(0, 2)


async def test_an_empty_final_makes_no_job(service: Service, languages: tuple[str, str]) -> None:
    async with service.node(*languages) as node, service.spoken(languages) as session:
        await session.link.say(chunk(session.id, 0, final=True), binary(FINAL, session.id, 1))
        await session.link.say({**chunk(session.id, 2, final=True), "payload": None})
        await session.says()
        job = await node.job()
        assert (job["session_utterance_index"], node.link.of_type("job_assign")) == (0, [job])


async def test_damaged_sound_is_refused_and_the_stream_goes_on(
    service: Service, languages: tuple[str, str]
) -> None:
    async with service.node(*languages) as node, service.spoken(languages) as session:
        await session.link.say(chunk(session.id, 0, b"\xff\xff no Opus", final=True))
        missing = await session.hears()
        assert_has(missing, {"type": "missing_result", "code": "INVALID_MESSAGE"})
        assert missing["message"]
        await asyncio.sleep(2 * FINAL_S)  # what comes sooner belongs to what was refused
        await session.link.say(chunk(session.id, 1, opus(1), final=True))
        await node.answers(await node.job(), text_asr="a")
        assert_has(await session.hears(), {"utterance_index": 1, "text_asr": "a"})


async def test_a_payload_that_is_no_base64_never_came(
    service: Service, languages: tuple[str, str]
) -> None:
    async with service.node(*languages) as node, service.spoken(languages) as session:
        [error] = await session.link.answers({**chunk(session.id, 0), "payload": "!"})
        assert (error["code"], error["details"]["field"]) == ("INVALID_MESSAGE", "payload")
        await session.link.say(chunk(session.id, 0, opus(0), final=True))
        assert sound_of(await node.job()) == opus(0)


async def test_another_format_is_named_when_the_session_begins(
    service: Service, languages: tuple[str, str]
) -> None:
    pcm = {"audio_format": "pcm16", "sample_rate": 16_000}
    async with service.node(*languages) as node, service.spoken(languages, **pcm) as session:
        await session.link.say(chunk(session.id, 0, bytes(640), final=True))
        job = await node.job()
        assert_has(job, pcm)
        assert sound_of(job) == bytes(640)


async def test_what_a_session_says_holds_for_its_stream(
    service: Service, languages: tuple[str, str]
) -> None:
    both = {"mode": "two_way_auto", "lang_a": languages[0], "lang_b": languages[1]}
    async with service.node(*languages) as node, service.spoken(languages, **both) as session:
        await session.link.say(chunk(session.id, 0, opus(0), final=True))
        assert_has(await node.job(), {"src_lang": "auto", **both})


@pytest.mark.parametrize("accepts", [[], ["binary"]])
async def test_a_ping_is_answered_by_a_pong_that_repeats_it(
    service: Service, accepts: list[str]
) -> None:
    async with service.session(accepts=accepts) as session:
        assert session.ack["use_binary_frame"] is ("binary" in accepts)
        await session.link.say(binary(PONG, session.id, 7), binary(PING, session.id, 8))
        pong = await session.link.expect("binary")
        assert pong["data"] == binary(PONG, session.id, 8)


# a binary frame of the session `s-........`, and the part of it that is wrong
DAMAGED: dict[str, bytes] = {
    "empty": b"",
    "one byte": b"\x01",
    "half a head": binary(AUDIO, "", 0)[:9],
    "an unknown kind": binary(0x03, OTHER, 0),
    "kind zero": binary(0x00, OTHER, 0),
    "no room for the id": struct.pack("<BBII", AUDIO, 200, 0, 0) + b"\x00\x00" + OTHER.encode(),
    "a short final": binary(FINAL, OTHER, 0)[:-1],
    "a long final": binary(FINAL, OTHER, 0) + b"x",
    "a long ping": binary(PING, OTHER, 0) + b"x",
    "an id that is no text": binary(PING, "xx", 0)[:-2] + b"\xff\xfe",
    "JSON": b'{"type": "client_heartbeat"}',
}


@pytest.mark.parametrize("name", DAMAGED)
async def test_a_malformed_binary_frame_is_told_and_the_connection_stays(
    service: Service, name: str
) -> None:
    async with service.session() as session:
        [error] = await session.link.answers(DAMAGED[name])
        assert error["code"] == "INVALID_MESSAGE"
        await pings(session)


async def test_a_binary_frame_of_another_session_or_before_its_own_is_refused(
    service: Service,
) -> None:
    frames = [binary(kind, OTHER, 0) for kind in (AUDIO, FINAL, PING, PONG)]
    async with service.session() as session:
        answers = await session.link.answers(*frames)
        assert [answer["code"] for answer in answers] == 4 * ["INVALID_SESSION"]
    async with service.session_link() as one:
        await one.say(*frames)
        assert (await one.next())["code"] == "INVALID_SESSION"


async def test_a_node_sends_no_binary_frames(service: Service) -> None:
    async with service.node("qaa", "qab") as node:
        [error] = await node.link.answers(b"\x10" + bytes(9))
        assert error["code"] == "INVALID_MESSAGE"


async def pings(session: Session) -> None:
    link: Link = session.link
    await link.say(binary(PING, session.id, 1))
    await link.expect("binary")
