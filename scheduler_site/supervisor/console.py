"""What ``make up`` tells the person at the terminal."""

import contextlib
import sys


def say(text: str) -> None:
    """Print a line; a terminal that is gone must not stop the supervisor."""
    with contextlib.suppress(OSError):
        print(text, flush=True)


def warn(text: str) -> None:
    with contextlib.suppress(OSError):
        print(f"Warning: {text}", file=sys.stderr, flush=True)
