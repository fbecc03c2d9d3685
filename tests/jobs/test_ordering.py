"""Answers in order: by tables for the rules, by random runs for what must always be true."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.ordering import Missing, Ordering, Release
from jobs.settings import OrderSettings

FAST = OrderSettings(gap_ms=5_000, patient_gap_ms=8_000, max_held=5)


def told(releases: list[Release[str]]) -> list[tuple[int, str]]:
    """Index, and what is told of it."""
    return [(r.index, r.answer or str(r.reason)) for r in releases]


def put(ordering: Ordering[str], index: int, now_ms: float = 0.0) -> list[tuple[int, str]]:
    return told(ordering.put(index, f"r{index}", now_ms, is_result=True))


@pytest.fixture
def ordering() -> Ordering[str]:
    return Ordering(FAST)


def test_answers_leave_in_the_order_of_their_utterances(ordering: Ordering[str]) -> None:
    for index in (7, 8, 9):
        assert ordering.announce(index)
    assert put(ordering, 9) == []
    assert put(ordering, 8) == []
    assert put(ordering, 7) == [(7, "r7"), (8, "r8"), (9, "r9")]
    assert ordering.due_ms() is None


def test_only_the_latest_of_those_that_never_came_may_come_late(ordering: Ordering[str]) -> None:
    ordering.announce(0)
    put(ordering, 0)
    for index in (5, 10):  # 1 to 4 and 6 to 9 are left out
        ordering.announce(index)
        put(ordering, index)
        ordering.expire(FAST.gap_ms)
    assert [index for index in range(1, 10) if ordering.announce(index)] == [4, 6, 7, 8, 9]


def test_the_first_index_seen_is_the_first_expected(ordering: Ordering[str]) -> None:
    ordering.announce(41)
    assert put(ordering, 41) == [(41, "r41")]


def test_an_index_below_the_first_is_answered_at_once_and_only_once(
    ordering: Ordering[str],
) -> None:
    ordering.announce(5)
    assert ordering.announce(3)
    assert put(ordering, 3) == [(3, "r3")]
    assert not ordering.announce(3)


def test_an_index_is_announced_once(ordering: Ordering[str]) -> None:
    assert ordering.announce(0)
    assert not ordering.announce(0)
    put(ordering, 0)
    assert not ordering.announce(0)
    assert ordering.announce(1)
    assert ordering.announce(2)
    put(ordering, 2)
    assert not ordering.announce(2)


def test_a_doubled_answer_is_dropped(ordering: Ordering[str]) -> None:
    ordering.announce(0)
    assert put(ordering, 0) == [(0, "r0")]
    assert put(ordering, 0) == []


def test_a_gap_ends_five_seconds_after_the_first_answer_it_holds_back(
    ordering: Ordering[str],
) -> None:
    for index in range(4):
        ordering.announce(index)
    put(ordering, 2, now_ms=1_000)
    put(ordering, 3, now_ms=4_000)
    assert ordering.due_ms() == 6_000
    assert ordering.expire(5_999) == []
    assert told(ordering.expire(6_000)) == [
        (0, "gap_timeout"),
        (1, "gap_timeout"),
        (2, "r2"),
        (3, "r3"),
    ]
    assert ordering.due_ms() is None


def test_a_result_after_its_gap_timeout_is_late(ordering: Ordering[str]) -> None:
    ordering.announce(0)
    ordering.announce(1)
    put(ordering, 1)
    ordering.expire(5_000)
    assert ordering.put(0, "r0", 9_000, is_result=True) == [Release(0, "r0", late=True)]
    assert ordering.put(0, "r0", 9_000, is_result=True) == []


def test_a_failure_after_its_gap_timeout_is_not_told_again(ordering: Ordering[str]) -> None:
    ordering.announce(0)
    ordering.announce(1)
    put(ordering, 1)
    ordering.expire(5_000)
    assert ordering.put(0, "failed", 9_000, is_result=False) == []


def test_a_gap_lasts_longer_for_an_utterance_that_waits_for_a_node(
    ordering: Ordering[str],
) -> None:
    ordering.announce(0)
    ordering.announce(1)
    put(ordering, 1)
    ordering.be_patient(0)
    assert ordering.due_ms() == 8_000
    ordering.be_patient(0)
    assert told(ordering.expire(8_000)) == [(0, "gap_timeout"), (1, "r1")]


def test_patience_with_a_later_utterance_does_not_prolong_a_gap(ordering: Ordering[str]) -> None:
    for index in range(3):
        ordering.announce(index)
    put(ordering, 1)
    ordering.be_patient(2)
    assert ordering.due_ms() == 5_000


def test_answers_behind_two_gaps_never_wait_longer_than_one(ordering: Ordering[str]) -> None:
    for index in range(5):
        ordering.announce(index)
    put(ordering, 4, now_ms=0)
    put(ordering, 2, now_ms=3_000)
    assert [index for index, _ in told(ordering.expire(5_000))] == [0, 1, 2, 3, 4]


def test_an_index_that_is_never_announced_is_missing_and_may_still_come(
    ordering: Ordering[str],
) -> None:
    ordering.announce(0)
    put(ordering, 0)
    ordering.announce(2)
    assert put(ordering, 2) == []
    assert told(ordering.expire(5_000)) == [(1, "gap_timeout"), (2, "r2")]
    assert ordering.announce(1)
    assert ordering.put(1, "r1", 6_000, is_result=True) == [Release(1, "r1", late=True)]
    assert not ordering.announce(1)


def test_a_huge_jump_of_the_index_is_not_filled_up(ordering: Ordering[str]) -> None:
    ordering.announce(0)
    ordering.announce(2**40)
    put(ordering, 2**40)
    assert told(ordering.expire(5_000)) == [(0, "gap_timeout"), (2**40, f"r{2**40}")]


def test_when_too_many_wait_the_gap_is_given_up_for_good(ordering: Ordering[str]) -> None:
    for index in range(8):
        ordering.announce(index)
    for index in range(2, 7):
        assert put(ordering, index) == []
    assert put(ordering, 7) == [
        (0, "pending_overflow_evict"),
        (1, "pending_overflow_evict"),
        *[(index, f"r{index}") for index in range(2, 8)],
    ]
    assert put(ordering, 0) == []


def test_one_that_goes_on_expects_what_comes_after_what_is_told(ordering: Ordering[str]) -> None:
    ordering.go_on([3, 6], last=4, newest=6)
    assert not ordering.announce(4)
    assert not ordering.announce(3)
    assert ordering.announce(6)
    assert put(ordering, 6) == []
    assert ordering.put(3, "r3", 0.0, is_result=True) == [Release(3, "r3", late=True)]
    assert ordering.announce(5)
    assert put(ordering, 5) == [(5, "r5"), (6, "r6")]


def test_one_that_does_not_know_what_is_told_answers_what_comes_before_at_once(
    ordering: Ordering[str],
) -> None:
    ordering.go_on([5], last=None, newest=5)
    assert ordering.announce(4)
    assert put(ordering, 4) == [(4, "r4")]
    assert not ordering.announce(4)


def test_nor_does_it_wait_for_what_was_told_between(ordering: Ordering[str]) -> None:
    """Only 2, 5 and 8 are to be answered; the others up to 9 may be sent again."""
    ordering.go_on([2, 5, 8], last=None, newest=9)
    for index in (2, 8):
        assert ordering.announce(index)
    assert put(ordering, 8) == []
    assert ordering.announce(5)
    assert put(ordering, 5) == []
    assert ordering.announce(7)
    assert put(ordering, 2) == [(2, "r2"), (5, "r5")]
    assert put(ordering, 7) == [(7, "r7"), (8, "r8")]
    assert ordering.announce(3)
    assert put(ordering, 3) == [(3, "r3")]
    assert ordering.announce(11)
    assert put(ordering, 11) == []
    assert [ordering.announce(index) for index in (3, 5, 7, 8)] == [False] * 4
    assert told(ordering.expire(5_000)) == [(10, "gap_timeout"), (11, "r11")]


def test_a_gap_names_none_of_them(ordering: Ordering[str]) -> None:
    ordering.go_on([2, 2**40], last=None, newest=2**40)
    ordering.announce(2)
    ordering.announce(2**40)
    assert put(ordering, 2**40) == []
    assert told(ordering.expire(5_000)) == [(2, "gap_timeout"), (2**40, f"r{2**40}")]
    assert ordering.put(2, "r2", 6_000, is_result=True) == [Release(2, "r2", late=True)]


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 50), st.integers(1, 40))
def test_whatever_happens_each_utterance_is_answered_once_and_in_order(
    seed: int, first: int, count: int
) -> None:
    """Utterances come in order, answers in any, some of them twice, some not in time."""
    chance = random.Random(seed)
    ordering: Ordering[int] = Ordering(FAST)
    now_ms, coming = 0.0, list(range(first, first + count))
    open_: list[int] = []
    out: list[Release[int]] = []
    while coming or open_:
        now_ms += chance.choice((0, 1, 700, 3_000))
        out += ordering.expire(now_ms)
        if coming and (not open_ or chance.random() < 0.6):
            index = coming.pop(0)
            assert ordering.announce(index)
            open_.append(index)
        else:
            index = open_.pop(chance.randrange(len(open_)))
            if chance.random() < 0.2:
                ordering.be_patient(index)
            is_result = chance.random() < 0.8
            out += ordering.put(index, index, now_ms, is_result=is_result)
            if chance.random() < 0.2:
                assert ordering.put(index, index, now_ms, is_result=is_result) == []
        due_ms = ordering.due_ms()
        assert due_ms is None or due_ms <= now_ms + FAST.patient_gap_ms
    out += ordering.expire(now_ms + FAST.patient_gap_ms)
    on_time = [release for release in out if not release.late]
    assert [release.index for release in on_time] == sorted({r.index for r in out})
    assert {release.index for release in out} == set(range(first, first + count))
    assert all(count == 1 for count in Counter(r.index for r in on_time).values())
    timed_out = {r.index for r in on_time if r.reason is Missing.GAP_TIMEOUT}
    assert {release.index for release in out if release.late} <= timed_out
