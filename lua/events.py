"""The event stream of a cell: what the scripts say has happened, on its way to SQL.

Entries are flat strings, ``e`` names their kind. The next stop of a job is :mod:`jobs.audit`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_type_hints

import redis

from lua.receipts import Words, words_of
from lua.scripts import NewJob

START = "0-0"
ORIGIN = ("session", "index", "tenant", "src", "tgt", "request", "size", "trace")


@dataclass(frozen=True, slots=True)
class JobMoved:
    """States a job passed in one call. What a call has no word on is empty or None.

    Only the first event of a job has ``session`` … ``trace``, as a rule in its packed spec. ``ms``:
    since its dispatch. ``left``: the node that a retried job left. ``brief``: milliseconds by
    service, as the node reported them. ``receipt``: how a node was looked for, see
    :mod:`lua.receipts`.
    """

    job: str
    moves: tuple[str, ...]
    attempt: int | None = None
    node: str = ""
    left: str = ""
    code: str = ""
    pool: str = ""
    reason: str = ""
    breakdown: dict[str, int] | None = None
    tries: int | None = None
    ms: int | None = None
    brief: dict[str, float] | None = None
    session: str = ""
    index: int | None = None
    tenant: str = ""
    src: str = ""
    tgt: str = ""
    request: str = ""
    size: int | None = None
    trace: str = ""
    receipt: Words | None = None


@dataclass(frozen=True, slots=True)
class NodeMoved:
    """States a node passed; ``process`` and ``address`` at its registration; ``text``: a reason
    that an operator gave.
    """

    node: str
    moves: tuple[str, ...] = ()
    why: str = ""
    process: str = ""
    address: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class PoolsChanged:
    """Pools a node joined and left. ``why``: the occasion; ``reasons``: JSON, pool → reason."""

    node: str
    joined: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    why: str = ""
    reasons: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    """Something recorded that changes nothing; ``alert``: operators should see it."""

    what: str
    alert: bool = False
    job: str = ""
    node: str = ""
    text: str = ""


Event = JobMoved | NodeMoved | PoolsChanged | Noted


@dataclass(frozen=True, slots=True)
class Entry:
    """An event and its place in the stream; the first half of ``id`` is its time in ms."""

    id: str
    event: Event

    @property
    def at_ms(self) -> int:
        return int(self.id.partition("-")[0])


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries of one life of Redis. ``epoch`` is empty while this life has no mark yet."""

    epoch: str
    entries: list[Entry]


_KINDS: dict[str, type[Any]] = {
    "job": JobMoved,
    "node": NodeMoved,
    "pool": PoolsChanged,
    "note": Noted,
    "alert": Noted,
}


def decode(fields: dict[bytes, bytes]) -> Event:
    """The event of an entry; unknown fields are left out. One that is damaged becomes an alert."""
    values = {name.decode(): value for name, value in fields.items()}
    try:
        kind = _text(values["e"])
        type_ = _KINDS[kind]
        readers = _READERS[type_]
        given = {name: readers[name](value) for name, value in values.items() if name in readers}
        if "spec" in values:
            given |= _origin(values["spec"])
        if kind == "alert":
            given["alert"] = True
        event: Event = type_(**given)
    except (KeyError, TypeError, ValueError) as error:
        return Noted("bad_event", alert=True, text=f"{error!r} in {sorted(values)}")
    return event


def _origin(packed: bytes) -> dict[str, Any]:
    spec = NewJob.read(packed)
    return {name: getattr(spec, name) for name in ORIGIN}


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")


def _number(raw: bytes) -> int | None:
    return int(raw) if raw else None


def _words(raw: bytes) -> tuple[str, ...]:
    return tuple(_text(raw).split())


def _object(raw: bytes) -> dict[str, Any] | None:
    value = json.loads(raw) if raw else None
    if value is not None and not isinstance(value, dict):
        raise ValueError("not an object")
    return value or None


_BY_TYPE: dict[Any, Callable[[bytes], Any]] = {
    str: _text,
    int | None: _number,
    tuple[str, ...]: _words,
    Words | None: words_of,
    dict[str, int] | None: _object,
    dict[str, float] | None: _object,
}
_READERS = {
    type_: {name: _BY_TYPE[hint] for name, hint in get_type_hints(type_).items() if name != "alert"}
    for type_ in set(_KINDS.values())
}


def read(client: redis.Redis, prefix: str, *, epoch: str, after: str, count: int) -> Batch:
    """At most ``count`` entries after the place (``epoch``, ``after``), oldest first.

    In another life of Redis all entries are new. Epoch and entries are read in one transaction,
    so that no entry is ever taken for one of another life.
    """
    batch = _range(client, prefix, after, count)
    if batch.epoch == epoch or after == START:
        return batch
    batch = _range(client, prefix, START, count)
    return batch if batch.epoch != epoch else Batch("", [])


def _range(client: redis.Redis, prefix: str, after: str, count: int) -> Batch:
    with client.pipeline(transaction=True) as pipe:
        pipe.get(f"{prefix}epoch")
        pipe.xrange(f"{prefix}events", f"({after}", "+", count)
        epoch, entries = pipe.execute()
    if epoch is None:
        return Batch("", [])
    return Batch(epoch.decode(), [Entry(id_.decode(), decode(fields)) for id_, fields in entries])


def trim(client: redis.Redis, prefix: str, *, epoch: str, upto: str) -> int:
    """Remove the entries up to and including ``upto``; returns how many.

    Removes nothing in another life of Redis, whose entries nobody has kept yet.
    """
    ms, _, seq = upto.partition("-")
    with client.pipeline() as pipe:
        pipe.watch(f"{prefix}epoch")  # type: ignore[no-untyped-call]
        if pipe.get(f"{prefix}epoch") != epoch.encode():
            return 0
        pipe.multi()
        pipe.xtrim(f"{prefix}events", minid=f"{ms}-{int(seq) + 1}", approximate=False)
        try:
            return int(pipe.execute()[0])
        except redis.WatchError:
            return 0
