"""One web process as it is deployed, and the programs that talk to it as a person starts them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from jobs.settings import JobSettings
from lua.client import StoreSettings
from nodes.settings import NodeSettings
from tests.harness.web import Web
from tests.speech.program import Program

Start = Callable[..., Awaitable[Program]]


@pytest.fixture
async def web(redis_url: str, prefix: str) -> AsyncIterator[Web]:
    """A web process.

    Its nodes run on this machine, which the other tests may keep busy: that is no
    reason to give them no work.
    """
    nodes = NodeSettings(resource_threshold_percent=101)
    async with Web(StoreSettings(url=redis_url, prefix=prefix), JobSettings(), nodes) as web:
        yield web


@pytest.fixture
def url(web: Web) -> str:
    """Its address."""
    return web.node_url.removesuffix("/ws/node")


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """``await start("manage.py", "say", …, at=url)``: a Python program, ended with the test."""
    async with AsyncExitStack() as stack:

        async def enter(*words: object, at: str = "", **environ: str) -> Program:
            environ = {"PARLEY_URL": at, "PARLEY_VAR": str(tmp_path / "var"), **environ}
            return await stack.enter_async_context(Program(words, environ, folder=tmp_path))

        yield enter
