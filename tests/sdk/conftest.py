"""A server that the tests of this folder play themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.peers.server import FakeServer


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with FakeServer() as fake:
        yield fake
