"""One web process: ``python -m scheduler_site.web``.

The signal is ours, because uvicorn alone closes all sockets at once: first the listening
socket is left to the others, then running jobs are waited for, then sockets close with 1012.
"""

import argparse
import asyncio
import gc
import os
import random
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import uvicorn
from django.conf import settings

from scheduler_site.connection import Connection
from scheduler_site.lifespan import Lifespan
from scheduler_site.supervisor.listener import open_listener

log = structlog.get_logger(__name__)

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# Room around a frame of the largest size, so that the limit itself is told by the consumers.
FRAME_SLACK_BYTES = 65_536
# Of Python's garbage collector: how many objects more than before start a look at the young ones,
# and how many such looks one at the older.
# A session that is over is 100 objects in circles: about 6,000 of them may wait to be found.
COLLECT_AFTER = (20_000, 10, 3)


class WebServer(uvicorn.Server):
    """uvicorn's server with an orderly end: ``drain_s`` for jobs, then closing sockets over
    ``close_spread_s``, because web clients come back exactly 1 s after a close."""

    def __init__(self, app: Lifespan, *, drain_s: float, close_spread_s: float) -> None:
        super().__init__(config(app))
        self._app = app
        self._drain_s = drain_s
        self._close_spread_s = close_spread_s
        self._leaving: asyncio.Task[None] | None = None

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The first stop signal begins an orderly end, the next one ends at once."""
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, self._stop_asked)
        yield

    def _stop_asked(self) -> None:
        if self._leaving is not None or not self.started:
            os._exit(1)
        self._leaving = asyncio.create_task(self._leave())

    async def _leave(self) -> None:
        try:
            for server in self.servers:
                server.close()
            await asyncio.wait_for(self._app.drain(self._drain_s), self._drain_s + 0.5)
            await self._close_sockets()
        except Exception:
            log.exception("the orderly end failed")
        finally:
            self.should_exit = True

    async def _close_sockets(self) -> None:
        connections = list(self.server_state.connections)
        random.shuffle(connections)
        for connection in connections:
            if connection in self.server_state.connections:
                connection.shutdown()
            await asyncio.sleep(self._close_spread_s / len(connections))
        # A peer that reads nothing would keep its closed socket, and us, for ever.
        for connection in self.server_state.connections.intersection(connections):
            connection.transport.abort()
        await asyncio.sleep(0)


def config(app: Lifespan) -> uvicorn.Config:
    """uvicorn as measured best for many small frames on long-lived sockets."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        lifespan="on",
        ws=Connection,
        ws_per_message_deflate=False,
        ws_max_size=settings.PARLEY_JOBS.socket.max_frame_bytes + FRAME_SLACK_BYTES,
        ws_ping_interval=20,
        ws_ping_timeout=60,
        timeout_graceful_shutdown=1,
        log_config=None,
        access_log=False,
        server_header=False,
    )


def spare_collections() -> None:
    """What is loaded now lives as long as the process, and later garbage is seldom in circles:
    looking for it as often as Python does took 7 % of a busy process's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def main() -> None:
    parser = argparse.ArgumentParser(prog="scheduler_site.web", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5010)
    parser.add_argument("--fd", type=int, help="a listening socket to use instead")
    parser.add_argument("--drain-s", type=float, default=30.0)
    parser.add_argument("--close-spread-s", type=float, default=5.0)
    options = parser.parse_args()
    listener = (
        open_listener(options.host, options.port)
        if options.fd is None
        else socket.socket(fileno=options.fd)
    )
    from scheduler_site.asgi import application

    server = WebServer(application, drain_s=options.drain_s, close_spread_s=options.close_spread_s)
    spare_collections()
    server.run(sockets=[listener])


if __name__ == "__main__":
    main()
