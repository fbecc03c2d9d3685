"""The packed record of a node in ``fleet``: what selection and the moves of a job read of it."""

import struct
from dataclasses import dataclass
from typing import Self

LOAD = struct.Struct("<HHHBd")  # as include/node.lua packs it; the texts of a Record follow
TEXTS = ("process", "ear", "conn", "pools", "acking", "leave", "breaker")


@dataclass(frozen=True)
class Record:
    """``foreign``: work on it that is not ours; ``why``: the index of a Reason. The texts repeat
    fields of the node's hash, but ``ear`` is its process where it has one.
    """

    capacity: int
    used: int
    foreign: int
    why: int
    beat_ms: float
    process: str
    ear: str
    conn: str
    pools: str
    acking: str
    leave: str
    breaker: str

    @classmethod
    def read(cls, packed: bytes) -> Self:
        """Raises ValueError, struct.error."""
        capacity, used, foreign, why, beat_ms = LOAD.unpack_from(packed)
        process, ear, conn, pools, acking, leave, breaker, _ = (
            packed[LOAD.size :].decode().split("\0")
        )
        return cls(
            capacity=capacity,
            used=used,
            foreign=foreign,
            why=why,
            beat_ms=beat_ms,
            process=process,
            ear=ear,
            conn=conn,
            pools=pools,
            acking=acking,
            leave=leave,
            breaker=breaker,
        )

    @property
    def ready(self) -> bool:
        return self.why == 0 and self.used + self.foreign < self.capacity

    @property
    def idle(self) -> bool:
        return self.ready and self.used + self.foreign == 0
