"""What people are shown is what the scripts wrote."""

import pytest
from pytest_django import Settings

from lua import ids, scripts, views
from lua.client import StoreSettings
from lua.states import NodeState, Reason
from pools.store import call, store
from tests.api.fleet import FakeNode


@pytest.fixture(params=[1, 3])
def live(request: pytest.FixtureRequest, redis_settings: Settings) -> StoreSettings:
    """A store of one cell, and of several."""
    redis_settings.PARLEY_CELLS = request.param
    return store()


def test_nodes_of_all_cells_are_seen_in_one_look(live: StoreSettings) -> None:
    names = [f"node-{number}" for number in range(8)]
    for name in names:
        FakeNode(name, capacity=3).register()
    FakeNode("node-0").leave()

    found = views.nodes(live, [*names, "stranger"])

    assert sorted(found) == names
    node = found["node-1"]
    assert (node.state, node.load.reason) == (NodeState.READY, Reason.USABLE)
    assert (node.load.capacity, node.load.used, node.load.share) == (3, 0, 0.0)
    assert (node.process, node.address) == ("web-1", "10.0.0.7")
    assert node.pools == ("auto:en-zh",)
    assert node.cell == ids.cell_of_node("node-1", live.cells)
    assert {name: load.reason for name, load in views.fleet(live).items()} == {
        name: view.load.reason for name, view in found.items()
    }


def test_a_pool_is_the_sum_of_its_cells(live: StoreSettings) -> None:
    for number in range(8):
        FakeNode(f"node-{number}").register()

    pool = views.pools(live)["auto:en-zh"]

    assert (pool.members, pool.ready) == (8, 8)
    assert pool.definition["semantic"] == ["en", "zh"]
    members = views.members(live, "auto:en-zh")
    assert [member.node for member in members] == [f"node-{number}" for number in range(8)]
    assert all(member.ready for member in members)


def test_cells_tell_their_backlog(live: StoreSettings) -> None:
    FakeNode("node-1").register()
    call(lambda cells: scripts.renew_lease(cells, cell=0, process="web-1"))

    seen = views.cells(live)

    assert [cell.cell for cell in seen] == list(range(live.cells))
    assert sum(cell.stream_entries for cell in seen) >= 2
    assert (seen[0].processes, bool(seen[0].epoch)) == (("web-1",), True)


def test_nothing_is_nothing(live: StoreSettings) -> None:
    assert views.fleet(live) == {}
    assert views.pools(live) == {}
    assert views.queues(live) == []
    assert views.members(live, "auto:en-zh") == []
    assert views.job(live, "job-0000000000000001") is None
    assert views.job(live, "no id") is None
    assert {cell.stream_lag_ms for cell in views.cells(live)} == {0}
