"""A whole Parley as ``make up`` starts it, with a folder and a port of its own."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT_S = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Running:
    """A started supervisor and all that it has said."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.process = process
        self.port = port
        self.lines: list[str] = []
        self._said = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            with self._said:
                self.lines.append(line.rstrip())
                self._said.notify_all()
        with self._said:
            self.lines.append("<end>")
            self._said.notify_all()

    def wait_for(self, text: str, timeout_s: float = START_LIMIT_S) -> str:
        """The first line with ``text``, once it is there."""
        with self._said:
            self._said.wait_for(lambda: self._ended or self._find(text), timeout_s)
            line = self._find(text)
        assert line, "\n".join(self.lines)
        return line

    def _find(self, text: str) -> str | None:
        return next((line for line in self.lines if text in line), None)

    @property
    def _ended(self) -> bool:
        return "<end>" in self.lines

    def family(self) -> list[psutil.Process]:
        """The supervisor and everything below it."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def child(self, part: str) -> psutil.Process:
        """The child with ``part`` in its command line."""
        return next(p for p in self.family()[1:] if part in " ".join(p.cmdline()))


@contextmanager
def parley(folder: Path, **environ: str) -> Iterator[Running]:
    """Start a supervisor; whatever happens, nothing of it is left behind."""
    port = int(environ.setdefault("PORT", str(free_port())))
    inherited = {k: v for k, v in os.environ.items() if not k.endswith("_URL")}
    process = subprocess.Popen(
        [sys.executable, "-m", "scheduler_site.supervisor"],
        cwd=ROOT,
        env={**inherited, "PARLEY_VAR": str(folder), "HOST": "", "WEB": "", **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield Running(process, port)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)


def all_gone(processes: list[psutil.Process], timeout_s: float) -> bool:
    return not psutil.wait_procs(processes, timeout=timeout_s)[1]


def eventually(check: Callable[[], bool], timeout_s: float) -> bool:
    """Whether ``check`` came true in time."""
    deadline_s = time.monotonic() + timeout_s
    while not check():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.02)
    return True
