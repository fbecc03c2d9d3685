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
        """Raises ValueError."""
        *texts, rest = packed[LOAD.size :].decode().split("\0")
        if rest or len(texts) != len(TEXTS):
            raise ValueError(f"not a record: {packed!r}")
        return cls(*LOAD.unpack_from(packed), *texts)

    @property
    def ready(self) -> bool:
        return self.why == 0 and self.used + self.foreign < self.capacity

    @property
    def idle(self) -> bool:
        return self.ready and self.used + self.foreign == 0
