"""Redis is full: nothing new is taken on, and everything that runs comes to its end."""

import pytest

from lua import scripts
from lua.client import Cells
from lua.errors import StoreFull
from lua.scripts import AckKind, Verdict
from lua.states import Level
from tests.lua.fleet import PAYLOAD, a_beat, a_job, an_outcome

SMALL = b'{"text_translated":"x"}'
LARGE = b'{"text_translated":"' + b"x" * 20_000 + b'"}'


@pytest.fixture
async def cells(cells: Cells) -> Cells:
    """Both slots of the node are taken."""
    await scripts.dispatch(cells, cell=0, job=a_job("j2", index=1), payload=PAYLOAD)
    return cells


async def fill(cells: Cells) -> None:
    await cells.plain.config_set("maxmemory-policy", "noeviction")
    await cells.plain.config_set("maxmemory", 1)


async def used(cells: Cells) -> int:
    return await cells.plain.scard(f"{cells.prefixes[0]}node:n1:jobs")


async def test_a_new_job_is_refused_and_leaves_nothing(cells: Cells) -> None:
    await fill(cells)
    before = sorted(await cells.plain.keys("*"))
    with pytest.raises(StoreFull) as refused:
        await scripts.dispatch(cells, cell=0, job=a_job("j3", index=2), payload=PAYLOAD)
    assert refused.value.code == "SCHEDULER_DEPENDENCY_DOWN"
    assert sorted(await cells.plain.keys("*")) == before
    assert await used(cells) == 2


@pytest.mark.parametrize("result", [SMALL, LARGE], ids=["small", "large"])
async def test_a_job_goes_all_its_way_and_its_result_is_kept(cells: Cells, result: bytes) -> None:
    await fill(cells)
    taken = await scripts.take(cells, cell=0, job="j1", attempt=1, node="n1", conn="n1-1")
    assert isinstance(taken, scripts.Taken)
    acked = await scripts.ack(cells, cell=0, job="j1", node="n1", conn="n1-1", kind=AckKind.ACK)
    assert acked == scripts.Acked()
    outcome = an_outcome("j1", "n1", size=len(result))
    assert await scripts.finish(cells, cell=0, outcome=outcome, result=result) == scripts.Done(
        more=False
    )
    assert await cells.result(0, "j1", size=len(result)) == result
    assert await used(cells) == 1


async def test_no_slot_leaks_whatever_ends_a_job(cells: Cells) -> None:
    await fill(cells)
    await scripts.release(cells, cell=0, job="j1", attempt=1, node="n1", code="NODE_UNAVAILABLE")
    assert await scripts.cancel(cells, cell=0, job="j2", code="CANCELLED") == scripts.Cancelled(
        more=False
    )
    await scripts.cancel(cells, cell=0, job="j1", code="CANCELLED")
    assert await used(cells) == 0


async def test_a_failed_job_is_tried_again_as_ever(cells: Cells) -> None:
    await fill(cells)
    await scripts.take(cells, cell=0, job="j1", attempt=1, node="n1", conn="n1-1")
    failure = an_outcome("j1", "n1", verdict=Verdict.RETRY, code="INTERNAL_ERROR")
    reply = await scripts.finish(cells, cell=0, outcome=failure)
    assert reply == scripts.Failed(code="INTERNAL_ERROR", more=False)  # nobody else is there
    assert await used(cells) == 1


async def test_the_fleet_stays_alive(cells: Cells) -> None:
    await fill(cells)
    assert isinstance(await scripts.renew_lease(cells, cell=0, process="p1"), scripts.Kept)
    assert isinstance(await scripts.heartbeat(cells, cell=0, beat=a_beat("n1")), scripts.Ok)
    assert isinstance(await scripts.reap(cells, cell=0), scripts.Reaped)


async def test_with_room_again_it_goes_on(cells: Cells) -> None:
    await fill(cells)
    with pytest.raises(StoreFull):
        await scripts.dispatch(cells, cell=0, job=a_job("j3", index=2), payload=PAYLOAD)
    await cells.plain.config_set("maxmemory", 0)
    reply = await scripts.dispatch(cells, cell=0, job=a_job("j3", index=2), payload=PAYLOAD)
    assert reply == scripts.Waiting("j3", Level.SLOW_DOWN)
