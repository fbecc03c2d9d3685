"""Which chunks count: each once, whatever their order."""

from hypothesis import given
from hypothesis import strategies as st

from jobs.streams.seen import MOST_RUNS, Seen


@given(st.lists(st.integers(0, 60), max_size=200))
def test_each_number_is_new_once(seqs: list[int]) -> None:
    seen, known = Seen(), set[int]()
    for seq in seqs:
        assert seen.is_new(seq) == (seq not in known)
        known.add(seq)


def test_a_stream_may_start_anywhere_and_skip():
    seen = Seen()
    assert [seen.is_new(seq) for seq in (900, 901, 901, 905, 900, 2**32 - 1, 904)] == [
        True,
        True,
        False,
        True,
        False,
        True,
        True,
    ]


def test_of_a_stream_with_many_gaps_the_beginning_is_forgotten():
    seen = Seen()
    numbers = range(0, 3 * MOST_RUNS, 2)
    assert all(seen.is_new(seq) for seq in numbers)
    assert not any(seen.is_new(seq) for seq in numbers[-MOST_RUNS:])
    assert seen.is_new(0)
