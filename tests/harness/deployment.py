"""A whole deployment of real processes, in a folder of its own: Valkey, web, Celery, nodes.

As under ``make up`` the listening sockets are held outside the web processes; but each has one of
its own, so that a test says who is connected to which.
"""

import asyncio
import atexit
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Self

from lua.client import StoreSettings
from scheduler_site import valkey
from scheduler_site.supervisor.child import Child
from scheduler_site.supervisor.listener import open_listener
from scheduler_site.supervisor.options import ROOT
from tests.peers.until import until

START_S, STOP_S = 40.0, 10.0
DRAIN_S, CLOSE_SPREAD_S = 5.0, 0.2
PREFIX = "deployed:"
SHOWN_CHARS = 5_000


@cache
def prepared() -> Path:
    """A folder with an empty database, made once a run: migrations take seconds."""
    folder = Path(tempfile.mkdtemp(prefix="parley-", dir="/tmp"))
    atexit.register(shutil.rmtree, folder)
    command = (sys.executable, "manage.py", "migrate", "--verbosity", "0")
    subprocess.run(command, cwd=ROOT, env={**os.environ, **environ_of(folder)}, check=True)
    return folder


def environ_of(folder: Path) -> dict[str, str]:
    """An empty variable counts as absent."""
    urls = {name: "" for name in os.environ if name.endswith("_URL")}
    return {**urls, "PARLEY_VAR": str(folder), "PARLEY_PREFIX": PREFIX, "PARLEY_ENV": ""}


class Deployment:
    """``webs``: how many web processes, named ``web-1``, ``web-2`` …; ``celery``: worker and beat.

    Used with ``async with``: everything answers inside, and nothing is left behind. What the
    processes have said is shown when it ends with an error.
    """

    def __init__(self, *, webs: int, celery: bool = True) -> None:
        self.folder = folder = Path(tempfile.mkdtemp(prefix="parley-", dir="/tmp"))
        self._celery = celery
        self._children: dict[str, Child] = {}
        self._listeners: dict[str, socket.socket] = {}
        self._webs = [f"web-{number}" for number in range(1, webs + 1)]
        self._valkey = valkey.socket_path(folder)
        self.store = StoreSettings(url=valkey.socket_url(folder), prefix=PREFIX)
        self.database = folder / "parley.sqlite3"

    def node_url(self, web: str) -> str:
        return f"ws://127.0.0.1:{self._port(web)}/ws/node"

    def session_url(self, web: str) -> str:
        return f"ws://127.0.0.1:{self._port(web)}/ws/session"

    async def __aenter__(self) -> Self:
        try:
            await self._start_all()
        except BaseException as error:
            await self.__aexit__(type(error), error, None)
            raise
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        await self._stop_all()
        if error is not None:
            for name in self._children:
                print(f"----- {name}\n{self.log(name)[-SHOWN_CHARS:]}")
        shutil.rmtree(self.folder)

    async def _start_all(self) -> None:
        self._start("valkey", *valkey.command(self._valkey, folder=self.folder, keep=True))
        await until(lambda: valkey.answers(self._valkey), START_S)
        shutil.copytree(await asyncio.to_thread(prepared), self.folder, dirs_exist_ok=True)
        for web in self._webs:
            self._listeners[web] = open_listener("127.0.0.1", 0)
            self.start_web(web)
        if self._celery:
            celery = (sys.executable, "-m", "celery", "--app", "scheduler_site.celery")
            self._start("worker", *celery, "worker", "--pool", "solo", "--concurrency", "1")
            self._start("beat", *celery, "beat")
        for web in self._webs:
            await self.ready(web)

    async def _stop_all(self) -> None:
        """Valkey last."""
        serving = [one for one in self._children.values() if one.name != "valkey"]
        for some in (serving, [self._children["valkey"]]):
            for child in some:
                child.ask_to_stop()
            with suppress(TimeoutError):
                await until(lambda some=some: not any(c.running for c in some), STOP_S)  # type: ignore[misc]
            for child in some:
                child.kill()
        for listener in self._listeners.values():
            listener.close()

    def start_web(self, web: str) -> None:
        """A new process on the web's listening socket."""
        listener = self._listeners[web].fileno()
        times = ("--drain-s", str(DRAIN_S), "--close-spread-s", str(CLOSE_SPREAD_S))
        command = (sys.executable, "-m", "scheduler_site.web", "--fd", str(listener), *times)
        self._start(web, *command, inherits=(listener,))

    def start_node(self, name: str, web: str, *, delay_ms: int, slots: int) -> None:
        """A node that answers every job with what it was asked."""
        command = (sys.executable, "-m", "tests.harness.echo_node", self.node_url(web), name)
        self._start(name, *command, str(delay_ms), str(slots))

    def kill(self, name: str) -> None:
        """As ``kill -9``."""
        self._children[name].kill()

    def terminate(self, name: str) -> None:
        """As ``kill``: it drains first."""
        self._children[name].ask_to_stop()

    async def ended(self, name: str, within_s: float = STOP_S) -> int:
        """The exit status of a process, waited for."""
        child = self._children[name]
        await until(lambda: not child.running, within_s)
        status = child.collect_death()
        assert status is not None
        return status

    async def ready(self, web: str) -> None:
        """Returns when the process answers, and the worker was seen."""
        async with asyncio.timeout(START_S):
            while not await asyncio.to_thread(self._is_ready, web):
                assert self._children[web].running, self.log(web)
                await asyncio.sleep(0.05)

    def log(self, name: str) -> str:
        """What a process has said."""
        return (self.folder / f"{name}.log").read_text()

    def _is_ready(self, web: str) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._port(web), timeout=START_S)
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/health/ready")
            response = connection.getresponse()
            answer = json.loads(response.read())
            connection.close()
            return response.status == 200 and bool(answer["worker_seen_ms"] or not self._celery)
        return False

    def _start(self, name: str, *command: str, inherits: tuple[int, ...] = ()) -> None:
        child = Child(
            name=name,
            group="",
            command=command,
            log=self.folder / f"{name}.log",
            environ=environ_of(self.folder),
            inherits=inherits,
        )
        child.start()
        self._children[name] = child

    def _port(self, web: str) -> int:
        port: int = self._listeners[web].getsockname()[1]
        return port
