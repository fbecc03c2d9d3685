"""How fast one session may send: a token bucket that asks for a pause before it ends anything."""

from collections.abc import Callable
from enum import Enum, auto

from jobs.settings import JobSettings


class Verdict(Enum):
    """What a frame may do."""

    PASS = auto()
    PASS_AND_PAUSE = auto()  # it is handled, and the client is asked to pause
    CLOSE = auto()


class Bucket:
    """Refilled by ``frames_per_s`` up to ``burst_frames``; frames beyond are an overdraft.

    A client holds frames back in a pause and then flushes them all at once. So the burst is at
    least 6 frames for each second of the pause and 20 more, and neither in a pause nor in the
    ``flush_ms`` after it does a frame end the session, unless the overdraft of the pause itself
    is used up.
    """

    def __init__(self, settings: JobSettings, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._rate = settings.frames_per_s
        self._pause_s = settings.pause_ms / 1000
        self._flush_s = settings.flush_ms / 1000
        self._burst = max(settings.burst_frames, 6 * self._pause_s + 20)
        self._tokens = float(self._burst)
        self._filled_s = clock_s()
        self._resume_s = float("-inf")

    @property
    def pause_left_s(self) -> float:
        """How long the client is still asked to pause; not more than 0: it is not."""
        return self._resume_s - self._clock_s()

    def take(self) -> Verdict:
        """Count a frame."""
        if not self._rate:
            return Verdict.PASS
        now_s = self._clock_s()
        self._fill(now_s)
        self._tokens -= 1
        if self._tokens >= 0:
            return Verdict.PASS
        if now_s >= self._resume_s + self._flush_s:
            self._resume_s = now_s + self._pause_s
            return Verdict.PASS_AND_PAUSE
        if self._tokens >= -self._burst:
            return Verdict.PASS
        if now_s < self._resume_s:
            return Verdict.CLOSE
        self._tokens = -self._burst
        return Verdict.PASS

    def _fill(self, now_s: float) -> None:
        grown = self._tokens + (now_s - self._filled_s) * self._rate
        self._tokens = min(self._burst, grown)
        self._filled_s = now_s
