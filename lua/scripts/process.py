"""Calls of a web process: its lease, the reaper, the configuration, notes."""

from dataclasses import dataclass
from enum import StrEnum

from lua.client import Cells
from lua.ids import new_token
from lua.script import Script


@dataclass(frozen=True)
class Kept:
    """The lease is renewed. ``epoch`` marks this life of Redis, ``version`` the configuration;
    ``pools`` rises whenever an auto pool is made or removed in this cell.
    """

    epoch: str
    version: int
    pools: int


@dataclass(frozen=True)
class Lease:
    """The lease is new: it had ended, or Redis lost it. Replay everything this process holds."""

    epoch: str
    version: int
    pools: int


RENEW_LEASE = Script("renew_lease", (Kept, Lease))


async def renew_lease(cells: Cells, *, cell: int, process: str) -> Kept | Lease:
    """Say that a process lives; call every 0.5 s. The lease ends after 2 s."""
    return await cells.run(RENEW_LEASE, cell, process, new_token())


@dataclass(frozen=True)
class Reaped:
    """``fired`` timers were due and handled; ``more``: others are due, call again at once."""

    fired: int
    more: bool


REAP = Script("reap", (Reaped,))


async def reap(cells: Cells, *, cell: int, limit: int = 16) -> Reaped:
    """Do what time demands: at most ``limit`` due timers a call. Any process may call it."""
    return await cells.run(REAP, cell, limit)


@dataclass(frozen=True)
class Taught:
    """The cell has this configuration now and all processes are told."""


@dataclass(frozen=True)
class Config:
    """The cell has a newer or equal configuration already."""

    version: int


WRITE_CONFIG = Script("write_config", (Taught, Config))


async def write_config(cells: Cells, *, cell: int, version: int, content: bytes) -> Taught | Config:
    """Publish the configuration to a cell and tell every process's mailbox."""
    return await cells.run(WRITE_CONFIG, cell, version, content)


class Sight(StrEnum):
    """What a process may note."""

    UNKNOWN_RESULT = "unknown_result"  # of a job that Redis did not know, or for too long
    FOREIGN_JOB = "foreign_job"  # a node spoke of a job that its cell can't have
    LATE_RESULT = "late_result"  # of a node that does not hold the job, or of a final one
    NODE_ERROR = "node_error"  # a node told an error of its own
    LEFT_OUT = "notes_left_out"  # how many of a node, after the first ones of a minute


@dataclass(frozen=True)
class Noted:
    """It is in the events of the cell."""


NOTE = Script("note", (Noted,))


async def note(
    cells: Cells, *, cell: int, what: Sight, job: str = "", node: str = "", text: str = ""
) -> Noted:
    """Record something that changes nothing. ``text`` is a word of ours, or a code of the node."""
    return await cells.run(NOTE, cell, what, job, node, text)
