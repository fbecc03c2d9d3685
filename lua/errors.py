"""Errors of the live state. Expected outcomes are results of the calls; these are not."""


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
