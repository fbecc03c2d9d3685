"""Binary frames on the session socket: the same streams, without base64."""

import pytest

from parley.frames import (
    BinaryAudio,
    BinaryFinal,
    BinaryPing,
    BinaryPong,
    decode_binary,
    encode_binary,
)
from tests.harness.frames import opus, session_init
from tests.jobs.test_streams import sound_of
from tests.peers.until import until


async def send(session, frame) -> None:
    await session.peer.send_binary(encode_binary(frame))


@pytest.mark.parametrize("accepts", [["binary"], ["errors"], None])
async def test_they_are_announced_to_who_accepts_them(client, accepts):
    await client.send(session_init("en", "zh", accepts=accepts))
    ack = await client.expect("session_init_ack")
    assert ack["use_binary_frame"] is (accepts == ["binary"])


async def test_sound_in_binary_and_in_text_is_one_stream(node, session):
    anna, ben = await node(), await session(accepts=["binary"])
    await send(ben, BinaryAudio(ben.id, 0, audio=opus(2)))
    await ben.streams(opus(2, start=2), seq=1)
    await send(ben, BinaryAudio(ben.id, 1, audio=opus(9)))  # has come before
    await send(ben, BinaryAudio(ben.id, 2, is_final=True, audio=opus(1, start=4)))
    job = await anna.job()
    assert sound_of(job) == opus(5)
    assert (job["audio_format"], job["is_manual_cut"]) == ("opus", True)
    await anna.answers(job, "你好")
    assert (await ben.hears())["text_translated"] == "你好"


async def test_a_final_ends_what_was_said(node, session):
    anna, ben = await node(), await session()
    await send(ben, BinaryAudio(ben.id, 10, audio=opus(3)))
    await send(ben, BinaryFinal(ben.id, 11))
    assert sound_of(await anna.job()) == opus(3)


async def test_a_ping_is_answered_in_kind_and_a_pong_is_not(session):
    ben = await session()
    await send(ben, BinaryPong(ben.id, 4))
    await send(ben, BinaryPing(ben.id, 5, 2**32 - 1))
    await until(lambda: ben.peer.binary)
    assert [decode_binary(one) for one in ben.peer.binary] == [BinaryPong(ben.id, 5, 2**32 - 1)]


@pytest.mark.parametrize("damaged", [b"", b"\x01", b"\x7f" + bytes(20), b"\x02\xff" + bytes(8)])
async def test_a_malformed_one_is_answered_and_the_connection_lives(session, damaged):
    ben = await session(accepts=["errors"])
    await ben.peer.send_binary(damaged)
    error = await ben.peer.expect("error")
    assert error["code"] == "INVALID_MESSAGE"
    assert error["details"]["type"] == "binary frame"
    await send(ben, BinaryPing(ben.id, 1))
    await until(lambda: ben.peer.binary)


async def test_one_of_another_session_is_refused(session):
    ben = await session(accepts=["errors"])
    await send(ben, BinaryAudio("s-00000000", 1, audio=opus(1)))
    await ben.peer.expect("error", code="INVALID_SESSION")


async def test_one_before_the_session_is_open_is_refused(client):
    await client.send_binary(encode_binary(BinaryPing("", 1)))
    await client.expect("error", code="INVALID_SESSION")
