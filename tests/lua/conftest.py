"""Which event loops these tests run on, and cells whose time the test sets."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping

import pytest
import uvloop

from lua import scripts
from lua.client import Cells, StoreSettings
from tests.harness.valkey import OwnValkey
from tests.lua.driven import DrivenCells
from tests.lua.fleet import PAYLOAD, a_job, a_registration, a_session
from tests.lua.invariants import assert_cell_sound
from tests.lua.stage import Stage

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, LoopFactory]:
    """The product's loop; what works close to a loop is tried on asyncio's own as well."""
    if item.path.name in ("test_connection.py", "test_wire.py"):
        return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
def stage(redis_url: str, prefix: str) -> Iterator[Stage]:
    """A cell with a process and a session; all that a call promises is checked after each."""
    stage = Stage(DrivenCells(StoreSettings(url=redis_url, prefix=prefix)))
    yield stage
    stage.cells.end()


@pytest.fixture
async def cells(valkey: OwnValkey, prefix: str) -> AsyncIterator[Cells]:
    """A process, its session, and node ``n1`` with two slots, one of them for the job ``j1``."""
    async with Cells(StoreSettings(url=valkey.url, prefix=prefix)) as cells:
        await scripts.renew_lease(cells, cell=0, process="p1")
        await scripts.register_node(cells, cell=0, registration=a_registration("n1"))
        await scripts.open_session(cells, cell=0, session=a_session())
        await scripts.dispatch(cells, cell=0, job=a_job("j1"), payload=PAYLOAD)
        yield cells
        await assert_cell_sound(cells)
