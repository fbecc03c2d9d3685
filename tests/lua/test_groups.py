"""Pools in groups, pools with a sample of their own, and the receipt of a choice."""

import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from lua import scripts
from lua.client import StoreSettings
from lua.events import JobMoved, read
from lua.receipts import Words
from lua.scripts import Need
from tests.lua.driven import DrivenCells, finished
from tests.lua.fleet import NEED, POOL, a_beat, a_job, a_node, a_registration, a_session

FIRST, SECOND = "own:first", POOL
GROUPS = Need((FIRST, SECOND), starts=frozenset({SECOND}))


@pytest.fixture
def cells(redis_url: str, prefix: str) -> Iterator[DrivenCells]:
    cells = DrivenCells(StoreSettings(url=redis_url, prefix=prefix))
    yield cells
    cells.end()


def register(cells: DrivenCells, name: str, **about: Any) -> None:
    told = a_registration(name, about=a_node(**about))
    finished(scripts.register_node(cells, cell=0, registration=told))


def send(cells: DrivenCells, job: str, need: Need = NEED, passed: str = "", **wishes: Any) -> Any:
    spec = a_job(job, need=need, session="", **wishes)
    return finished(scripts.dispatch(cells, cell=0, job=spec, payload=b"p", passed=passed))


def receipt(cells: DrivenCells, job: str) -> Words:
    """Of the job's first event, without the time it took."""
    prefix = cells.prefixes[0]
    cells.blocking.set(f"{prefix}epoch", "e")
    entries = read(cells.blocking, prefix, epoch="e", after="0-0", count=10_000).entries
    found = [e.event for e in entries if isinstance(e.event, JobMoved) and e.event.job == job]
    assert found[0].receipt is not None
    assert int(found[0].receipt.pop("us")) >= 0
    return found[0].receipt


def test_a_need_says_its_groups_and_samples() -> None:
    need = Need(("a", "b", "c"), ("tts:zh",), starts=frozenset({"b"}), sample=(("c", 4),))
    assert need.text == "a |b c@4\ttts:zh\t"


def test_a_further_group_is_tried_when_the_first_has_nobody_free(cells: DrivenCells) -> None:
    register(cells, "n1", pools=[FIRST], capacity=2)
    register(cells, "n2", pools=[SECOND], capacity=2)
    replies = [send(cells, f"j{number}", GROUPS) for number in range(4)]
    assert [(one.node, one.pool) for one in replies] == [
        ("n1", FIRST),
        ("n1", FIRST),
        ("n2", SECOND),
        ("n2", SECOND),
    ]
    assert receipt(cells, "j0")["pools"] == FIRST
    assert receipt(cells, "j2")["pools"] == f"{FIRST},{SECOND}"
    assert isinstance(send(cells, "j4", GROUPS), scripts.Waiting)


def test_pools_of_one_group_are_ranked_together(cells: DrivenCells) -> None:
    register(cells, "n1", pools=[FIRST], capacity=8)
    register(cells, "n2", pools=[SECOND], capacity=8)
    nodes = Counter(send(cells, f"j{n}", Need((FIRST, SECOND))).node for n in range(8))
    assert nodes == {"n1": 4, "n2": 4}


def test_who_waits_for_groups_gets_a_slot_of_any_of_them(cells: DrivenCells) -> None:
    register(cells, "n1", pools=[SECOND], capacity=1)
    send(cells, "j0", GROUPS)
    send(cells, "j1", GROUPS)
    register(cells, "n2", pools=[FIRST], capacity=1)
    assert cells.blocking.hget(f"{cells.prefixes[0]}job:j1", "node") == b"n2"


def test_a_pool_with_a_sample_of_its_own_is_asked_for_so_many(cells: DrivenCells) -> None:
    for number in range(30):
        register(cells, f"n{number}", pools=[FIRST], capacity=4)
        finished(scripts.heartbeat(cells, cell=0, beat=a_beat(f"n{number}", running=1)))
    send(cells, "j0", Need((FIRST,), sample=((FIRST, 3),)))
    send(cells, "j1", Need((FIRST,)))
    assert receipt(cells, "j0") == {"pools": FIRST, "sampled": 3, "load": 0.25, "next": 0.25}
    assert receipt(cells, "j1")["sampled"] == 20


