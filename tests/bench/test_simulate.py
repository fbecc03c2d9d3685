"""The simulation decides by the real scripts, and its other schedulers are what they say."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import fmean, pvariance

import pytest

from bench import simulate
from bench.connection import server
from bench.simulate import Case, Trial
from bench.simulation.central import Central, by_chance, by_load
from bench.simulation.figures import evenness
from bench.simulation.fleet import NODE_CLASSES, PAIRS, Machine, make_fleet, throughputs
from bench.simulation.link import Link
from bench.simulation.traffic import WORK_MS, Arrivals, Job, make_traffic
from bench.simulation.world import Asking, Outcome, World, at_once

BUSY = Case(20, 95, "slowing", Arrivals.BURSTY)
SLOTS = Case(20, 95, "slots")
JOBS = 400


@pytest.fixture(autouse=True)
def few_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulate, "WARM", 50)
    monkeypatch.setattr(simulate, "WARM_A_NODE", 1)
    monkeypatch.setattr(simulate, "QUICK_JOBS", 50)


@pytest.fixture
def own_server() -> Iterator[tuple[Link, str]]:
    with server() as url, closing(Link(url)) as link:
        yield link, url


@pytest.mark.parametrize("case", [BUSY, SLOTS], ids=str)
def test_the_scripts_serve_every_job_and_never_leave_a_node_free(
    own_server: tuple[Link, str], case: Case
) -> None:
    link, url = own_server
    trial = Trial(case, JOBS)
    ours, ideal = trial.parley(link, url, 20), trial.central(link, by_load)
    assert ours.waited > 0
    assert (ours.false_refusals, ours.refused) == (0, 0)
    assert ours.response_ms == pytest.approx(ideal.response_ms, rel=0.1)


def test_a_row_is_printed_and_written(
    own_server: tuple[Link, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(simulate, "QUICK_CASES", (Case(20, 50, "slowing", samples=(20, 2)),))
    path = tmp_path / "rows.json"
    simulate.main(["--quick", "--json", str(path)])
    rows = json.loads(path.read_text())
    assert [row["k"] for row in rows] == [20, 2]
    assert {row["nodes"] for row in rows} == {20}
    assert rows[0]["ratio"] == round(rows[0]["response_ms"] / rows[0]["ideal_response_ms"], 3)
    assert len(capsys.readouterr().out.splitlines()) == 4


class Lazy(Central):
    """Gives nobody a node that is free when a job comes, only at the end of another job."""

    def arrive(self, job: Job, at_ms: float) -> Asking:
        if job.number:
            self._queues[job.pair].append(job)
            return at_once([])
        return super().arrive(job, at_ms)


class Refusing(Central):
    """Refuses all but the first job."""

    def arrive(self, job: Job, at_ms: float) -> Asking:
        return at_once([(job, None)]) if job.number else super().arrive(job, at_ms)


@pytest.mark.parametrize(("scheduler", "refused"), [(Lazy, 0), (Refusing, 9)])
def test_waits_and_refusals_beside_a_free_node_are_counted(
    scheduler: type[Central], refused: int
) -> None:
    fleet = make_fleet(20)
    jobs = [Job(number, float(number), 0, 100.0) for number in range(10)]
    world = World(fleet, jobs, scheduler(fleet, by_load, 0), slowing=False)
    outcome = outcome_of(world)
    assert outcome.false_refusals >= 9
    assert outcome.refused == refused


def outcome_of(world: World) -> Outcome:
    """Of one whose scheduler asks no server."""
    with pytest.raises(StopIteration) as stop:
        next(world.run(warm=0))
    outcome: Outcome = stop.value.value
    return outcome


def test_jobs_that_share_a_slowing_node_take_longer() -> None:
    jobs = [Job(number, 0.0, 0, 100.0) for number in range(2)]
    for slowing, expected_ms in ((False, 100.0), (True, 150.0)):
        fleet = [Machine(0, "node", 2, NODE_CLASSES[0])]
        world = World(fleet, jobs, Central(fleet, by_chance, 0), slowing=slowing)
        assert outcome_of(world).responses_ms == pytest.approx([expected_ms] * 2)


def test_the_least_loaded_node_is_better_than_any() -> None:
    able = throughputs(make_fleet(50), slowing=True)
    jobs = make_traffic(able, count=2_000, load=70, arrivals=Arrivals.POISSON, seed=1)
    means = []
    for rank in (by_load, by_chance):
        fleet = make_fleet(50)
        outcome = outcome_of(World(fleet, jobs, Central(fleet, rank, 1), slowing=True))
        assert len(outcome.responses_ms) == len(jobs)
        means.append(fmean(outcome.responses_ms))
    assert means[0] < 0.9 * means[1]


@pytest.mark.parametrize("arrivals", Arrivals)
def test_traffic_is_what_its_load_says(arrivals: Arrivals) -> None:
    able = [2.0, 1.0, 1.0]
    jobs = make_traffic(able, count=40_000, load=50, arrivals=arrivals, seed=3)
    assert [job.at_ms for job in jobs] == sorted(job.at_ms for job in jobs)
    assert jobs[-1].at_ms == pytest.approx(40_000 * WORK_MS / 2, rel=0.05)
    assert fmean(job.work_ms for job in jobs) == pytest.approx(WORK_MS, rel=0.05)
    assert sum(job.pair == 0 for job in jobs) == pytest.approx(20_000, rel=0.05)


def test_bursts_come_closer_together() -> None:
    """Of equally long times, those with many jobs have more of them than chance gives."""

    def spread(arrivals: Arrivals) -> float:
        jobs = make_traffic([20.0], count=20_000, load=100, arrivals=arrivals, seed=3)
        counts = Counter(int(job.at_ms // 1_000) for job in jobs)
        return pvariance(counts.values()) / fmean(counts.values())

    assert spread(Arrivals.POISSON) == pytest.approx(1, abs=0.3)
    assert spread(Arrivals.BURSTY) > 3


def test_each_pair_has_at_least_three_pools_of_unequal_size() -> None:
    fleet = make_fleet(100)
    for pair in range(len(PAIRS)):
        pools = Counter(
            pool
            for machine in fleet
            if pair in machine.of.pairs
            for pool in machine.of.memberships.pools
        )
        assert len(set(pools.values())) >= 3
    assert any(len(each.memberships.pools) > 1 for each in NODE_CLASSES)


@pytest.mark.parametrize(("shares", "index"), [([2, 2, 2], 1), ([5, 0, 0, 0], 0.25)])
def test_evenness_is_one_for_equal_shares(shares: list[float], index: float) -> None:
    assert evenness(shares) == index
