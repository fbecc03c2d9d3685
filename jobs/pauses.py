"""Pauses between tries: short at first, so that a hitch costs little, then longer."""

from collections.abc import Iterator


def pauses(*, first_s: float = 0.1, longest_s: float = 2.0, factor: float = 2.0) -> Iterator[float]:
    """Seconds to wait before the next try, without end: each ``factor`` times the one before."""
    pause_s = first_s
    while True:
        yield pause_s
        pause_s = min(factor * pause_s, longest_s)
