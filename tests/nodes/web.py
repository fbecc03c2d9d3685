"""One web process with the node socket, in this event loop, on a port of its own."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self
from urllib.parse import parse_qs

import uvicorn

from jobs.principal import Principal
from jobs.process import Process
from jobs.settings import JobSettings, SocketSettings
from lua.client import StoreSettings
from nodes.consumers import NodeConsumer
from nodes.registry import attach
from nodes.settings import NodeSettings
from pools.settings import PoolSettings
from scheduler_site.connection import Connection
from tests.harness.server import Server
from tests.peers.raw import RawPeer, raw_peer


class Web:
    """The token of ``?token=`` is the peer's credential, and ``?from=`` its address."""

    def __init__(
        self, store: StoreSettings, settings: NodeSettings, sockets: SocketSettings | None = None
    ) -> None:
        jobs = JobSettings(socket=sockets or SocketSettings())
        self.process = Process(store, jobs, PoolSettings())
        self.registry = attach(self.process, settings)
        self._consumer = NodeConsumer.as_asgi()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._server = Server(
            uvicorn.Config(
                self._app,
                ws=Connection,
                ws_per_message_deflate=False,
                lifespan="off",
                interface="asgi3",
                log_level="warning",
            )
        )
        self.url = f"ws://127.0.0.1:{self._listener.getsockname()[1]}/ws/node"

    async def __aenter__(self) -> Self:
        await self.process.start()
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._listener]))
        await self._server.listens.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        await self._serving
        await self.process.stop()

    @asynccontextmanager
    async def peer(self, query: str = "", *, reading: bool = True) -> AsyncIterator[RawPeer]:
        """A connection that has sent nothing yet."""
        async with raw_peer(f"{self.url}?{query}", reading=reading) as peer:
            yield peer

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        query = parse_qs(scope["query_string"].decode())
        credential, address = (query.get(name, [""])[0] for name in ("token", "from"))
        scope["parley"] = self.process
        scope["principal"] = Principal("node", "", credential, address or "127.0.0.1")
        await self._consumer(scope, receive, send)
