"""A process's mailbox: what the scripts tell it. Read by :mod:`jobs.mailroom`, routed by kind."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any, get_type_hints

import redis.asyncio as aioredis

from lua.client import SOCKET_OPTIONS, Cells
from lua.errors import UNREACHABLE

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Assign:
    """Attempt ``attempt`` of ``job`` is reserved for ``node``, connected here as ``conn``."""

    job: str
    attempt: int
    node: str
    conn: str


@dataclass(frozen=True)
class CancelJob:
    """Tell ``node`` that ``job`` is not wanted any more."""

    job: str
    node: str
    conn: str
    code: str


@dataclass(frozen=True)
class Replaced:
    """A newer connection of the node took over from ``conn``: close that with 4409."""

    node: str
    conn: str


@dataclass(frozen=True)
class Control:
    """An operator's command for ``node``: ``drain resume shutdown refresh kick``."""

    node: str
    conn: str
    command: str
    reason: str


@dataclass(frozen=True)
class Services:
    """``out``: services of ``node`` that are left out of what it offers from now on."""

    node: str
    conn: str
    out: list[str]


@dataclass(frozen=True)
class Outcome:
    """``job`` of ``session`` ended. ``size``: bytes of its result, 0 without one.

    ``details`` is JSON: the breakdown of a refusal, else empty. ``by_node``: a node reported it.
    """

    job: str
    session: str
    state: str
    code: str
    message: str
    details: str
    node: str
    attempt: int
    size: int
    by_node: bool


@dataclass(frozen=True)
class Placed:
    """A waiting or retried ``job`` of ``session`` is reserved on ``node`` now, or waits: in a queue
    as crowded as ``level`` says.
    """

    job: str
    session: str
    state: str
    node: str
    attempt: int
    level: str


@dataclass(frozen=True)
class Accepted:
    """The node has accepted ``job`` of ``session``."""

    job: str
    session: str
    node: str


@dataclass(frozen=True)
class Partial:
    """A partial text: ``body`` is the JSON object of the ``asr_partial`` frame."""

    job: str
    session: str
    body: bytes


@dataclass(frozen=True)
class Moved:
    """The client of ``session`` has resumed it elsewhere, as its ``generation``: let go of it."""

    session: str
    generation: int


@dataclass(frozen=True)
class Pressure:
    """How crowded the queue of ``sig`` has become; without one: the whole cell."""

    sig: str
    level: str


@dataclass(frozen=True)
class NewConfig:
    """Configuration ``version`` is in the cell."""

    version: int


@dataclass(frozen=True)
class Hello:
    """First entry of a mailbox."""


Message = (
    Assign
    | CancelJob
    | Replaced
    | Control
    | Services
    | Outcome
    | Placed
    | Accepted
    | Partial
    | Moved
    | Pressure
    | NewConfig
    | Hello
)

KINDS: dict[str, type[Message]] = {
    "assign": Assign,
    "cancel": CancelJob,
    "replaced": Replaced,
    "control": Control,
    "services": Services,
    "outcome": Outcome,
    "placed": Placed,
    "accepted": Accepted,
    "partial": Partial,
    "moved": Moved,
    "pressure": Pressure,
    "config": NewConfig,
    "hello": Hello,
}
_READ: dict[Any, Callable[[bytes], Any]] = {
    str: bytes.decode,
    int: int,
    bool: b"1".__eq__,
    bytes: bytes,
    list[str]: lambda raw: raw.decode().split(),
}


def _readers(type_: type[Message]) -> list[tuple[bytes, Callable[[bytes], Any]]]:
    hints = get_type_hints(type_)
    return [(field.name.encode(), _READ[hints[field.name]]) for field in fields(type_)]


_KINDS: dict[bytes, tuple[Callable[..., Message], list[tuple[bytes, Callable[[bytes], Any]]]]] = {
    kind.encode(): (type_, _readers(type_)) for kind, type_ in KINDS.items()
}
BLOCK_MS = 5_000
BATCH = 256


def decode(entry: dict[bytes, bytes]) -> Message:
    """A stream entry as its message; KeyError for an unknown kind."""
    make, readers = _KINDS[entry[b"kind"]]
    return make(*[read(entry[name]) for name, read in readers])


def _readable(entries: list[tuple[bytes, dict[bytes, bytes]]]) -> Iterator[Message]:
    """A message of a later version, or a damaged one, must not end the reading of the others."""
    for id_, entry in entries:
        try:
            yield decode(entry)
        except (KeyError, ValueError) as error:
            log.error("message %s can't be read: %r", id_.decode(), error)


async def read(cells: Cells, cell: int, process: str) -> AsyncIterator[list[Message]]:
    """Batches of messages, for ever. Reads on after a lost connection from the last id seen.

    A mailbox that Redis lost begins anew: ids are times, so they go on rising.
    """
    key = f"{cells.prefixes[cell]}mailbox:{process}"
    client = aioredis.Redis.from_url(cells.settings.url, **SOCKET_OPTIONS)
    last: bytes | str = "0"
    pause_s = 0.02
    try:
        while True:
            try:
                reply = await _read_some(client.xread({key: last}, count=BATCH, block=BLOCK_MS))
            except UNREACHABLE:
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, 1.0)
                continue
            pause_s = 0.02
            if reply:
                entries = reply[0][1]
                last = entries[-1][0]
                yield list(_readable(entries))
    finally:
        await client.aclose()


async def _read_some(read: Awaitable[Any]) -> Any:
    """The read's reply, in a task of its own: redis-py loses a cancellation that comes while it
    sends (``asyncio.wait_for`` of Python 3.11), and would go on reading for ever.
    """
    task = asyncio.ensure_future(read)
    try:
        await asyncio.wait((task,))
    except asyncio.CancelledError:
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        task.cancel()
        raise
    return task.result()
