"""Which jobs come when, of which languages, and how much work they are."""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate

WORK_MS = 1_000.0
SIGMA = 0.8
"""Work is log-normal with this mean and this spread of its logarithm: one in a hundred jobs is
more than 4.6 times the mean.
"""
PHASE_MS = 2_000.0
BURST = 1.5
QUIET = 0.5


class Arrivals(StrEnum):
    """How jobs come."""

    POISSON = "poisson"
    BURSTY = "bursty"  # at 1.5 and 0.5 times the mean rate in turn, each for 2 s on average


@dataclass(frozen=True, slots=True)
class Job:
    """``pair``: index of PAIRS. ``work_ms``: how long it takes a node that does nothing else."""

    number: int
    at_ms: float
    pair: int
    work_ms: float


def _times(rng: random.Random, rate: float, arrivals: Arrivals) -> Iterator[float]:
    """``rate`` in jobs a ms."""
    at = 0.0
    if arrivals is Arrivals.POISSON:
        while True:
            at += rng.expovariate(rate)
            yield at
    factor, end = BURST, rng.expovariate(1 / PHASE_MS)
    while True:
        after = at + rng.expovariate(rate * factor)
        if after < end:
            at = after
            yield at
        else:
            at, factor = end, BURST + QUIET - factor
            end += rng.expovariate(1 / PHASE_MS)


def make_traffic(
    able: Sequence[float], *, count: int, load: int, arrivals: Arrivals, seed: int
) -> list[Job]:
    """``count`` jobs that keep a fleet busy to ``load`` percent. ``able``: how much of each pair it
    can do, as work done per time.
    """
    rng = random.Random(f"{sum(able)} {load} {arrivals} {seed}")
    shares = list(accumulate(able))
    times = _times(rng, sum(able) * load / 100 / WORK_MS, arrivals)
    mean = math.log(WORK_MS) - SIGMA**2 / 2
    pairs = rng.choices(range(len(able)), cum_weights=shares, k=count)
    return [
        Job(number, next(times), pair, rng.lognormvariate(mean, SIGMA))
        for number, pair in enumerate(pairs)
    ]
