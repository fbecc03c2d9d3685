"""What a cell amounts to: processes, queues, memory and the backlog of its event stream."""

from dataclasses import dataclass
from typing import Any

from lua.client import StoreSettings
from lua.keys import cell_prefix
from lua.reader import client


@dataclass(frozen=True)
class CellView:
    """One cell. ``stream_lag_ms``: age of the oldest entry that is not yet in SQL."""

    cell: int
    epoch: str
    config: int
    processes: tuple[str, ...]
    timers: int
    queues: int
    live_bytes: int
    stream_entries: int
    stream_lag_ms: int


@dataclass(frozen=True)
class Queue:
    """The jobs that wait with one requirement: its pools (and what it had better have, after a ~),
    what else it asks, its only node.
    """

    cell: int
    sig: str
    pools: tuple[str, ...]
    has: tuple[str, ...]
    pin: str
    waiting: int


def cells(store: StoreSettings) -> list[CellView]:
    """All cells, in one round trip."""
    with client(store).pipeline(transaction=False) as pipe:
        pipe.time()
        for cell in range(store.cells):
            prefix = cell_prefix(store.prefix, cell)
            pipe.get(f"{prefix}epoch")
            pipe.hget(f"{prefix}config", "version")
            pipe.smembers(f"{prefix}processes")
            pipe.zcard(f"{prefix}timers")
            pipe.zcard(f"{prefix}queues")
            pipe.get(f"{prefix}live_bytes")
            pipe.xlen(f"{prefix}events")
            pipe.xrange(f"{prefix}events", count=1)
        (seconds, micros), *replies = pipe.execute()
    now_ms = seconds * 1000 + micros // 1000
    return [_cell(cell, now_ms, *replies[8 * cell : 8 * cell + 8]) for cell in range(store.cells)]


def _cell(cell: int, now_ms: int, *replies: Any) -> CellView:
    epoch, config, processes, timers, queues_, live_bytes, entries, first = replies
    oldest_ms = int(first[0][0].partition(b"-")[0]) if first else now_ms
    return CellView(
        cell=cell,
        epoch=(epoch or b"").decode(),
        config=int(config or 0),
        processes=tuple(sorted(process.decode() for process in processes)),
        timers=timers,
        queues=queues_,
        live_bytes=int(live_bytes or 0),
        stream_entries=entries,
        stream_lag_ms=max(0, now_ms - oldest_ms),
    )


def queues(store: StoreSettings) -> list[Queue]:
    """All queues with waiting jobs (the scripts bound their number), in two round trips."""
    prefixes = [cell_prefix(store.prefix, cell) for cell in range(store.cells)]
    with client(store).pipeline(transaction=False) as pipe:
        for prefix in prefixes:
            pipe.hgetall(f"{prefix}sigs")
        needs = [(cell, *need) for cell, sigs in enumerate(pipe.execute()) for need in sigs.items()]
        for cell, sig, _ in needs:
            pipe.zcard(f"{prefixes[cell]}waiting:{sig.decode()}")
        counts = pipe.execute() if needs else []
    return [
        _queue(cell, sig, text, count)
        for (cell, sig, text), count in zip(needs, counts, strict=True)
        if count
    ]


def _queue(cell: int, sig: bytes, text: bytes, count: int) -> Queue:
    pools, has, pin = text.decode().split("\t")
    return Queue(
        cell=cell,
        sig=sig.decode(),
        pools=tuple(pools.split()),
        has=tuple(has.split()),
        pin=pin,
        waiting=count,
    )


def script_calls(store: StoreSettings) -> tuple[int, float]:
    """Script calls the server has run since its start, and their time in seconds."""
    stats: dict[str, Any] = client(store).info("commandstats")
    used = [stats.get(f"cmdstat_{name}", {}) for name in ("fcall", "evalsha", "eval")]
    return sum(one.get("calls", 0) for one in used), sum(one.get("usec", 0) for one in used) / 1e6
