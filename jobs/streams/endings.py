"""How utterances end, and the turns that they are part of."""

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum

from lua import ids


class Why(StrEnum):
    """What cut an utterance off from what follows."""

    MANUAL = "manual"  # the client said so
    TIMEOUT = "timeout"  # nothing came for a while
    DURATION = "duration"  # it is as long as one may be
    LENGTH = "length"  # it has as many bytes as one may have


TURN_ENDS = frozenset({Why.MANUAL, Why.TIMEOUT})


@dataclass(eq=False)
class Turn:
    """What somebody says without a pause: as many utterances as it takes, on one node while it can.

    ``node``: who had the last of them. ``placing``: the call that places the last of them.
    """

    id: str = field(default_factory=lambda: f"t-{ids.new_token()}")
    node: str = ""
    placing: "asyncio.Task[None] | None" = None


@dataclass(frozen=True)
class Ending:
    """How one utterance ended. ``turn`` is None for one that came whole."""

    why: Why
    turn: Turn | None = None

    @property
    def ends_turn(self) -> bool:
        """Whether nothing more of its turn follows."""
        return self.why in TURN_ENDS

    @property
    def mark(self) -> str:
        """The turn as the scripts are told it."""
        return f"{self.turn.id}{'.' * self.ends_turn}" if self.turn else ""


WHOLE = Ending(Why.MANUAL)
