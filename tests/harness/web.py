"""A web process in this test's event loop: the product's own application on a port of its own."""

import asyncio
import socket
from typing import Self

from jobs.process import Process
from jobs.settings import JobSettings
from lua.client import StoreSettings
from nodes.registry import Registry, attach
from nodes.settings import NodeSettings
from pools.settings import PoolSettings
from scheduler_site.asgi import django_application
from scheduler_site.lifespan import Lifespan
from scheduler_site.routing import router
from scheduler_site.web import config
from tests.harness.server import Server


class Web:
    """One web process. Several in one loop share what real ones share: Redis, and nothing else."""

    process: Process
    registry: Registry

    def __init__(self, store: StoreSettings, jobs: JobSettings, nodes: NodeSettings) -> None:
        self.store = store
        self._settings = jobs, nodes
        self._server = Server(config(Lifespan(router(django_application), make_process=self._make)))
        self._listener = socket.create_server(("127.0.0.1", 0))
        host, port = self._listener.getsockname()
        self.node_url = f"ws://{host}:{port}/ws/node"
        self.session_url = f"ws://{host}:{port}/ws/session"

    async def __aenter__(self) -> Self:
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._listener]))
        async with asyncio.timeout(10):
            await self._server.listens.wait()
        assert self._server.started, "the process could not start"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        await self._serving

    def cut(self) -> None:
        """End the connections of all its sessions, as a proxy does that starts anew."""
        for session in list(self.process.sessions._live.values()):
            session.line.close(1012, "cut by the test")

    def _make(self) -> Process:
        jobs, nodes = self._settings
        self.process = Process(self.store, jobs, PoolSettings())
        self.registry = attach(self.process, nodes)
        return self.process
