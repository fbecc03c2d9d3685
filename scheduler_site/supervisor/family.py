"""The children together: waiting while they are looked after, and stopping them in order."""

import signal
import time
from collections.abc import Callable

from scheduler_site.supervisor.child import Child
from scheduler_site.supervisor.console import say
from scheduler_site.supervisor.signals import Signals, StopAtOnce, StopRequested

# A child that dies so often before everything is ready will not come up at all.
MOST_DEATHS_AT_START = 3


class CannotStart(Exception):
    """Why ``make up`` gives up, in words for the person who called it."""


class Family:
    """All children of one supervisor. Every method that waits can raise ``StopRequested``."""

    def __init__(self, signals: Signals) -> None:
        self.settled = False
        self._signals = signals
        self._children: list[Child] = []

    def launch(self, child: Child) -> None:
        child.start()
        self._children.append(child)

    def until(self, done: Callable[[], bool], *, every_s: float = 0.1) -> None:
        while not done():
            self.look_after(every_s)

    def within(self, limit_s: float, done: Callable[[], bool]) -> bool:
        """Whether ``done`` came true in ``limit_s``."""
        deadline_s = time.monotonic() + limit_s
        while not done():
            if time.monotonic() > deadline_s:
                return False
            self.look_after(0.1)
        return True

    def look_after(self, longest_s: float) -> None:
        """Wait for a signal or a due restart, ``longest_s`` at most, and restart who died.

        Raises ``CannotStart`` when a child keeps dying before the family has settled.
        """
        pauses = [child.restart_in_s for child in self._children if not child.running]
        self._signals.wait(min([longest_s, *pauses]))
        for child in self._children:
            if (status := child.collect_death()) is not None:
                self._report_death(child, status)
            elif child.restart_due:
                say(f"{child.name} starts again")
                child.start()

    def _report_death(self, child: Child, status: int) -> None:
        cause = f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit {status}"
        say(f"{child.name} died ({cause}); it starts again in {child.restart_in_s:.1f} s")
        for line in child.last_lines(5):
            say(f"  {child.name} | {line}")
        if not self.settled and child.deaths >= MOST_DEATHS_AT_START:
            raise CannotStart(f"{child.name} died {child.deaths} times; see {child.log}.")

    def stop(self, limits_s: dict[str, float]) -> None:
        """Stop group after group, in the order of ``limits_s``, and kill what takes longer.

        A second stop signal kills all that is left at once.
        """
        try:
            for group, limit_s in limits_s.items():
                self._stop_group([c for c in self._children if c.group == group], limit_s)
        except (StopAtOnce, StopRequested):
            say("Stopping at once.")
        finally:
            for child in reversed(self._children):
                child.kill()

    def _stop_group(self, group: list[Child], limit_s: float) -> None:
        for child in group:
            child.ask_to_stop()
        deadline_s = time.monotonic() + limit_s
        while any(child.running for child in group) and time.monotonic() < deadline_s:
            self._signals.wait(deadline_s - time.monotonic())
        for child in group:
            child.kill()
