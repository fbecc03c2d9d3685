"""Which classes of nodes have a pool of their own while that is limited."""

import pytest

from pools.classes import choose

SIZES = {"auto:a": 5, "auto:b": 3, "auto:c": 1}


@pytest.mark.parametrize(
    ("present", "min_nodes", "max_pools", "classes"),
    [
        (None, 1, 0, None),
        (["auto:a"], 1, 0, None),
        (None, 2, 0, ["auto:a", "auto:b"]),
        (None, 4, 0, ["auto:a"]),
        (None, 6, 0, []),
        (None, 1, 2, ["auto:a", "auto:b"]),
        (None, 1, 5, ["auto:a", "auto:b", "auto:c"]),
        # One that has a pool keeps it until it has shrunk to less than half of the limit.
        (["auto:b"], 5, 0, ["auto:a", "auto:b"]),
        (["auto:b"], 7, 0, []),
        # And a larger one does not drive it out.
        (["auto:b", "auto:c"], 1, 2, ["auto:b", "auto:c"]),
        (["auto:gone"], 1, 2, ["auto:a", "auto:b"]),
    ],
)
def test_the_largest_classes_have_pools(
    present: list[str] | None, min_nodes: int, max_pools: int, classes: list[str] | None
) -> None:
    assert choose(SIZES, present, min_nodes=min_nodes, max_pools=max_pools) == classes
