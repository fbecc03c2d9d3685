"""Nodes as they are now."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from lua import ids
from lua.client import Cells, StoreSettings
from lua.errors import UNREACHABLE, StoreUnavailable
from lua.keys import cell_prefix
from lua.reader import client
from lua.records import LOAD
from lua.states import BreakerState, NodeState, Reason

AT_ONCE = 2_000
_REASONS = list(Reason)
_FIELDS = (
    "state", "process", "address", "since", "gone", "drain", "leave", "public", "enabled", "core",
    "gpu", "hot", "queue", "arbitrates", "config", "pools", "has", "reasons", "caps", "metrics",
    "breaker", "blamed", "opened", "pause", "services", "until",
)  # fmt: skip


@dataclass(frozen=True)
class Load:
    """How busy a node is, as selection reads it. ``foreign``: work on it that is not ours."""

    capacity: int
    used: int
    foreign: int
    reason: Reason
    beat_ms: int

    @property
    def share(self) -> float:
        """Busy part of its slots, 0 to 1 (more when its capacity was lowered)."""
        return (self.used + self.foreign) / self.capacity if self.capacity else 0.0


@dataclass(frozen=True)
class Breaker:
    """``code``: the last failure that was charged to the node. ``until_ms``: when an open one lets
    a job through again, Unix ms, else 0.
    """

    state: BreakerState
    code: str
    until_ms: int


@dataclass(frozen=True)
class ServiceOut:
    """A service that is left out of what its node offers, until ``until_ms``, Unix ms."""

    service: str
    code: str
    until_ms: int


@dataclass(frozen=True)
class NodeView:
    """All that is known of a node. ``caps`` and ``metrics`` are what it reported, for display."""

    node: str
    cell: int
    state: NodeState
    load: Load
    process: str
    address: str
    since_ms: int
    gone_ms: int
    drain: str
    leaving: bool
    drain_until_ms: int
    public: bool
    enabled: bool
    core: bool
    gpu: bool
    hot: bool
    queue: int
    arbitrates: bool
    config: int
    pools: tuple[str, ...]
    has: tuple[str, ...]
    reasons: dict[str, str]
    caps: dict[str, Any]
    metrics: dict[str, Any]
    breaker: Breaker
    out: tuple[ServiceOut, ...]


def fleet(store: StoreSettings) -> dict[str, Load]:
    """The load of every node there is; Redis reads some thousand at a time."""
    keys = [f"{cell_prefix(store.prefix, cell)}fleet" for cell in range(store.cells)]
    records = chain.from_iterable(client(store).hscan_iter(key, count=AT_ONCE) for key in keys)
    return {node.decode(): load_of(raw) for node, raw in records}


def nodes(store: StoreSettings, names: Iterable[str]) -> dict[str, NodeView]:
    """Those of the named nodes that Redis knows, in one round trip."""
    wanted = list(dict.fromkeys(names))
    with client(store).pipeline(transaction=False) as pipe:
        for node in wanted:
            prefix = cell_prefix(store.prefix, ids.cell_of_node(node, store.cells))
            pipe.hget(f"{prefix}fleet", node)
            pipe.hmget(f"{prefix}node:{node}", _FIELDS)
        replies = pipe.execute()
    return {
        node: _view(node, ids.cell_of_node(node, store.cells), record, values)
        for node, record, values in zip(wanted, replies[::2], replies[1::2], strict=True)
        if record is not None and values[0] is not None
    }


@dataclass(frozen=True)
class Registered:
    """How a node is registered: by which connection, with what credential; ``process`` is empty for
    one without a socket. ``caps``: all that it told of itself, JSON; ``has``: what it offers
    of what jobs may ask for.
    """

    conn: str
    process: str
    credential: str
    address: str
    hot: bool
    caps: bytes
    has: frozenset[str]


async def registered(cells: Cells, node: str) -> Registered | None:
    """None: Redis does not know the node. Raises StoreUnavailable."""
    key = f"{cells.prefixes[ids.cell_of_node(node, cells.count)]}node:{node}"
    names = ("conn", "process", "credential", "address", "hot", "caps", "has")
    try:
        values: Any = await cells.plain.hmget(key, names)
    except UNREACHABLE as error:
        raise StoreUnavailable(str(error)) from error
    if values[0] is None:
        return None
    *texts, caps, has = values
    conn, process, credential, address, hot = ((text or b"").decode() for text in texts)
    offered = frozenset((has or b"").decode().split())
    return Registered(conn, process, credential, address, hot == "1", caps or b"{}", offered)


def jobs_of(store: StoreSettings, node: str) -> list[str]:
    """The jobs a node holds."""
    prefix = cell_prefix(store.prefix, ids.cell_of_node(node, store.cells))
    held: Any = client(store).smembers(f"{prefix}node:{node}:jobs")
    return sorted(job.decode() for job in held)


def load_of(raw: bytes) -> Load:
    """A node's packed record."""
    capacity, used, foreign, why, beat = LOAD.unpack_from(raw)
    return Load(capacity, used, foreign, _REASONS[why], int(beat))


def _view(node: str, cell: int, record: bytes, values: list[bytes | None]) -> NodeView:
    raw = {name: (value or b"").decode() for name, value in zip(_FIELDS, values, strict=True)}
    return NodeView(
        node=node,
        cell=cell,
        state=NodeState(raw["state"]),
        load=load_of(record),
        process=raw["process"],
        address=raw["address"],
        since_ms=int(raw["since"] or 0),
        gone_ms=int(raw["gone"] or 0),
        drain=raw["drain"],
        leaving=raw["leave"] == "1",
        drain_until_ms=int(raw["until"] or 0),
        public=raw["public"] == "1",
        enabled=raw["enabled"] == "1",
        core=raw["core"] == "1",
        gpu=raw["gpu"] == "1",
        hot=raw["hot"] == "1",
        queue=int(raw["queue"] or 0),
        arbitrates=raw["arbitrates"] == "1",
        config=int(raw["config"] or 0),
        pools=tuple(raw["pools"].split()),
        has=tuple(raw["has"].split()),
        reasons=_object(raw["reasons"]),
        caps=_object(raw["caps"]),
        metrics=_object(raw["metrics"]),
        breaker=_breaker(raw),
        out=tuple(_services_out(_object(raw["services"]))),
    )


def _breaker(raw: dict[str, str]) -> Breaker:
    known = raw["breaker"]
    state = BreakerState(known) if known in ("open", "half_open") else BreakerState.CLOSED
    until_ms = int(raw["opened"]) + int(raw["pause"]) if state is BreakerState.OPEN else 0
    return Breaker(state, raw["blamed"], until_ms)


def _services_out(services: dict[str, Any]) -> Iterator[ServiceOut]:
    for name, one in sorted(services.items()):
        if one["phase"] == "out":
            yield ServiceOut(name, one["code"], int(one["due"]))


def _object(text: str) -> dict[str, Any]:
    value = json.loads(text) if text else {}
    return value if isinstance(value, dict) else {}
