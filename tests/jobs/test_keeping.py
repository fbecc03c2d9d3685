"""Results that Redis can't take are kept, within bounds, and finished again."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from jobs.keeping import OVERHEAD_BYTES, Keeper, Reply
from jobs.notes import Notes
from jobs.outcome import Ready, prepare
from lua import scripts
from lua.client import Cells, StoreSettings
from lua.errors import StoreError, StoreFull, StoreUnavailable
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


class Answers:
    """In place of ``finish``: what Redis says of each result, one after the other, the last for
    ever.
    """

    def __init__(self, **of_jobs: list[Reply | scripts.Unknown | StoreError]) -> None:
        self._of_jobs = of_jobs

    async def __call__(self, cells, *, outcome, **_: object) -> Reply | scripts.Unknown:
        left = self._of_jobs[f"job{int(outcome.job.removeprefix('job-'), 16)}"]
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, StoreError):
            raise answer
        return answer


@pytest.fixture
async def keeper(store: StoreSettings) -> AsyncIterator[Keeper]:
    """Of two cells."""
    async with Cells(replace(store, cells=2)) as cells:
        keeper = Keeper(cells, "p1", Notes(cells), limit_bytes=10_000, again_ms=400)
        yield keeper
        await keeper.stop()


UNKNOWN, DONE = scripts.Unknown(), scripts.Dropped(more=False)
AWAY, FULL = StoreUnavailable("away"), StoreFull("no room")


async def test_a_cell_that_is_away_holds_up_no_other(keeper, monkeypatch):
    settled = Settled()
    monkeypatch.setattr(scripts, "finish", Answers(job1=[AWAY], job2=[UNKNOWN, DONE]))
    await keeper.finish(0, ready(1), settled.of(1))
    await keeper.finish(1, ready(2), settled.of(2))
    await until(lambda: settled == [(2, DONE)])
    assert len(keeper) == 1


async def test_a_result_without_room_holds_up_no_other(keeper, monkeypatch):
    settled = Settled()
    monkeypatch.setattr(scripts, "finish", Answers(job1=[FULL], job2=[UNKNOWN, DONE]))
    await keeper.finish(0, ready(1), settled.of(1))
    await keeper.finish(0, ready(2), settled.of(2))
    await until(lambda: settled == [(2, DONE)])
    assert len(keeper) == 1


async def test_no_result_is_given_up_while_its_cell_is_away(keeper, monkeypatch):
    settled = Settled()
    monkeypatch.setattr(scripts, "finish", Answers(job1=[UNKNOWN, AWAY, AWAY, AWAY, UNKNOWN, DONE]))
    await keeper.finish(0, ready(1), settled.of(1))
    await until(lambda: len(keeper) == 0)
    assert settled == [(1, DONE)]


async def test_a_result_that_cannot_be_told_holds_up_no_other(keeper, monkeypatch):
    def fails(reply: Reply) -> None:
        raise RuntimeError("a fault of ours")

    settled = Settled()
    monkeypatch.setattr(scripts, "finish", Answers(job1=[UNKNOWN, DONE], job2=[UNKNOWN, DONE]))
    await keeper.finish(0, ready(1), fails)
    await keeper.finish(0, ready(2), settled.of(2))
    await until(lambda: len(keeper) == 0)
    assert settled == [(2, DONE)]