def test_one_sessions_utterances_spread_evenly_over_equal_nodes(cells: DrivenCells) -> None:
    """By default nothing sticks."""
    for number in range(10):
        register(cells, f"n{number}", pools=[FIRST, SECOND] if number % 2 else [SECOND])
    nodes: Counter[str] = Counter()
    for number in range(1_000):
        reply = send(cells, f"j{number}", Need((FIRST, SECOND)))
        nodes[reply.node] += 1
        cells.blocking.delete(f"{cells.prefixes[0]}events")
        finished(
            scripts.release(
                cells, cell=0, job=reply.job, attempt=1, node=reply.node, code="NODE_UNAVAILABLE"
            )
        )
        finished(scripts.cancel(cells, cell=0, job=reply.job, code="CANCELLED"))
    assert all(60 < nodes[f"n{number}"] < 140 for number in range(10)), nodes


def test_the_first_group_keeps_a_session_in_its_pool(cells: DrivenCells) -> None:
    for number in range(6):
        register(cells, f"n{number}", pools=[FIRST] if number < 3 else [SECOND], capacity=50)
    nodes = Counter(send(cells, f"j{number}", GROUPS).node for number in range(90))
    assert nodes == {"n0": 30, "n1": 30, "n2": 30}


def test_a_receipt_counts_who_fell_out_and_why(cells: DrivenCells) -> None:
    register(cells, "n1", capacity=4, has=["tts:zh"])
    register(cells, "n2", capacity=4, has=["tts:zh"])
    register(cells, "n3", capacity=4)
    register(cells, "n4", capacity=4, has=["tts:zh"])
    for name, running in (("n1", 2), ("n2", 1), ("n3", 1), ("n4", 1)):
        finished(scripts.heartbeat(cells, cell=0, beat=a_beat(name, running=running)))
    need = Need((POOL,), ("tts:zh",), passed="own:x:other_tenant")
    send(cells, "j1", need, need.passed, avoid=["n4"])
    assert receipt(cells, "j1") == {
        "pools": POOL,
        "sampled": 3,
        "lacking": 1,
        "excluded": 1,
        "load": 0.25,
        "next": 0.5,
        "passed": "own:x:other_tenant",
    }


@pytest.mark.parametrize(
    ("about", "reason"),
    [
        ({"capacity": 0}, "capacity_exceeded"),
        ({"core": False}, "status_not_ready"),
        ({"public": False}, "not_in_public_pool"),
        ({"has": []}, "model_not_available"),
        ({"pools": ["auto:de-fr"]}, "lang_pair_unsupported"),
    ],
)
def test_a_receipt_says_why_the_preferred_node_was_not_taken(
    cells: DrivenCells, about: dict[str, Any], reason: str
) -> None:
    register(cells, "n1", **{"has": ["type:tone"]} | about)
    register(cells, "n2", has=["type:tone"])
    reply = send(cells, "j1", Need((POOL,), ("type:tone",)), preferred="n1")
    assert (reply.node, receipt(cells, "j1")["preferred"]) == ("n2", reason)
    send(cells, "j2", Need((POOL,), ("type:tone",)), preferred="n2")
    assert "preferred" not in receipt(cells, "j2")


def test_spread_avoids_the_node_that_the_session_had_last(cells: DrivenCells) -> None:
    finished(scripts.renew_lease(cells, cell=0, process="p1"))
    finished(scripts.open_session(cells, cell=0, session=a_session()))
    for name in ("n1", "n2"):
        register(cells, name, capacity=100)
    had: list[str] = []
    for number in range(12):
        spec = a_job(f"j{number}", index=number)
        given: dict[str, Any] = {"job": spec, "payload": b"p", "process": "p1", "spread": True}
        reply = finished(scripts.dispatch(cells, cell=0, **given))
        assert isinstance(reply, scripts.Dispatched)
        had.append(reply.node)
    assert all(one != other for one, other in itertools.pairwise(had))
