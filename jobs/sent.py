"""What a session was told lately: a client that comes back may not have got all of it."""

import time
from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

from jobs.ordering import Release

T = TypeVar("T")

KEPT = 400  # answers of one session


@dataclass(eq=False)
class Entry(Generic[T]):
    """``sent_s``: when it was put on a wire, monotonic; None while it was not."""

    release: Release[T]
    sent_s: float | None = None

    def sent(self) -> None:
        """It is on its way."""
        self.sent_s = time.monotonic()


class Sent(Generic[T]):
    """``keep_ms``: how long ago something may have been sent and not have arrived; 0: nothing is
    kept.
    """

    def __init__(self, *, keep_ms: int) -> None:
        self._keep_s = keep_ms / 1000
        self._entries: deque[Entry[T]] = deque(maxlen=KEPT if keep_ms else 0)

    def begin(self, release: Release[T]) -> Entry[T]:
        """Something is about to be told."""
        entry = Entry(release)
        self._entries.append(entry)
        return entry

    def unsent(self) -> list[Release[T]]:
        """What was to be told and is on no wire yet."""
        return [entry.release for entry in self._entries if entry.sent_s is None]

    def again(self, last: int | None) -> list[Release[T]]:
        """What is to be told again, in its order; it leaves this list.

        ``last``: the client has everything up to this index. Where it does not say so, it gets
        what was sent lately once more.
        """
        entries = [entry for entry in self._entries if self._is_wanted(entry, last)]
        self._entries.clear()
        return [entry.release for entry in entries]

    def _is_wanted(self, entry: Entry[T], last: int | None) -> bool:
        if entry.sent_s is None:
            return True
        if last is not None:
            return entry.release.index > last
        return time.monotonic() - entry.sent_s < self._keep_s
