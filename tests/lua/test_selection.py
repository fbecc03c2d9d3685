"""Who is chosen: always somebody free and capable, evenly, and nobody before his turn."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from lua import scripts
from lua.client import StoreSettings
from lua.limits import Limits
from lua.scripts import Command, Need, Reserved, Waiting
from lua.states import Reason
from tests.lua.driven import DrivenCells, finished
from tests.lua.fleet import NEED, POOL, a_beat, a_job, a_node, a_registration
from tests.lua.stage import Stage


def fleet(cells: DrivenCells, count: int, *, called: str = "n", **about: Any) -> list[str]:
    """Register many nodes, without reading the whole cell after each."""
    names = [f"{called}{number:04}" for number in range(count)]
    for name in names:
        told = a_registration(name, about=a_node(**about))
        finished(scripts.register_node(cells, cell=0, registration=told))
    return names


def send(cells: DrivenCells, number: int, need: Need = NEED, **wishes: Any) -> Any:
    job = a_job(f"j{number:04}", need=need, session="", **wishes)
    return finished(scripts.dispatch(cells, cell=0, job=job, payload=b"p"))


@pytest.fixture
def cells(redis_url: str, prefix: str, request: pytest.FixtureRequest) -> Iterator[DrivenCells]:
    limits = Limits(**getattr(request, "param", {}))
    cells = DrivenCells(StoreSettings(url=redis_url, prefix=prefix, limits=limits))
    yield cells
    cells.end()


small_sample = pytest.mark.parametrize("cells", [{"sample_k": 4}, {}], indirect=True)


# --- a free and capable node is always found ---


@small_sample
@pytest.mark.parametrize("count", [30, 300])
def test_the_last_free_slots_of_a_pool_are_all_found(cells: DrivenCells, count: int) -> None:
    fleet(cells, count, capacity=1)
    replies = [send(cells, number) for number in range(count)]
    assert all(isinstance(reply, Reserved) for reply in replies)
    assert len({reply.node for reply in replies}) == count
    assert isinstance(send(cells, count), Waiting)


@small_sample
@pytest.mark.parametrize("count", [30, 300])
def test_the_only_node_that_is_not_to_be_avoided_is_found(cells: DrivenCells, count: int) -> None:
    names = fleet(cells, count, capacity=count)
    for number in (0, 7, count - 1):
        others = [name for name in names if name != names[number]]
        assert send(cells, number, avoid=others).node == names[number]


@small_sample
@pytest.mark.parametrize("count", [30, 300])
def test_the_only_node_that_offers_it_is_found(cells: DrivenCells, count: int) -> None:
    fleet(cells, count)
    told = a_registration("rare", about=a_node(has=["tts:zh", "type:tone"], capacity=1))
    finished(scripts.register_node(cells, cell=0, registration=told))
    assert send(cells, 1, Need((POOL,), ("tts:zh", "type:tone"))).node == "rare"
    assert isinstance(send(cells, 2, Need((POOL,), ("tts:zh",))), Waiting)


@small_sample
def test_the_only_free_node_of_many_that_offer_it_is_found(cells: DrivenCells) -> None:
    fleet(cells, 200, has=["tts:zh"], capacity=1)
    for number in range(200):
        assert isinstance(send(cells, number, Need((POOL,), ("tts:zh",))), Reserved)


@small_sample
def test_one_of_two_large_sets_is_found_by_the_sweep_at_the_latest(cells: DrivenCells) -> None:
    """Nobody compares hundreds of members at once; each look has another chance of two thirds."""
    fleet(cells, 300)
    fleet(cells, 300, called="full", has=["tts:zh"], capacity=0)
    fleet(cells, 1, called="both", has=["tts:zh"])
    reply = send(cells, 1, Need((POOL,), ("tts:zh",)), deadline_ms=60_000)
    for _ in range(9):
        if isinstance(reply, Reserved):
            break
        cells.advance(1_000)
        finished(scripts.reap(cells, cell=0))
        reply = send(cells, 1, Need((POOL,), ("tts:zh",)), deadline_ms=60_000)
    assert reply.node == "both0000"


@small_sample
@pytest.mark.parametrize("pools", [2, 4, 5, 16])
def test_the_only_free_node_of_many_pools_is_found(cells: DrivenCells, pools: int) -> None:
    names = [f"auto:{number}" for number in range(pools)]
    for number, pool in enumerate(names):
        about = a_node(pools=[pool], capacity=1 if number == pools - 1 else 0)
        told = a_registration(f"n{number}", about=about)
        finished(scripts.register_node(cells, cell=0, registration=told))
    assert send(cells, 1, Need(tuple(names))).node == f"n{pools - 1}"
    assert isinstance(send(cells, 2, Need(tuple(names))), Waiting)


def test_stale_nodes_are_passed_and_taken_out_four_at_a_time(stage: Stage) -> None:
    for number in range(6):
        stage.node(f"n{number}", capacity=1)
    stage.cells.advance(45_001)
    stage.node("fresh", capacity=2)
    stage.beat("fresh", running=1)  # else a lot might find it before any other
    assert stage.send("j1").node == "fresh"
    ready = stage.cell[f"ready:{POOL}"].set
    assert len(ready) == 2
    assert isinstance(stage.send("j2"), Waiting)
    assert stage.cell[f"ready:{POOL}"].set == frozenset()
    assert {one.why for name, one in stage.cell.fleet.items() if name != "fresh"} == {1}


def test_a_node_that_was_taken_out_is_back_with_its_next_heartbeat(stage: Stage) -> None:
    stage.node("n1")
    stage.cells.advance(45_001)
    assert isinstance(stage.send("j1"), Waiting)
    stage.beat("n1")
    assert stage.state("j1") == "RESERVED"


# --- nobody is less loaded than who has no work ---


def test_the_only_idle_node_of_a_large_busy_pool_is_found_at_once(cells: DrivenCells) -> None:
    names = fleet(cells, 300, capacity=4)
    for name in names[:-1]:
        finished(scripts.heartbeat(cells, cell=0, beat=a_beat(name, running=1)))
    assert send(cells, 1).node == names[-1]
    finished(scripts.cancel(cells, cell=0, job="j0001", code="CANCELLED"))
    assert send(cells, 2).node == names[-1]
    assert send(cells, 3).node != names[-1]


def test_an_idle_node_that_lacks_something_is_passed(stage: Stage) -> None:
    stage.node("idle")
    stage.node("busy", has=["tts:zh"], capacity=3)
    stage.beat("busy", running=1)
    assert stage.send("j1", need=Need((POOL,), ("tts:zh",))).node == "busy"


def test_an_idle_node_to_avoid_is_passed(stage: Stage) -> None:
    stage.node("idle")
    stage.node("busy", capacity=3)
    stage.beat("busy", running=1)
    assert stage.send("j1", avoid=["idle"]).node == "busy"


def placed_in_one_call(cells: DrivenCells, count: int, prefers: dict[int, str]) -> list[str]:
    """Where 16 jobs are after their node was too slow; ``prefers``: the wishes of some of them."""
    told = a_registration("old", about=a_node(capacity=16))
    finished(scripts.register_node(cells, cell=0, registration=told))
    jobs = [(number, prefers.get(number, "")) for number in range(16)]
    for number, wish in jobs:
        assert send(cells, number, preferred=wish).node == "old"
    fleet(cells, count, capacity=4)
    cells.advance(Limits().reservation_ttl_ms + 1)
    finished(scripts.renew_lease(cells, cell=0, process="p1"))
    assert finished(scripts.reap(cells, cell=0, limit=20)).fired == 16
    return [send(cells, number, preferred=wish).node for number, wish in jobs]  # asked again


@pytest.mark.parametrize("count", [10, 20, 300])
def test_jobs_that_one_call_places_take_who_has_no_work_first(
    cells: DrivenCells, count: int
) -> None:
    """Such a call draws them by handfuls."""
    load = Counter(placed_in_one_call(cells, count, {}))
    assert len(load) == min(count, 16)
    assert max(load.values()) == (2 if count < 16 else 1)


@pytest.mark.parametrize("count", [20, 300])
def test_who_was_drawn_may_have_got_work_by_a_wish_meanwhile(
    cells: DrivenCells, count: int
) -> None:
    prefers = {number: f"n{number:04}" for number in (2, 3, 4, 5)}
    nodes = placed_in_one_call(cells, count, prefers)
    for number, node in enumerate(nodes):
        assert node not in nodes[:number] or prefers.get(number) == node


# --- fairness ---


@pytest.mark.parametrize("count", [10, 100, 250])
def test_jobs_spread_evenly_over_equal_idle_nodes(cells: DrivenCells, count: int) -> None:
    """Chi-square over 1,000 jobs that end at once: below its 99.99 % bound."""
    names = fleet(cells, count)
    seen: Counter[str] = Counter()
    for number in range(1_000):
        cells.advance(7)
        seen[send(cells, number).node] += 1
        finished(scripts.cancel(cells, cell=0, job=f"j{number:04}", code="CANCELLED"))
    expected = 1_000 / count
    chi_square = sum((seen[name] - expected) ** 2 / expected for name in names)
    freedom = count - 1
    assert chi_square < freedom + 4 * (2 * freedom) ** 0.5 + 8


@pytest.mark.parametrize("count", [10, 100, 300])
def test_a_pool_fills_evenly(cells: DrivenCells, count: int) -> None:
    """Also a large one, of which neighbours in its hash table are sampled."""
    fleet(cells, count, capacity=9)
    load = Counter(send(cells, number).node for number in range(3 * count))
    assert set(load.values()) <= ({2, 3, 4} if count < 256 else {1, 2, 3, 4, 5})


def test_the_least_loaded_node_is_taken(stage: Stage) -> None:
    stage.node("large", capacity=4)
    stage.node("small", capacity=2)
    stage.beat("large", running=1)
    assert stage.send("j1").node == "small"  # 1/4 against nothing
    assert stage.send("j2").node == "large"  # 1/4 against 1/2
    assert {stage.send("j3").node, stage.send("j4").node} == {"large", "small"}


def test_work_that_is_not_ours_counts(stage: Stage) -> None:
    stage.node("n1", capacity=2)
    stage.beat("n1", running=2)
    assert isinstance(stage.send("j1"), Waiting)
    stage.beat("n1", running=1)
    assert stage.state("j1") == "RESERVED"
    assert stage.record("n1").foreign == 1


def test_a_node_heard_of_lately_goes_before_one_that_missed_a_heartbeat(stage: Stage) -> None:
    stage.node("n1")
    stage.cells.advance(16_000)
    stage.node("n2")
    assert {stage.send(f"j{number}", session="").node for number in range(2)} == {"n2", "n1"}
    stage.node("n3")
    assert stage.send("j9").node == "n3"


# --- nobody overtakes ---


def test_a_free_slot_goes_to_the_first_that_waits(stage: Stage) -> None:
    stage.node("n1", capacity=1)
    stage.running("j0", "n1")
    for number in range(1, 4):
        stage.send(f"j{number}")
        stage.cells.advance(1)
    for number in range(1, 4):
        stage.finish(f"j{number - 1}", "n1")
        assert stage.state(f"j{number}") == "RESERVED"
        stage.take(f"j{number}", "n1")


def test_an_earlier_deadline_goes_first(stage: Stage) -> None:
    stage.node("n1", capacity=1)
    stage.running("j0", "n1")
    stage.send("late", deadline_ms=9_000)
    stage.send("soon", deadline_ms=2_000)
    stage.finish("j0", "n1")
    assert (stage.state("soon"), stage.state("late")) == ("RESERVED", "WAITING")


def test_a_step_of_priority_is_worth_two_seconds(stage: Stage) -> None:
    stage.node("n1", capacity=1)
    stage.running("j0", "n1")
    for job, priority, wait in (
        ("least", 5, 5_000),
        ("usual", 3, 8_500),
        ("most", 1, 12_000),
        ("late", 3, 9_500),
    ):
        stage.send(job, priority=priority, deadline_ms=wait)
    last = "j0"
    for job in ("most", "usual", "least", "late"):
        stage.finish(last, "n1")
        assert stage.state(job) == "RESERVED"
        stage.take(job, "n1")
        last = job


def test_a_priority_moves_no_deadline(stage: Stage) -> None:
    stage.node("n1", capacity=0)
    for priority in (1, 5):
        stage.send(f"j{priority}", priority=priority, deadline_ms=5_000)
        assert stage.due_ms(f"j{priority}") == 5_000


def test_a_node_of_two_pools_serves_the_more_urgent_queue_first(stage: Stage) -> None:
    stage.node("n1", capacity=0, pools=["auto:a", "auto:b"])
    stage.send("usual", need=Need(("auto:a",)), deadline_ms=5_000)
    stage.send("urgent", need=Need(("auto:b",)), deadline_ms=6_000, priority=1)
    stage.node("n2", capacity=1, pools=["auto:a", "auto:b"])
    assert (stage.state("urgent"), stage.state("usual")) == ("RESERVED", "WAITING")


def test_a_new_job_waits_behind_those_that_may_use_the_node(stage: Stage) -> None:
    stage.node("n1", capacity=1)
    stage.send("old", avoid=["n1"])
    stage.send("older", avoid=["n1"])
    assert stage.state("old") == "WAITING"
    stage.cells.advance(1_000)  # it may use n1 now
    assert isinstance(stage.send("new"), Waiting)
    assert (stage.state("old"), stage.state("older")) == ("RESERVED", "WAITING")


def test_a_new_job_passes_those_that_may_not_use_the_node(stage: Stage) -> None:
    stage.node("n1", capacity=1)
    stage.send("picky", avoid=["n1"])
    assert stage.send("new").node == "n1"
    assert stage.state("picky") == "WAITING"


def test_only_the_first_eight_are_asked(stage: Stage) -> None:
    stage.node("n1", capacity=0)
    for number in range(9):
        avoid = ["n2"] if number < 8 else []
        stage.send(f"j{number}", avoid=avoid)
        stage.cells.advance(1)
    stage.node("n2", capacity=1)
    assert {stage.state(f"j{number}") for number in range(9)} == {"WAITING"}
    stage.cells.advance(1_000)
    stage.reap()
    assert stage.state("j0") == "RESERVED"


def test_a_node_hands_over_eight_a_call_and_says_that_there_are_more(stage: Stage) -> None:
    stage.node("n1", capacity=0)
    for number in range(10):
        stage.send(f"j{number}")
    reply = stage.beat("n1", about=a_node(capacity=20))
    assert reply.more
    assert stage.record("n1").used == 8
    assert not stage.do(scripts.offer, cell=0, node="n1").more
    assert stage.record("n1").used == 10


def test_a_node_serves_the_queues_of_all_its_pools_by_deadline(stage: Stage) -> None:
    pools = [f"auto:{number}" for number in range(5)]
    for number, pool in enumerate(pools):
        stage.node(f"full{number}", pools=[pool], capacity=0)
        stage.send(f"j{number}", need=Need((pool,)), deadline_ms=9_000 - 1_000 * number)
    stage.node("n1", pools=pools, capacity=2)
    assert [stage.state(f"j{number}") for number in range(5)] == ["WAITING"] * 3 + ["RESERVED"] * 2


def test_a_queue_that_the_node_cannot_serve_hides_no_other(stage: Stage) -> None:
    stage.node("n1", has=[f"tts:{number}" for number in range(60)], capacity=0)
    for number in range(60):
        need = Need((POOL,), (f"tts:{number}",))
        stage.send(f"j{number:02}", need=need, deadline_ms=5_000 + number, session="")
    stage.node("n2", has=["tts:59"])
    assert stage.state("j59") == "RESERVED"


# --- wishes ---


def test_avoided_nodes_are_taken_after_a_second_rather_than_nobody(stage: Stage) -> None:
    stage.node("n1")
    assert isinstance(stage.send("j1", avoid=["n1"]), Waiting)
    stage.pass_ms(999)
    assert stage.state("j1") == "WAITING"
    stage.pass_ms(1_100)
    assert stage.state("j1") == "RESERVED"


def test_a_job_that_may_not_wait_takes_an_avoided_node_if_there_is_no_other(stage: Stage) -> None:
    stage.node("n1", capacity=1)
    stage.node("n2", capacity=1)
    assert stage.send("j1", avoid=["n1"], deadline_ms=0).node == "n2"
    assert stage.send("j2", avoid=["n1"], deadline_ms=0).node == "n1"


def test_a_node_that_offers_what_is_wished_comes_first(stage: Stage) -> None:
    stage.node("n1", capacity=9)
    stage.node("n2", pools=["auto:x"], capacity=2, has=["dialect:zh-x"])
    need = Need((POOL, "auto:x"), wishes=("dialect:zh-x",))
    assert [stage.send(f"j{n}", need=need).node for n in range(3)] == ["n2", "n2", "n1"]
    assert stage.send("j3", need=need, preferred="n1").node == "n1"


def test_a_wish_keeps_nobody_waiting_and_refuses_nothing(stage: Stage) -> None:
    stage.node("n1", capacity=1)
    need = Need((POOL,), wishes=("model:emotion",))
    assert stage.send("j1", need=need).node == "n1"
    assert isinstance(stage.send("j2", need=need), Waiting)
    stage.node("n2")
    assert stage.field("j2", "node") == "n2"


def test_a_preferred_node_is_taken_if_it_passes_every_check(stage: Stage) -> None:
    stage.node("n1", capacity=1)
    stage.node("n2", has=["tts:zh"])
    stage.node("n3", pools=["auto:x"])
    assert stage.send("j1", preferred="n1").node == "n1"
    assert stage.send("j2", preferred="n1").node == "n2"  # full
    assert stage.send("j3", preferred="n3").node == "n2"  # of another pool
    need = Need((POOL, "auto:x"), ("tts:zh",))
    assert isinstance(stage.send("j4", preferred="n3", need=need), Waiting)  # lacks it
    assert isinstance(stage.send("j5", preferred="unknown"), Waiting)


def test_a_preferred_node_is_preferred_again_when_the_job_is_placed_again(stage: Stage) -> None:
    stage.node("n1")
    stage.send("j1", preferred="n2")
    stage.take("j1", "n1")
    for name in ("n0", "n2", "n3", "n4"):
        stage.node(name)
    stage.fail("j1", "n1")
    assert stage.field("j1", "node") == "n2"


def test_a_private_node_is_reached_by_its_pin_only(stage: Stage) -> None:
    stage.node("n1", public=False, has=["tts:zh"])
    assert stage.send("j2", need=Need((), ("tts:zh",), "n1")).node == "n1"
    assert stage.send("j3", need=Need((), ("type:tone",), "n1")).code == "NO_CAPABLE_NODE"
    assert stage.send("j4", need=Need((), (), "unknown")).code == "NO_CAPABLE_NODE"


def test_a_job_waits_for_the_node_it_is_pinned_to(stage: Stage) -> None:
    stage.node("n1", capacity=1, public=False)
    stage.node("n2")
    need = Need((), (), "n1")
    stage.send("j1", need=need)
    assert isinstance(stage.send("j2", need=need), Waiting)
    stage.cancel("j1")
    assert (stage.state("j2"), stage.field("j2", "node")) == ("RESERVED", "n1")


def test_a_forgotten_node_leaves_those_pinned_to_it_in_order(stage: Stage) -> None:
    stage.node("n1", capacity=0)
    need = Need((), (), "n1")
    for job in ("j1", "j2"):
        stage.send(job, need=need)
        stage.cells.advance(1)
    stage.offline("n1")
    stage.do(scripts.forget_node, cell=0, node="n1", offline_ms=0)
    stage.node("n1", conn="n1-2", capacity=1)
    assert stage.state("j1") == "RESERVED"
    assert "heads:node:n1" in stage.cell.keys


# --- why nobody took it ---


@pytest.mark.parametrize(
    ("reason", "about"),
    [
        (Reason.STATUS_NOT_READY, {"core": False}),
        (Reason.STATUS_NOT_READY, {"enabled": False}),
        (Reason.NOT_IN_PUBLIC_POOL, {"public": False}),
        (Reason.GPU_UNAVAILABLE, {"gpu": False}),
        (Reason.RESOURCE_THRESHOLD_EXCEEDED, {"hot": True}),
        (Reason.CAPACITY_EXCEEDED, {"capacity": 0}),
    ],
)
def test_a_refusal_says_why_a_node_could_not_take_it(
    stage: Stage, reason: Reason, about: dict[str, object]
) -> None:
    stage.node("n1", **about)
    refused = stage.send("j1", deadline_ms=0)
    assert (refused.reason, refused.breakdown) == (reason, {reason: 1})


def test_a_refusal_counts_the_nodes_by_reason(stage: Stage) -> None:
    stage.node("n0", has=["tts:zh", "type:tone"], capacity=0)
    stage.node("n1")
    stage.node("n2", has=["tts:zh"])
    stage.node("n3", has=["tts:zh", "type:tone"])
    stage.offline("n3")
    stage.node("n4", has=["tts:zh", "type:tone"], arbitrates=True)
    stage.beat("n4", queue=1)
    stage.node("n5", has=["tts:zh", "type:tone"])
    stage.control("n5", Command.DRAIN)
    need = Need((POOL,), ("tts:zh", "type:tone"))
    refused = stage.send("j1", need=need, deadline_ms=0)
    assert refused.code == "NO_AVAILABLE_NODE"
    assert refused.breakdown == {
        Reason.CAPACITY_EXCEEDED: 2,
        Reason.TTS_LANG_UNSUPPORTED: 1,
        Reason.MODEL_NOT_AVAILABLE: 1,
        Reason.OFFLINE: 1,
        Reason.STATUS_NOT_READY: 1,
    }
    assert refused.reason == Reason.CAPACITY_EXCEEDED
    event = stage.events[-1]
    assert msgspec.json.decode(event["breakdown"]) == refused.breakdown


def test_a_refusal_without_any_node_says_so(stage: Stage) -> None:
    refused = stage.send("j1")
    assert (refused.code, refused.reason) == ("NO_CAPABLE_NODE", Reason.NO_NODES)


def test_a_node_that_queues_itself_counts_as_eight_slots(stage: Stage) -> None:
    stage.node("n1", arbitrates=True, capacity=0)
    assert stage.record("n1").capacity == 8
    stage.beat("n1", queue=1)
    assert isinstance(stage.send("j1"), Waiting)
    stage.beat("n1", queue=0)
    assert stage.state("j1") == "RESERVED"
