"""How fast a session may send, with a clock of our own."""

import pytest

from jobs.bucket import Bucket, Verdict
from jobs.settings import JobSettings

PASS, PAUSE, CLOSE = Verdict.PASS, Verdict.PASS_AND_PAUSE, Verdict.CLOSE
SETTINGS = JobSettings(frames_per_s=10, burst_frames=50, pause_ms=5_000, flush_ms=2_000)


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bucket(clock: Clock) -> Bucket:
    return Bucket(SETTINGS, clock)


def take(bucket: Bucket, count: int) -> list[Verdict]:
    return [bucket.take() for _ in range(count)]


def test_a_burst_passes(bucket: Bucket) -> None:
    assert set(take(bucket, 50)) == {PASS}


def test_a_pause_is_asked_for_before_anything_is_closed(bucket: Bucket) -> None:
    verdicts = take(bucket, 101)
    assert verdicts.index(PAUSE) == 50
    assert verdicts.count(PAUSE) == 1
    assert verdicts.index(CLOSE) == 100


def test_the_bucket_fills_again(bucket: Bucket, clock: Clock) -> None:
    take(bucket, 50)
    clock.now_s += 2
    assert set(take(bucket, 20)) == {PASS}
    assert bucket.take() is PAUSE


def test_what_was_held_back_in_a_pause_may_come_all_at_once(bucket: Bucket, clock: Clock) -> None:
    take(bucket, 100)
    clock.now_s += 5
    assert CLOSE not in take(bucket, 1_000)
    clock.now_s += 1.9
    assert CLOSE not in take(bucket, 1_000)


def test_who_goes_on_after_the_flush_is_asked_to_pause_again(bucket: Bucket, clock: Clock) -> None:
    take(bucket, 100)
    clock.now_s += 5
    take(bucket, 1_000)
    clock.now_s += 2
    assert bucket.take() is PAUSE
    assert CLOSE in take(bucket, 100)


def test_a_small_burst_is_raised_to_what_a_pause_holds_back(clock: Clock) -> None:
    bucket = Bucket(JobSettings(frames_per_s=10, burst_frames=1, pause_ms=5_000), clock)
    assert set(take(bucket, 50)) == {PASS}
    assert bucket.take() is PAUSE


def test_without_a_rate_there_is_no_limit(clock: Clock) -> None:
    bucket = Bucket(JobSettings(frames_per_s=0), clock)
    assert set(take(bucket, 10_000)) == {PASS}
