"""The order in which a job tries the pools that serve it: decided here and nowhere else."""

from collections.abc import Collection, Iterable


def in_order(serving: Iterable[str], *, lacking: Collection[str]) -> list[str]:
    """By name, but those with no member that offers all that is asked come last.

    What members offer may have changed since it was read, so no pool is left out for it.
    """
    return sorted(serving, key=lambda pool: (pool in lacking, pool))
