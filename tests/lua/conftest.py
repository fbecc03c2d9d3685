"""Which event loops these tests run on, and cells whose time the test sets."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path

import pytest
import uvloop

from lua.client import StoreSettings
from tests.harness.valkey import OwnValkey
from tests.lua.driven import DrivenCells
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
async def valkey(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OwnValkey]:
    """One that only this test uses."""
    own = OwnValkey(Path(tmp_path_factory.mktemp("v")))
    await own.start()
    yield own
    await own.stop()
