"""Starts a web process's runtime before its first connection and stops it after its last."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import structlog

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = structlog.get_logger(__name__)


class Runtime(Protocol):
    """What is asked of ``jobs.process.Process``."""

    async def start(self) -> None: ...

    async def drain(self, timeout_s: float) -> None: ...

    async def stop(self) -> None: ...


class Lifespan:
    """ASGI application around ``app``; answers the lifespan protocol and passes on the rest.

    ``scope["parley"]`` is the process, everywhere below.
    """

    def __init__(self, app: App, *, make_process: Callable[[], Runtime]) -> None:
        self._app = app
        self._make_process = make_process
        self._process: Runtime | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app({**scope, "parley": self._process}, receive, send)
            return
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self._start(send)
            else:
                await self._stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def drain(self, timeout_s: float) -> None:
        """No new jobs; return when the running ones are done, after ``timeout_s`` at the latest."""
        if self._process:
            await self._process.drain(timeout_s)

    async def _start(self, send: Send) -> None:
        try:
            self._process = self._make_process()
            await self._process.start()
        except Exception as error:
            log.exception("the process could not start")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
        else:
            await send({"type": "lifespan.startup.complete"})

    async def _stop(self) -> None:
        if self._process:
            await self._process.stop()
            self._process = None
