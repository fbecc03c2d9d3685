"""The address of the Parley that ``make up`` runs, for commands of the same folder."""

import os
from pathlib import Path

from scheduler_site.supervisor.lock import FileLock

NAME = "supervisor.lock"


def describe(url: str) -> str:
    """What the lock of this process says: ``process 123, http://localhost:5010/``."""
    return f"process {os.getpid()}, {url}"


def sockets_of(folder: Path) -> str | None:
    """Where its sockets are, as ``ws://localhost:5010/``; None: none runs in the folder."""
    if not (folder / NAME).exists():
        return None
    lock = FileLock(folder / NAME)
    try:
        if lock.take():
            return None
        _, found, rest = lock.read().rpartition(", http")
        return f"ws{rest}" if found else None  # one that just starts has not said it yet
    finally:
        os.close(lock.descriptor)
