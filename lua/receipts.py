"""How a node was chosen, as the scripts pack it (``lua/include/receipt.lua``)."""

import struct
from dataclasses import astuple, dataclass

Words = dict[str, str | int | float]
_NUMBERS = struct.Struct("<6I3f")


@dataclass(frozen=True)
class Receipt:
    """``pools`` that were tried, separated by commas; how many of their members were ``sampled``,
    and of these were ``lacking`` a has: value, ``excluded``, ``stale`` or ``busy``; how often a
    larger search was needed (``searched``); ``load`` of the winner and of the runner-up (``next``),
    -1 without one; seconds of the call so far (``took_s``); why the ``preferred`` node was not
    taken; pools that serve it and were ``passed`` over, with their reasons, separated by spaces.
    """

    sampled: int
    lacking: int
    excluded: int
    stale: int
    busy: int
    searched: int
    load: float
    next: float
    took_s: float
    pools: str
    preferred: str
    passed: str

    @classmethod
    def of(cls, packed: bytes) -> "Receipt":
        """From the numbers in their order, then the texts, each after a tab but the first."""
        texts = packed[_NUMBERS.size :].decode(errors="replace").split("\t", 2)
        return cls(*_NUMBERS.unpack_from(packed), *texts)

    @property
    def packed(self) -> bytes:
        """The same as a script would pack it."""
        *numbers, pools, preferred, passed = astuple(self)
        return _NUMBERS.pack(*numbers) + "\t".join([pools, preferred, passed]).encode()

    @property
    def words(self) -> Words:
        """What there is to say, by its name in the history; ``us`` are microseconds."""
        seldom: Words = {
            "lacking": self.lacking,
            "excluded": self.excluded,
            "stale": self.stale,
            "busy": self.busy,
            "searched": self.searched,
            "preferred": self.preferred,
            "passed": ",".join(self.passed.split()),
        }
        loads = {"load": self.load, "next": self.next}
        return {
            "pools": self.pools,
            "sampled": self.sampled,
            **{name: value for name, value in seldom.items() if value},
            **{name: round(load, 3) for name, load in loads.items() if load >= 0},
            "us": round(self.took_s * 1_000_000),
        }


def words_of(packed: bytes) -> Words | None:
    """The words of a receipt; None without any. What comes with a damaged one matters more than it,
    so that is None, too.
    """
    try:
        return Receipt.of(packed).words if packed else None
    except (struct.error, TypeError):
        return None
