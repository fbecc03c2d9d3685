"""One connection by itself: what it makes of an address, and its ends."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import DataError, ReadOnlyError, ResponseError

from lua.wire import Wire
from tests.peers.until import until


class Enough(Exception):
    pass


async def read(wire: Wire, count: int) -> list[Any]:
    """So many replies; what comes with them is not taken any more."""
    replies: list[Any] = []

    def take(reply: Any) -> None:
        replies.append(reply)
        if len(replies) == count:
            raise Enough

    with suppress(Enough):
        await wire.listen(take)
    return replies


async def test_a_cut_connection_takes_writes_and_can_be_opened_again(redis_url: str) -> None:
    wire = Wire(redis_url, timeout_s=2)
    ping = wire.pack(("PING",))
    wire.write([ping])
    await wire.open()
    wire.cut()
    for _ in range(3):  # uvloop's transport refuses writes from the second round on
        wire.write([ping])
        await asyncio.sleep(0)
    with pytest.raises(ConnectionLost):
        await read(wire, 1)
    await wire.close()
    await wire.open()
    wire.write([ping])
    assert await read(wire, 1) == [b"PONG"]
    await wire.close()


async def test_replies_come_in_order_and_refusals_among_them(redis_url: str) -> None:
    wire = Wire(redis_url, timeout_s=2)
    await wire.open()
    large = bytes(300_000)
    commands = [("ECHO", b"a"), ("NO-SUCH",), ("ECHO", large), ("ECHO", b"b")]
    wire.write([wire.pack(command) for command in commands])
    first, refusal, *rest = await read(wire, 4)
    assert (first, rest) == (b"a", [large, b"b"])
    assert type(refusal) is ResponseError
    await wire.close()


async def test_nothing_is_taken_after_a_reply_that_could_not_be(redis_url: str) -> None:
    wire = Wire(redis_url, timeout_s=2)
    await wire.open()
    wire.write([wire.pack(("ECHO", str(number))) for number in range(3)])
    assert await read(wire, 2) == [b"0", b"1"]
    await wire.close()


async def end_of(wire: Wire, url: str) -> None:
    """The server closes the connection."""
    other, mine = Wire(url, timeout_s=2), await wire.command("CLIENT", "ID")
    await other.open()
    await other.command("CLIENT", "KILL", "ID", mine)
    await other.close()


async def test_a_connection_that_the_server_ends_is_lost(redis_url: str) -> None:
    wire = Wire(redis_url, timeout_s=2)
    await wire.open()
    mine = await wire.command("CLIENT", "ID")
    wire.write([wire.pack(("PING",)), wire.pack(("CLIENT", "KILL", "ID", mine, "SKIPME", "no"))])
    async with asyncio.timeout(2):
        with pytest.raises(ConnectionLost):
            await read(wire, 5)
    await wire.close()


async def test_one_that_ended_before_anybody_listened_is_lost_too(redis_url: str) -> None:
    wire = Wire(redis_url, timeout_s=2)
    await wire.open()
    await end_of(wire, redis_url)
    reader = wire._connection._reader
    assert reader is not None
    await until(reader.at_eof)
    with pytest.raises(ConnectionLost):
        await read(wire, 1)
    await wire.close()


@pytest.mark.parametrize("before", [0, 3])
async def test_a_server_that_does_not_serve_is_none(redis_url: str, before: int) -> None:
    wire = Wire(redis_url, timeout_s=2)
    await wire.open()
    refuse = ("EVAL", "return redis.error_reply('READONLY of a replica')", 0)
    wire.write([wire.pack(command) for command in (*[("PING",)] * before, refuse)])
    with pytest.raises(ReadOnlyError):
        await read(wire, before + 1)
    await wire.close()


async def test_options_for_other_clients_in_the_address_do_no_harm(redis_url: str) -> None:
    wire = Wire(f"{redis_url}?max_connections=5&decode_responses=1&protocol=3", timeout_s=2)
    await wire.open()
    assert await wire.command("ECHO", b"\xff") == b"\xff"
    await wire.close()


@pytest.mark.parametrize("argument", [None, True, [1], object()])
def test_only_texts_bytes_and_numbers_can_be_sent(redis_url: str, argument: object) -> None:
    with pytest.raises(DataError):
        Wire(redis_url, timeout_s=2).pack(("ECHO", argument))  # type: ignore[arg-type]
