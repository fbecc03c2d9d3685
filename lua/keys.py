"""The key space. Every key starts with a cell's prefix, so one script stays in one cluster slot.

``KEYSPACE`` is the reference: ``ARCHITECTURE.md`` prints it and the leak check reads it.
Inside the scripts a key is written ``cell .. 'job:' .. id`` with the same words.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import count

from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

# Rises with a change of the keys, or of what is in them, that other versions cannot read.
LAYOUT = 3


class Life(StrEnum):
    """What ends a key."""

    FOREVER = "forever"  # one a cell, bounded in size
    OWNER = "owner"  # removed by the script that removes its owner
    EMPTY = "empty"  # a collection: Redis removes it with its last member
    TTL = "ttl"  # always carries a time to live


@dataclass(frozen=True)
class Key:
    """One kind of key: its pattern after the cell's prefix, Redis type, life and purpose."""

    pattern: str
    type: str
    life: Life
    what: str


KEYSPACE = (
    Key("node:ID", "hash", Life.OWNER, "all that is known of a node"),
    Key("node:ID:jobs", "set", Life.EMPTY, "the jobs it holds: the truth behind its counter"),
    Key("fleet", "hash", Life.EMPTY, "node → packed record: load, and what jobs need of its hash"),
    Key("pools", "hash", Life.EMPTY, "auto pool → definition, while it has members"),
    Key("offers", "hash", Life.EMPTY, "pool and has: values → how many members offer just these"),
    Key("pool:P", "set", Life.EMPTY, "members of a pool"),
    Key("ready:P", "set", Life.EMPTY, "members that can take a public job now"),
    Key("idle:P", "set", Life.EMPTY, "of these, those without any work"),
    Key("has:KIND:VALUE", "set", Life.EMPTY, "nodes that offer an optional capability"),
    Key("broken", "set", Life.EMPTY, "nodes whose breaker is open"),
    Key("lame", "set", Life.EMPTY, "nodes with a service that its failures took out"),
    Key("job:ID", "hash", Life.OWNER, "a job; expires 10 min after its end"),
    Key("inbox:TOKEN", "string", Life.TTL, "a large value on its way into a script"),
    Key("payload:ID", "string", Life.TTL, "what the node is sent"),
    Key("result:ID", "string", Life.TTL, "what the node answered"),
    Key("request:SCOPE:ID", "string", Life.OWNER, "request id → job; expires 10 min after its end"),
    Key("timers", "zset", Life.EMPTY, "everything that time must change, by its due time in ms"),
    Key("sigs", "hash", Life.EMPTY, "SIG → requirement, while jobs of it wait"),
    Key("waiting:SIG", "zset", Life.EMPTY, "waiting jobs of one requirement, by rank"),
    Key("queues", "zset", Life.EMPTY, "requirements with waiting jobs, by their next sweep"),
    Key("heads:P", "zset", Life.EMPTY, "requirements that wait for a pool, by first rank"),
    Key("heads:node:ID", "zset", Life.EMPTY, "requirements pinned to a node, likewise"),
    Key(
        "session:ID",
        "hash",
        Life.OWNER,
        "a session: its process, live jobs, highest index",
    ),
    Key("indexes:ID", "hash", Life.OWNER, "the last index of a session that each node got"),
    Key(
        "answers:ID",
        "list",
        Life.TTL,
        "a session's last ended jobs, and refused utterances, for a client that returns",
    ),
    Key("processes", "set", Life.EMPTY, "web processes with a lease"),
    Key("process:ID:nodes", "set", Life.EMPTY, "nodes whose socket a process holds"),
    Key("process:ID:sessions", "set", Life.EMPTY, "sessions whose socket a process holds"),
    Key("mailbox:PROCESS", "stream", Life.OWNER, "messages to a process; removed with its lease"),
    Key("events", "stream", Life.FOREVER, "transitions: the outbox of the audit history"),
    Key("pairing:CODE", "hash", Life.TTL, "the node that a pairing code was given out for"),
    Key("guesses:WHO", "set", Life.TTL, "wrong pairing codes of a client, and of all"),
    Key("config", "hash", Life.FOREVER, "configuration, its version, and the number of cells"),
    Key("epoch", "string", Life.FOREVER, "a mark of this life of Redis"),
    Key(
        "reaped",
        "string",
        Life.FOREVER,
        "when the reaper last ran, and until when it holds back",
    ),
    Key("live_bytes", "string", Life.FOREVER, "bytes of the payloads of live jobs"),
    Key("brake", "string", Life.TTL, "which limit of the cell makes dispatch refuse"),
    Key("pace:P", "string", Life.TTL, "time between results of a pool's full nodes, and the last"),
    Key("budget:W:P", "hash", Life.TTL, "ended jobs and retries of a pool in a window of time"),
    Key("times:PROCESS", "string", Life.TTL, "a process's script times and speech, for metrics"),
    Key("lock:NAME", "string", Life.TTL, "leader lock of a periodic task"),
)


@cache
def tag(cell: int) -> str:
    """Hash tag of a cell, such as ``c0``: chosen so that the cells' slots spread evenly.

    Counted from the slot of ``c0``, cell *n* aims at the *n*-th point of the van der Corput
    sequence (base 2) on the ring of slots; a suffix is tried until its slot is within 1/64 of the
    ring of that point. So the cells divide evenly over primaries that own contiguous ranges.
    """
    ring = REDIS_CLUSTER_HASH_SLOTS
    point, step, rest = 0.0, 0.5, cell
    while rest:
        point, step, rest = point + step * (rest & 1), step / 2, rest >> 1
    aim = key_slot(b"c0") + point * ring
    for suffix in count():
        name = f"c{cell}.{suffix}" if suffix else f"c{cell}"
        distance = (key_slot(name.encode()) - aim) % ring
        if min(distance, ring - distance) < ring / 64:
            return name
    raise AssertionError("unreachable: the slots of the suffixes cover the ring")


def cell_prefix(prefix: str, cell: int) -> str:
    """What every key of a cell starts with, such as ``parley:{c0}:``."""
    return f"{prefix}{{{tag(cell)}}}:"
