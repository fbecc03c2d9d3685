"""What one session is told of how busy the service is: each change once."""

import time
from collections.abc import Callable

from lua.states import Level
from parley.frames import Backpressure, encode


class Pressure:
    """``accepts``: the client understands more than ``PAUSE``, which comes with a time and ends by
    itself. To a deployed web client the others would mean silence for good.
    """

    def __init__(self, send: Callable[[bytes], object], *, accepts: bool, pause_ms: int) -> None:
        self._send = send
        self._accepts = accepts
        self._pause_ms = pause_ms
        self._level = Level.NONE
        self._resume_s = float("-inf")

    @property
    def pause_left_s(self) -> float:
        """How long the client is still asked to hold its audio back; not more than 0: it is not."""
        return self._resume_s - time.monotonic()

    def waits(self, level: Level) -> None:
        """An utterance of the session waits, in a queue as crowded as this."""
        self.changed(level if self._accepts else Level.PAUSE)

    def changed(self, level: Level) -> None:
        """The queue of the session, or its cell, has come to this."""
        if level is Level.PAUSE:
            self.pause()
        elif self._accepts and level not in (Level.NONE, self._level):
            self._send(encode(Backpressure(level.value)))
        self._level = level

    def relieved(self) -> None:
        """None of its utterances waits any more."""
        if self._level is Level.SLOW_DOWN:
            self._level = Level.NONE

    def pause(self) -> None:
        """Ask the client to hold its audio back, unless it does so already."""
        now_s = time.monotonic()
        if now_s >= self._resume_s:
            self._resume_s = now_s + self._pause_ms / 1000
            self._send(encode(Backpressure(Level.PAUSE.value, self._pause_ms)))
