"""Results that Redis can't take are kept, within bounds, and finished again."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from jobs.keeping import OVERHEAD_BYTES, Keeper, Reply
from jobs.notes import Notes
from jobs.outcome import Ready, prepare
from lua import scripts
from lua.client import Cells, StoreSettings
from tests.lua.proxy import Proxy
from tests.nodes.frames import read_result, result
from tests.peers.until import until


@pytest.fixture
async def proxy(store: StoreSettings) -> AsyncIterator[Proxy]:
    async with Proxy(store.url) as proxy:
        yield proxy


@pytest.fixture
async def cells(store: StoreSettings, proxy: Proxy) -> AsyncIterator[Cells]:
    async with Cells(StoreSettings(url=proxy.url, prefix=store.prefix)) as cells:
        yield cells


def ready(number: int, text: str = "") -> Ready:
    return prepare(read_result(result(f"job-{number:016X}", text_asr=text)), node="node-1")


class Settled(list[tuple[int, Reply]]):
    """What became of each result."""

    def of(self, number: int):
        return lambda reply: self.append((number, reply))


async def test_a_result_of_an_unknown_job_is_finished_again_for_a_while_and_given_up(cells):
    keeper, settled = Keeper(cells, "p1", Notes(cells), limit_bytes=10_000, again_ms=600), Settled()
    await keeper.finish(0, ready(1), settled.of(1))
    assert len(keeper) == 1
    await until(lambda: len(keeper) == 0)
    assert settled == []
    await keeper.stop()


async def test_while_redis_is_away_results_are_kept_and_the_oldest_gives_way(cells, proxy):
    size = len(ready(1, "x" * 500).body) + OVERHEAD_BYTES
    keeper, settled = (
        Keeper(cells, "p1", Notes(cells), limit_bytes=3 * size + 100, again_ms=100),
        Settled(),
    )
    await proxy.refuse()
    finishing = [keeper.finish(0, ready(n, "x" * 500), settled.of(n)) for n in range(5)]
    await asyncio.gather(*finishing)
    assert len(keeper) == 3
    await proxy.accept()
    await until(lambda: len(keeper) == 0)
    assert settled == []
    await keeper.stop()


async def test_a_kept_result_is_settled_when_its_job_is_there(cells, store):
    keeper, settled = (
        Keeper(cells, "p1", Notes(cells), limit_bytes=10_000, again_ms=5_000),
        Settled(),
    )
    await keeper.finish(0, ready(1), settled.of(1))
    key = f"{cells.prefixes[0]}job:job-{1:016X}"
    await cells.plain.hset(key, mapping={"state": "DONE", "attempt": "1", "node": "node-2"})
    await until(lambda: len(keeper) == 0)
    assert settled == [(1, scripts.Late("DONE"))]
    await keeper.stop()


async def test_what_is_kept_is_given_up_at_the_end(cells):
    keeper = Keeper(cells, "p1", Notes(cells), limit_bytes=10_000, again_ms=60_000)
    await keeper.finish(0, ready(1), Settled().of(1))
    await keeper.stop()
    assert len(keeper) == 1
