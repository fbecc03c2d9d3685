"""One connection by itself: what it makes of an address, and its ends."""

import asyncio

import pytest
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import DataError

from lua.wire import Wire


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
        await wire.read()
    await wire.close()
    await wire.open()
    wire.write([ping])
    assert await wire.read() == b"PONG"
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
