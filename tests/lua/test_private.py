"""Private nodes serve only jobs that name them, and nobody waits for one in vain."""

from lua import scripts
from lua.scripts import Need
from tests.lua.fleet import POOL
from tests.lua.stage import Stage


def test_nobody_waits_for_a_private_node(stage: Stage) -> None:
    stage.node("n1", public=False)
    reply = stage.send("j1")
    assert (reply.code, reply.reason) == ("NO_CAPABLE_NODE", "not_in_public_pool")


def test_a_job_pinned_to_it_is_served(stage: Stage) -> None:
    stage.node("n1", public=False)
    assert stage.send("j1", need=Need((POOL,), pin="n1")).node == "n1"


def test_a_node_that_becomes_public_serves_all(stage: Stage) -> None:
    stage.node("n1", public=False)
    stage.node("n1", conn="n1-2", public=True)
    assert isinstance(stage.send("j1"), scripts.Reserved)


def test_nodes_of_a_lost_process_are_no_company_to_each_other(stage: Stage) -> None:
    stage.renew("p2")
    stage.node("n1", process="p2")
    stage.node("n2", process="p2")
    stage.alive.clear()
    stage.pass_ms(2_100)
    for node in ("n1", "n2"):
        assert stage.cell.nodes[node]["state"] == "offline"
        grace_ms = stage.cell["timers"].zset[f"node:{node}:grace"] - stage.cells.now_ms
        assert grace_ms > 10_000
