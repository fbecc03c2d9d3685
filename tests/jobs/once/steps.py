"""The steps of a session's story; a failing one is printed as a list of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hypothesis import strategies as st

TICK_S = 0.02
LONGEST_PART = 10  # packets: an utterance of a stream is cut there


class End(StrEnum):
    """What becomes of an utterance at the nodes."""

    ANSWERED = "answered"
    TWICE = "answered twice"
    RETRIED = "failed once"
    FAILED = "failed for good"
    SILENT = "silent"
    NEVER = "never, or far too late"
    LOST_NODE = "its node is lost"


class Flaw(StrEnum):
    """Why a whole utterance makes no job."""

    FORMAT = "UNSUPPORTED_FEATURE"  # found before it is sent anywhere
    SOUND = "INVALID_MESSAGE"
    LANGUAGE = "NO_CAPABLE_NODE"  # Redis is asked
    PLACE = "NODE_OVERLOADED"  # it can't wait, or too many do


class Closed(StrEnum):
    """What a client does to its stream."""

    FINAL = "a final"
    PAUSE = "silence"
    OPEN = "nothing"


class Left(StrEnum):
    """How a connection ends."""

    BROKEN = "broken"
    SEEMS_OPEN = "seems open"
    SAID_AND_BROKEN = "broken right after an utterance"


@dataclass(frozen=True)
class Say:
    """A whole utterance. ``ticks``: how long its node takes."""

    end: End = End.ANSWERED
    ticks: int = 0
    flaw: Flaw | None = None


@dataclass(frozen=True)
class Stream:
    """So many Opus packets, in chunks of 7; ``damaged``: one of them is."""

    packets: int
    closed: Closed = Closed.FINAL
    damaged: bool = False
    end: End = End.ANSWERED
    ticks: int = 0


@dataclass(frozen=True)
class Return:
    """The client comes back to process ``to``; the acknowledgements of ``lost`` returns before
    that, each to the process of that number, do not reach it.
    """

    to: int
    left: Left = Left.BROKEN
    lost: tuple[int, ...] = ()


@dataclass(frozen=True)
class Cut:
    """The connection of process ``of`` to Redis breaks, ``unanswered``: after its next call."""

    of: int
    unanswered: bool = False


@dataclass(frozen=True)
class Pass:
    """Time passes."""

    ticks: int


Step = Say | Stream | Return | Cut | Pass


@dataclass(frozen=True)
class Script:
    """One session. ``says_what_it_has``: in its ``session_init``, when it comes back."""

    says_what_it_has: bool
    steps: list[Step]


def _ticks() -> st.SearchStrategy[int]:
    return st.integers(0, 12)


_ends = st.sampled_from([*3 * [End.ANSWERED], *End])
_process = st.integers(0, 1)
_says = st.builds(Say, end=_ends, ticks=_ticks())
_flawed = st.builds(Say, flaw=st.sampled_from(Flaw))
_streams = st.builds(
    Stream,
    packets=st.sampled_from([1, 9, 10, 11, 25]),
    closed=st.sampled_from(Closed),
    damaged=st.sampled_from([False, False, True]),
    end=_ends,
    ticks=_ticks(),
)
_returns = st.builds(
    Return,
    to=_process,
    left=st.sampled_from(Left),
    lost=st.lists(_process, max_size=2).map(tuple),
)
_cuts = st.builds(Cut, of=_process, unanswered=st.booleans())
_passes = st.builds(Pass, ticks=_ticks())
_steps = st.one_of(
    _says, _says, _says, _streams, _streams, _flawed, _returns, _returns, _cuts, _passes
)
scripts = st.builds(
    Script, says_what_it_has=st.booleans(), steps=st.lists(_steps, min_size=1, max_size=10)
)
