"""One consumer on a port of its own, served by uvicorn in this test's event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import uvicorn

from jobs.settings import JobSettings
from jobs.socket import HotConsumer
from scheduler_site.connection import Connection
from tests.harness.server import Server


class Serving:
    """``url`` to connect to; ``consumers`` made so far; ``connections`` there are; ``over`` is set
    once one has closed.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.connections: set[Any] = set()
        self.consumers: list[Any] = []
        self.over = asyncio.Event()


@asynccontextmanager
async def serving(consumer: type[HotConsumer], settings: JobSettings) -> AsyncIterator[Serving]:
    listener = socket.create_server(("127.0.0.1", 0))
    serves = Serving(f"ws://127.0.0.1:{listener.getsockname()[1]}/")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        one = consumer()
        serves.consumers.append(one)
        try:
            await one({**scope, "parley": SimpleNamespace(settings=settings)}, receive, send)
        finally:
            serves.over.set()

    config = uvicorn.Config(
        app,
        ws=Connection,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        ws_max_size=64 * 2**20,
        interface="asgi3",
    )
    server = Server(config)
    serves.connections = server.server_state.connections
    task = asyncio.create_task(server.serve(sockets=[listener]))
    await server.listens.wait()
    try:
        yield serves
    finally:
        server.should_exit = True
        await task
