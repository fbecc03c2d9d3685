"""Reads a cell piece by piece, while traffic runs: nobody waits for longer than one key takes.

What moves while it is read looks wrong; so only what is wrong twice, some time apart, is.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import redis

from lua.client import StoreSettings
from lua.doctor import explained
from lua.doctor.owners import ENDING
from lua.doctor.snapshot import Snapshot, kind_of
from lua.keys import cell_prefix
from lua.reader import client

AT_ONCE = 500
_CONTENT = {
    "hash": lambda pipe, key: pipe.execute_command("HGETALL", key),
    "set": lambda pipe, key: pipe.execute_command("SMEMBERS", key),
    "zset": lambda pipe, key: pipe.execute_command("ZRANGE", key, 0, -1, "WITHSCORES"),
}


@dataclass(frozen=True)
class Finding:
    """Something wrong in a cell: what it is about, what is wrong, and the rule that it breaks."""

    cell: int
    subject: str
    text: str
    rule: str


def examine(store: StoreSettings, *, pause_s: float = 1.0) -> list[Finding]:
    """What is wrong in all cells, now and ``pause_s`` later. Raises RedisError."""
    first = {(one.cell, one.subject, one.rule) for one in _all(store)}
    if not first:
        return []
    time.sleep(pause_s)
    return [one for one in _all(store) if (one.cell, one.subject, one.rule) in first]


def _all(store: StoreSettings) -> Iterator[Finding]:
    for number in range(store.cells):
        cell = read(store, number)
        for text, rule in explained(cell, overfull=cell.fleet):
            subject, _, what = text.partition(": ")
            if what != ENDING:
                yield Finding(number, subject, what, rule)


def read(store: StoreSettings, cell: int) -> Snapshot:
    """All keys of a cell, without what is in large values and streams."""
    prefix, connection = cell_prefix(store.prefix, cell), client(store)
    found = Snapshot([], store.limits)
    keys: list[bytes] = []
    for key in connection.scan_iter(f"{prefix}*", AT_ONCE):
        keys.append(key)
        if len(keys) == AT_ONCE:
            _add(connection, prefix, keys, found)
            keys = []
    _add(connection, prefix, keys, found)
    return found


def count_offering(store: StoreSettings, cell: int, line: str) -> tuple[int, int]:
    """What a line of ``offers`` says, and how many members of its pool offer just that, counted
    some at a time. Raises RedisError.
    """
    prefix, connection = cell_prefix(store.prefix, cell), client(store)
    pool, _, values = line.partition(" ")
    said: Any = connection.hget(f"{prefix}offers", line)
    members = sorted(set(connection.sscan_iter(f"{prefix}pool:{pool}", count=AT_ONCE)))
    count = 0
    for start in range(0, len(members), AT_ONCE):
        with connection.pipeline(transaction=False) as pipe:
            for member in members[start : start + AT_ONCE]:
                pipe.hget(f"{prefix}node:{member.decode()}", "has")
            count += pipe.execute().count(values.encode())
    return int(said or 0), count


def _add(connection: redis.Redis, prefix: str, keys: list[bytes], found: Snapshot) -> None:
    with connection.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.type(key)
            pipe.pttl(key)
        about = pipe.execute()
        for key, kind in zip(keys, about[::2], strict=True):
            _ask(pipe, key, kind.decode(), key.decode().removeprefix(prefix))
        contents = pipe.execute(raise_on_error=False)
    raw: list[Any] = []
    for key, kind, ttl_ms, content in zip(keys, about[::2], about[1::2], contents, strict=True):
        if kind != b"none" and not isinstance(content, redis.ResponseError):
            flat = _flat(content)
            raw.append((key.decode().removeprefix(prefix).encode(), kind, ttl_ms, flat))
    found.keys.update(Snapshot(raw).keys)


def _ask(pipe: Any, key: bytes, kind: str, name: str) -> None:
    known = kind_of(name)
    fits = known is not None and known.type == kind
    if fits and kind in _CONTENT:
        _CONTENT[kind](pipe, key)
    elif fits and (name == "live_bytes" or name.startswith("request:")):
        pipe.get(key)
    else:
        pipe.exists(key)


def _flat(content: Any) -> list[Any]:
    if isinstance(content, dict):
        return [part for pair in content.items() for part in pair]
    if isinstance(content, bytes):
        return [content]
    if isinstance(content, int):
        return []
    if content and isinstance(content, list) and isinstance(content[0], list | tuple):
        return [
            part if isinstance(part, bytes) else repr(part).encode()
            for pair in content
            for part in pair
        ]
    return list(content or ())
