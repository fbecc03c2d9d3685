"""When to try again after a connection was lost or refused."""

from __future__ import annotations

import random
from typing import Final

from websockets.exceptions import ConnectionClosed, InvalidStatus

REFUSED, REPLACED = 4400, 4409
"""Close codes after which coming back at once would only do harm."""

PASSING: Final = {408, 425, 429}
"""HTTP statuses of the 400s that mean "later"."""

SETTLED_S: Final = 5.0
"""A connection that lived this long was a good one: the next delay starts small again."""


def close_code(error: Exception) -> int | None:
    """The code that the server closed with, if it said one."""
    return error.rcvd.code if isinstance(error, ConnectionClosed) and error.rcvd else None


def refused_for_good(error: Exception) -> bool:
    """Whether trying again soon can't help: HTTP 401, 403, 404, or a close that says so."""
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        return 400 <= status < 500 and status not in PASSING
    return close_code(error) in (REFUSED, REPLACED)


class Backoff:
    """Delays in seconds before the next try: doubling up to `longest`, half less to half more."""

    def __init__(self, *, first: float = 0.25, longest: float = 15.0) -> None:
        self.first = first
        self.longest = longest
        self._next = first

    def after(self, error: Exception, lived_s: float) -> float:
        """How long to wait after a connection that lived `lived_s` seconds ended with `error`."""
        if refused_for_good(error):
            return _jittered(self.longest)
        if lived_s >= SETTLED_S:
            self._next = self.first
        base, self._next = self._next, min(self.longest, 2 * self._next)
        return _jittered(base)


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(0.5, 1.5)
