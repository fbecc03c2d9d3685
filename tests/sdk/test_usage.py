"""What a node says of its own load."""

from __future__ import annotations

import pytest

from parley.frames import ResourceUsage
from parley.usage import Measured, is_high


def test_usage_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parley.usage.WINDOW_S", 0)
    measured = Measured()
    sum(range(5_000_000))
    usage = measured(4)
    assert usage.running_jobs == 4
    assert 0 < usage.cpu_percent <= 100
    assert 0 < usage.mem_percent < 100


def test_one_busy_moment_is_no_full_machine() -> None:
    measured = Measured()
    sum(range(5_000_000))
    assert measured(0).cpu_percent == 0


@pytest.mark.parametrize(
    ("usage", "high"),
    [
        (ResourceUsage(50, 50, 0), False),
        (ResourceUsage(95, 50, 0), True),
        (ResourceUsage(50, 95, 0), True),
        (ResourceUsage(50, 50, 0, gpu_percent=89, gpu_mem_percent=90), True),
    ],
)
def test_a_load_is_high_when_anything_is_near_its_end(usage: ResourceUsage, high: bool) -> None:
    assert is_high(usage) is high
