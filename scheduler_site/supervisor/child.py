"""One child process: its start, its end and its restarts."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scheduler_site.supervisor.options import ROOT

PR_SET_PDEATHSIG = 1
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 10.0
# A child that lived so long starts again with the shortest pause.
HEALTHY_AFTER_S = 10.0

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent(parent: int, number: int = signal.SIGKILL) -> None:
    """Get signal ``number`` when the thread that started this process ends (Linux only)."""
    if _libc is None:
        return
    _libc.prctl(PR_SET_PDEATHSIG, number)
    # The parent may have died before the line above.
    if os.getppid() != parent:
        os.kill(os.getpid(), number)


@dataclass
class Child:
    """A process that is started again when it ends; ``group`` says when it is stopped."""

    name: str
    group: str
    command: Sequence[str]
    log: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    inherits: Sequence[int] = ()
    deaths: int = 0
    _process: "subprocess.Popen[bytes] | None" = None
    _started_s: float = 0.0
    _pause_s: float = SHORTEST_PAUSE_S
    _due_s: float = 0.0

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it in a session of its own, so that only its supervisor gets the Ctrl-C."""
        parent = os.getpid()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env={**os.environ, **self.environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=self.inherits,
                start_new_session=True,
                preexec_fn=lambda: die_with_parent(parent),
            )
        self._started_s = time.monotonic()

    def collect_death(self) -> int | None:
        """The exit status, told once, of a process that ended; from then on a restart is due."""
        if self._process is None or (status := self._process.poll()) is None:
            return None
        now_s = time.monotonic()
        if now_s - self._started_s >= HEALTHY_AFTER_S:
            self._pause_s = SHORTEST_PAUSE_S
        self._due_s = now_s + self._pause_s
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        self.deaths += 1
        # Whatever it had started itself ends with it.
        _kill_group(self._process.pid)
        self._process = None
        return status

    @property
    def restart_in_s(self) -> float:
        """Seconds until the restart of a process that ended; 0: now."""
        return max(self._due_s - time.monotonic(), 0.0)

    @property
    def restart_due(self) -> bool:
        return self._process is None and self.restart_in_s == 0

    def ask_to_stop(self) -> None:
        if self.running and self._process:
            self._process.terminate()

    def kill(self) -> None:
        """End it and whatever it started, and wait for it."""
        if self._process:
            _kill_group(self._process.pid)
            self._process.wait()

    def last_lines(self, count: int) -> list[str]:
        """The end of its log."""
        with self.log.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(log.tell() - 8192, 0))
            return log.read().decode(errors="replace").splitlines()[-count:]


def _kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
