"""Sessions and nodes in more than one cell."""

import pytest

from lua import ids
from lua.client import StoreSettings
from pools.routes import Route
from tests.peers.until import until

CELLS = 4


@pytest.fixture
def store(redis_url: str, prefix: str) -> StoreSettings:
    return StoreSettings(url=redis_url, prefix=prefix, cells=CELLS)


def node_in(cell: int) -> str:
    """A node's name that belongs to the cell."""
    names = (f"node-{number}" for number in range(1_000))
    return next(name for name in names if ids.cell_of_node(name, CELLS) == cell)


async def test_a_session_lives_where_its_languages_are_spoken(node, session):
    anna = await node(node_in(3))
    for _ in range(4):
        ben = await session()
        assert ids.cell_of(ben.id, CELLS) == 3
        await ben.says()
        job = await anna.job()
        assert ids.cell_of(job["job_id"], CELLS) == 3
        await anna.answers(job, "你好")
        assert (await ben.hears())["text_translated"] == "你好"


async def test_sessions_spread_over_the_cells_that_can_serve_them(node, session):
    await node(node_in(1))
    await node(node_in(2))
    homes = {ids.cell_of((await session()).id, CELLS) for _ in range(24)}
    assert homes == {1, 2}


async def test_no_session_begins_where_all_are_busy_while_others_are_free(web, node, session):
    busy = await node(node_in(1), slots=1)
    await (await session()).says()
    await busy.job()
    await node(node_in(2))
    await until(lambda: len(web.process.snapshot.cells_serving(Route("en", "zh"))) == 2)
    homes = {ids.cell_of((await session()).id, CELLS) for _ in range(12)}
    assert homes == {2}


async def test_a_session_whose_languages_nobody_speaks_has_a_cell_all_the_same(session):
    ben = await session()
    await ben.says()
    assert (await ben.hears())["code"] == "NO_CAPABLE_NODE"
