"""Results that are at hand, and those that are not."""

import pytest

from jobs.results import Results


class Store:
    """Stands for the cells: what Redis has."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def result(self, cell: int, job: str, *, size: int) -> bytes | None:
        self.asked.append(job)
        return b"stored"


@pytest.fixture
def cells() -> Store:
    return Store()


async def test_what_is_at_hand_is_given_once_and_then_asked_for(cells) -> None:
    results = Results(cells, limit_bytes=100)
    results.keep("s-1", "job-1", b"body")
    assert await results.fetch(0, "job-1", size=4) == b"body"
    assert cells.asked == []
    assert await results.fetch(0, "job-1", size=4) == b"stored"
    assert cells.asked == ["job-1"]


async def test_the_oldest_give_way(cells) -> None:
    results = Results(cells, limit_bytes=10)
    for number in range(3):
        results.keep("s-1", f"job-{number}", b"12345")
    results.keep("s-1", "job-3", b"more than ten bytes")
    assert [await results.fetch(0, f"job-{n}", size=5) for n in range(4)] == [b"stored"] * 4
    results.keep("s-1", "job-4", b"12345")
    results.keep("s-1", "job-4", b"1234567890")
    assert await results.fetch(0, "job-4", size=10) == b"1234567890"


async def test_a_session_that_is_over_leaves_nothing_behind(cells) -> None:
    results = Results(cells, limit_bytes=100)
    results.keep("s-1", "job-1", b"one")
    results.keep("s-2", "job-2", b"two")
    results.forget("s-1")
    assert await results.fetch(0, "job-1", size=3) == b"stored"
    assert await results.fetch(0, "job-2", size=3) == b"two"
