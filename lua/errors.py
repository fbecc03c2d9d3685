"""Errors of the live state. Expected outcomes are results of the calls; these are not."""

from redis.exceptions import RedisError

# What redis-py's asyncio client raises when Redis is not to be had. uvloop has a RuntimeError for a
# connection that is cut while it is being made.
UNREACHABLE = (RedisError, OSError, RuntimeError)


class StoreError(Exception):
    """The live state could not be used. ``code`` is what a peer is told."""

    code = "SCHEDULER_DEPENDENCY_DOWN"


class StoreUnavailable(StoreError):
    """No answer in time, or no connection."""


class StoreBusy(StoreUnavailable):
    """Too many calls wait for an answer."""


class StoreFull(StoreError):
    """Redis is out of memory and took nothing."""


class ScriptFailed(StoreError):
    """A script ended with an error: a defect, or a damaged key."""

    code = "INTERNAL_ERROR"


class StateDiffers(Exception):
    """The live state was made in another way than this program works with."""


class LayoutDiffers(StateDiffers):
    """It has another layout (:data:`lua.keys.LAYOUT`): another version of the program made it."""

    def __init__(self, here: int, there: int) -> None:
        super().__init__(
            f"The live state in Redis has layout {there}, this version of Parley needs {here}: end "
            "its jobs with the version that made it, then begin with an empty Redis or another "
            "PARLEY_PREFIX."
        )


class CellsDiffer(StateDiffers):
    """It was made with another number of cells: nobody could find anything in it."""

    def __init__(self, here: int, there: int) -> None:
        super().__init__(
            f"PARLEY_CELLS is {here}, but the live state in Redis has {there}: use {there}, "
            "or begin with an empty Redis or another PARLEY_PREFIX."
        )
