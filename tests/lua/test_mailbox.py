"""A mailbox whose connection is cut at any moment: every message comes once, in its order."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from lua import mailbox, scripts
from lua.client import Cells, StoreSettings
from lua.mailbox import Hello, NewConfig
from tests.lua.proxy import Proxy

MESSAGES = 300
CUTS = 12


@pytest.fixture
async def cells(redis_url: str, prefix: str) -> AsyncIterator[Cells]:
    """Scripts go straight to Redis; only the mailbox's way has faults."""
    async with Cells(StoreSettings(url=redis_url, prefix=prefix)) as cells:
        await scripts.renew_lease(cells, cell=0, process="p1")
        yield cells


async def publish(cells: Cells, version: int) -> None:
    await scripts.write_config(cells, cell=0, version=version, content=b"{}")


async def versions_read(cells: Cells, last: int) -> list[int]:
    """All that comes until the configuration ``last``."""
    read: list[int] = []
    async for batch in mailbox.read(cells, 0, "p1"):
        read += [message.version for message in batch if isinstance(message, NewConfig)]
        if read and read[-1] == last:
            break
    return read


@pytest.mark.parametrize("seed", range(4))
async def test_nothing_is_lost_or_doubled(
    cells: Cells, redis_url: str, prefix: str, seed: int
) -> None:
    chance = random.Random(seed)
    cut_at = set(chance.sample(range(1, MESSAGES), CUTS))
    async with Proxy(redis_url) as proxy:
        behind = Cells(StoreSettings(url=proxy.url, prefix=prefix))
        reader = asyncio.create_task(versions_read(behind, MESSAGES))
        for version in range(1, MESSAGES + 1):
            await publish(cells, version)
            if version in cut_at:
                if chance.random() < 0.5:
                    proxy.cut()
                else:
                    proxy.cut_reply(after=chance.randrange(200))
        async with asyncio.timeout(20):
            assert await reader == list(range(1, MESSAGES + 1))
        assert proxy.accepted > 1
        await behind.close()


async def test_what_came_while_nobody_could_read_is_read_later(
    cells: Cells, redis_url: str, prefix: str
) -> None:
    async with Proxy(redis_url) as proxy:
        behind = Cells(StoreSettings(url=proxy.url, prefix=prefix))
        reader = asyncio.create_task(versions_read(behind, 3))
        await publish(cells, 1)
        await proxy.refuse()
        await publish(cells, 2)
        await publish(cells, 3)
        await proxy.accept()
        async with asyncio.timeout(10):
            assert await reader == [1, 2, 3]
        await behind.close()


async def test_a_mailbox_begins_with_a_greeting(cells: Cells) -> None:
    async with asyncio.timeout(5):
        async for batch in mailbox.read(cells, 0, "p1"):
            assert batch == [Hello()]
            break
