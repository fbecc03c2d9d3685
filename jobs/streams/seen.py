"""Which chunks of a connection have come, so that none counts twice."""

from bisect import bisect_right

MOST_RUNS = 64


class Seen:
    """``seq`` numbers, kept as runs without a gap: a usual stream is one. The lowest run is
    forgotten when there are too many.
    """

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []

    def is_new(self, seq: int) -> bool:
        """Whether it has not come before; from now on it has."""
        at = bisect_right(self._firsts, seq)
        if at and seq <= self._lasts[at - 1]:
            return False
        follows = at > 0 and self._lasts[at - 1] == seq - 1
        precedes = at < len(self._firsts) and self._firsts[at] == seq + 1
        if follows:
            self._lasts[at - 1] = self._lasts.pop(at) if precedes else seq
            if precedes:
                del self._firsts[at]
        elif precedes:
            self._firsts[at] = seq
        else:
            self._firsts.insert(at, seq)
            self._lasts.insert(at, seq)
        if len(self._firsts) > MOST_RUNS:
            del self._firsts[0], self._lasts[0]
        return True
