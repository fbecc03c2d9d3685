"""One owner a folder: file locks that end with the last process that holds them."""

import fcntl
import os
from pathlib import Path


class FileLock:
    """An advisory lock on ``path``, whose text tells others about the owner."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self) -> bool:
        """False: another process has it. A child that inherits the descriptor shares it."""
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def write(self, text: str) -> None:
        os.truncate(self.descriptor, 0)
        os.pwrite(self.descriptor, text.encode(), 0)

    def read(self) -> str:
        return self.path.read_text()
