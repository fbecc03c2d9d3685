"""What is told of simulations."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from bench.simulation.world import Outcome


@dataclass(frozen=True)
class Figures:
    """Of some runs pooled. ``waited``: the part of the jobs that had to. ``evenness``: Jain's index
    of the work that each slot got, over the nodes; 1: all alike, 1/n: one of n did all.
    """

    response_ms: float
    p99_ms: float
    waited: float
    wait_ms: float
    refused: int
    false_refusals: int
    evenness: float

    @classmethod
    def of(cls, outcomes: Sequence[Outcome]) -> "Figures":
        """Every job counts the same, and every run for the evenness."""
        responses = sorted(ms for each in outcomes for ms in each.responses_ms)
        waits = [ms for each in outcomes for ms in each.waits_ms]
        return cls(
            response_ms=round(fmean(responses), 1),
            p99_ms=round(responses[len(responses) * 99 // 100], 1),
            waited=round(sum(ms > 0 for ms in waits) / len(waits), 4),
            wait_ms=round(fmean(waits), 1),
            refused=sum(each.refused for each in outcomes),
            false_refusals=sum(each.false_refusals for each in outcomes),
            evenness=round(fmean(evenness(each.served_ms) for each in outcomes), 3),
        )


def evenness(shares: Sequence[float]) -> float:
    """Jain's index, (Σx)² / (n Σx²); R. Jain et al., DEC-TR-301, 1984."""
    return sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares))
