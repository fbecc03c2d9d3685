"""A Valkey of a test's own, with an append-only file: it may be stopped, killed and emptied."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

import redis

from scheduler_site import valkey
from scheduler_site.supervisor.child import die_with_parent
from tests.peers.until import until


class OwnValkey:
    """Listens on a unix socket in ``folder``, the same one after every start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "valkey.sock"
        self._server: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{self._socket}"

    async def start(self) -> None:
        """Returns when it has loaded its data and answers."""
        self._server = self._launch()
        await until(lambda: valkey.answers(self._socket), within_s=10)

    def _launch(self) -> "subprocess.Popen[bytes]":
        parent = os.getpid()
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                valkey.command(self._socket, folder=self._folder, keep=True),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=lambda: die_with_parent(parent),
            )

    async def stop(self) -> None:
        """In order: all that was written is in its file."""
        if self._server is not None:
            self._server.terminate()
            await asyncio.to_thread(self._server.wait, 10)
            self._server = None

    def copy(self) -> Path:
        """What it knows now, as a replica would that hears nothing more."""
        copy = self._folder / "copy"
        shutil.copytree(self._data, copy)
        return copy

    async def go_back(self, copy: Path) -> None:
        """It dies, and one that has the copy takes its place. All connections end."""
        assert self._server is not None
        self._server.kill()
        await asyncio.to_thread(self._server.wait, 10)
        shutil.rmtree(self._data)
        shutil.copytree(copy, self._data)
        await self.start()

    @property
    def _data(self) -> Path:
        return self._folder / "appendonlydir"

    def flush(self) -> None:
        """Everything it knew is gone."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()
