"""Identifiers. Each says which cell its owner lives in, so no lookup is ever needed."""

import re
import secrets
from zlib import crc32

PAIRING_CODES = 1_000_000
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


def _hex_in_cell(digits: int, cell: int, cells: int) -> str:
    number = secrets.randbits(4 * digits - 1)
    return f"{number - number % cells + cell:0{digits}X}"


def new_session(cell: int, cells: int) -> str:
    """``s-`` and 8 hex digits."""
    return "s-" + _hex_in_cell(8, cell, cells)


def new_job(cell: int, cells: int) -> str:
    """``job-`` and 16 hex digits."""
    return "job-" + _hex_in_cell(16, cell, cells)


def new_node() -> str:
    """``node-`` and 8 hex digits, for an agent that names none."""
    return f"node-{secrets.randbits(32):08X}"


def new_pairing_code(cell: int, cells: int) -> str:
    """6 digits that say the cell of their node."""
    return f"{secrets.randbelow(PAIRING_CODES // cells) * cells + cell:06d}"


def cell_of_pairing_code(code: str, cells: int) -> int:
    """Cell of the node that a code of digits was given out for, if it was."""
    return int(code) % cells


def new_token() -> str:
    """An unguessable token for connections, processes and inbox entries: 16 hex digits."""
    return secrets.token_hex(8)
