"""Signals as events of the one place that waits."""

import select
import signal
import socket
import time

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# One request to stop can come twice: make passes on a SIGTERM that the whole group got.
ECHO_S = 0.3


class StopRequested(Exception):
    """The first Ctrl-C, SIGTERM or SIGHUP: stop in order."""


class StopAtOnce(Exception):
    """The second one: stop now."""


class Signals:
    """Wakes ``wait`` when a child ends, and raises there when a stop is asked for."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        self._theirs = theirs
        self._first_s: float | None = None
        signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        for number in (*STOP_SIGNALS, signal.SIGCHLD):
            # Under nohup a closed terminal stops nothing.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, lambda *_: None)

    def wait(self, timeout_s: float) -> None:
        """Return after ``timeout_s`` or as soon as a child ended.

        Raises ``StopRequested`` once, and ``StopAtOnce`` for a stop signal after it.
        """
        readable, _, _ = select.select([self._ours], [], [], max(timeout_s, 0))
        if not readable:
            return
        for number in self._ours.recv(4096):
            if number in STOP_SIGNALS:
                self._stop()

    def _stop(self) -> None:
        now_s = time.monotonic()
        if self._first_s is None:
            self._first_s = now_s
            raise StopRequested
        if now_s - self._first_s > ECHO_S:
            raise StopAtOnce
