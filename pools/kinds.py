"""The words of a pool's configuration."""

from enum import StrEnum


class Kind(StrEnum):
    """What made a pool; ids begin with it, but for ``other``, which is one."""

    AUTO = "auto"  # one a class of nodes
    OTHER = "other"  # nodes whose class has no pool of its own
    PAIR = "pair"  # one language into one other
    MIXED = "mix"  # an unknown language into one
    CUSTOM = "own"  # what an operator asks


class Scope(StrEnum):
    """Which of a pool's services a member must have ready."""

    CORE_ONLY = "core_only"
    ALL_REQUIRED = "all_required"


class Mode(StrEnum):
    """How a node's languages are compared with a pool's."""

    CONTAINS = "contains"
    EXACT = "exact"


class TenantRule(StrEnum):
    """What the tenants of a pool use: nothing else, or it before the others."""

    STRICT = "strict"
    FIRST = "first"


class Policy(StrEnum):
    """How the pools that serve a job are put in order."""

    SPREAD = "spread"
    SESSION = "session"
    AFFINITY = "affinity"
    PRIORITY = "priority"
