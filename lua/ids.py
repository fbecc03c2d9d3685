"""Identifiers. Each says which cell its owner lives in, so no lookup is ever needed."""

import os
import re
import secrets
from zlib import crc32

PAIRING_CODES = 1_000_000
ENTROPY_BYTES = 4_096
_JOB = re.compile(r"job-[0-9A-F]{16}")


def cell_of_node(node: str, cells: int) -> int:
    """Cell of a node, from its name alone: agents choose their own names."""
    return crc32(node.encode()) % cells


def cell_of(identifier: str, cells: int) -> int:
    """Cell of a job or session id: its hexadecimal part modulo the number of cells.

    Raises ValueError for a text that no process of this service made.
    """
    return int(identifier.rpartition("-")[2], 16) % cells


def is_job(identifier: str) -> bool:
    """Whether a text that a peer sent looks like a job id of ours."""
    return _JOB.fullmatch(identifier) is not None


class _Entropy:
    """The system's random bytes, many asked for at a time: each question costs as much as a new
    id does otherwise. A forked process asks anew.
    """

    def __init__(self) -> None:
        self._left = b""
        os.register_at_fork(after_in_child=self._forget)

    def take(self, count: int) -> bytes:
        """Bytes that nobody else gets."""
        if len(self._left) < count:
            self._left = os.urandom(ENTROPY_BYTES)
        taken, self._left = self._left[:count], self._left[count:]
        return taken

    def _forget(self) -> None:
        self._left = b""


_entropy = _Entropy()


def _hex_in_cell(digits: int, cell: int, cells: int) -> str:
    number = int.from_bytes(_entropy.take(digits // 2)) >> 1
    return f"{number - number % cells + cell:0{digits}X}"


def new_session(cell: int, cells: int) -> str:
    """``s-`` and 8 hex digits."""
    return "s-" + _hex_in_cell(8, cell, cells)


def new_job(cell: int, cells: int) -> str:
    """``job-`` and 16 hex digits."""
    return "job-" + _hex_in_cell(16, cell, cells)


def new_node() -> str:
    """``node-`` and 8 hex digits, for an agent that names none."""
    return f"node-{_entropy.take(4).hex().upper()}"


def new_pairing_code(cell: int, cells: int) -> str:
    """6 digits that say the cell of their node."""
    return f"{secrets.randbelow(PAIRING_CODES // cells) * cells + cell:06d}"


def cell_of_pairing_code(code: str, cells: int) -> int:
    """Cell of the node that a code of digits was given out for, if it was."""
    return int(code) % cells


def new_token() -> str:
    """An unguessable token for connections, processes and inbox entries: 16 hex digits."""
    return _entropy.take(8).hex()
