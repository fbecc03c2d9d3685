"""A whole cell as it was read: asked by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Any

import msgspec

from lua.keys import KEYSPACE, Key, Life
from lua.limits import Limits
from lua.records import Record
from lua.scripts import NewJob
from lua.states import Reason

REASONS = list(Reason)

Raw = list[tuple[bytes, bytes, int, list[Any]]]
Entry = tuple[str, dict[str, str]]


@dataclass(frozen=True)
class Content:
    """One key. ``ttl_ms`` is -1 for one that stays."""

    type: str
    ttl_ms: int
    flat: list[Any]

    @cached_property
    def hash(self) -> dict[str, str]:
        return texts(self.flat)

    @cached_property
    def set(self) -> frozenset[str]:
        return frozenset(part.decode() for part in self.flat)

    @cached_property
    def zset(self) -> dict[str, float]:
        return {member: float(score) for member, score in self.hash.items()}

    @cached_property
    def stream(self) -> list[Entry]:
        return entries(self.flat)


NOTHING = Content("none", -2, [])


class Snapshot:
    """All keys of a cell, without its prefix. ``limits``: those that the scripts work with."""

    def __init__(self, raw: Raw, limits: Limits = Limits()) -> None:  # noqa: B008 - frozen
        self.limits = limits
        self.keys = {
            name.decode(): Content(kind.decode(), ttl, flat) for name, kind, ttl, flat in raw
        }

    def __getitem__(self, key: str) -> Content:
        return self.keys.get(key, NOTHING)

    def named(self, stem: str) -> dict[str, Content]:
        """Keys that begin with ``stem:``, by what follows it."""
        start = f"{stem}:"
        return {
            key.removeprefix(start): content
            for key, content in self.keys.items()
            if key.startswith(start)
        }

    @cached_property
    def records(self) -> dict[str, Record | None]:
        """Of all nodes; None for one that cannot be read."""
        flat = self["fleet"].flat
        return {
            name.decode(): _record(packed)
            for name, packed in zip(flat[::2], flat[1::2], strict=True)
        }

    @cached_property
    def fleet(self) -> dict[str, Record]:
        """Those that can be read."""
        return {name: record for name, record in self.records.items() if record is not None}

    @cached_property
    def nodes(self) -> dict[str, dict[str, str]]:
        """Nodes' hashes; ``node:ID:jobs`` are sets."""
        return {id_: c.hash for id_, c in self.named("node").items() if c.type == "hash"}

    @cached_property
    def jobs(self) -> dict[str, dict[str, str]]:
        return {id_: _with_spec(content) for id_, content in self.named("job").items()}

    @cached_property
    def sessions(self) -> dict[str, dict[str, str]]:
        return {id_: content.hash for id_, content in self.named("session").items()}

    @cached_property
    def timers(self) -> dict[str, float]:
        return self["timers"].zset

    def held_by(self, node: str) -> frozenset[str]:
        """The jobs of a node's set."""
        return self[f"node:{node}:jobs"].set

    def events(self) -> list[Entry]:
        """Entries of the outbox, oldest first."""
        return self["events"].stream

    def mailbox(self, process: str) -> list[Entry]:
        """Messages to a process, oldest first."""
        return self[f"mailbox:{process}"].stream

    def comparable(self) -> dict[str, object]:
        """What must be equal when nothing has changed: all but the remaining times."""
        return {
            key: (content.type, content.ttl_ms == -1, self._sorted(content))
            for key, content in self.keys.items()
        }

    def _sorted(self, content: Content) -> object:
        if content.type == "hash":
            return dict(zip(content.flat[::2], content.flat[1::2], strict=True))
        return content.set if content.type == "set" else content.flat


def _record(packed: bytes) -> Record | None:
    try:
        return Record.read(packed)
    except ValueError:
        return None


def _with_spec(job: Content) -> dict[str, str]:
    """The fields of a job and of its spec; ``payload`` is the size of the latter."""
    packed = dict(zip(job.flat[::2], job.flat[1::2], strict=True)).get(b"spec")
    if packed is None:
        return job.hash
    spec = NewJob.read(packed)
    given = {name: str(value) for name, value in msgspec.structs.asdict(spec).items()}
    return {**given, **job.hash, "payload": str(spec.size)}


def entries(flat: list[Any]) -> list[Entry]:
    """Stream entries with their fields as texts."""
    return [(id_.decode(), _fields(tuple(fields))) for id_, fields in flat]


@lru_cache(50_000)
def _fields(flat: tuple[bytes, ...]) -> dict[str, str]:
    return texts(flat)


def texts(flat: Sequence[bytes]) -> dict[str, str]:
    """Names and values that follow each other; of packed ones only the letters can be read."""
    parts = [part.decode(errors="replace") for part in flat]
    return dict(zip(parts[::2], parts[1::2], strict=True))


@cache
def kind_of(key: str) -> Key | None:
    """The kind of a key, by the longest pattern that fits; None for a stranger."""
    fitting = [kind for kind in KEYSPACE if _fits(key, kind.pattern)]
    return max(fitting, key=lambda kind: len(kind.pattern), default=None)


def _fits(key: str, pattern: str) -> bool:
    mine, theirs = key.split(":"), pattern.split(":")
    last = theirs[-1]
    if last.isupper():  # the name may have colons of its own
        mine = [*mine[: len(theirs) - 1], ":".join(mine[len(theirs) - 1 :])]
    if len(mine) != len(theirs):
        return False
    return all(b.isupper() or a == b for a, b in zip(mine, theirs, strict=True))


def may_stay(kind: Key, ttl_ms: int) -> bool:
    """Whether a key of this kind may have this remaining time."""
    if kind.life is Life.TTL:
        return ttl_ms != -1
    return ttl_ms == -1 or kind.pattern in ("job:ID", "request:SCOPE:ID")
