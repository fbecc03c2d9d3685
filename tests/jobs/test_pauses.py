"""How long is waited between tries."""

from itertools import islice

from jobs.pauses import pauses


def test_they_grow_up_to_the_longest():
    assert list(islice(pauses(), 7)) == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


def test_they_grow_as_fast_as_asked():
    grown = islice(pauses(first_s=1.0, longest_s=2.0, factor=1.5), 4)
    assert list(grown) == [1.0, 1.5, 2.0, 2.0]
