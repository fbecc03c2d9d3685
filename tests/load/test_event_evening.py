"""An evening with 5 sessions, 500 utterances and 3 nodes, on real processes: all goes well, then a
node is killed, then the web process that carries the nodes.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from lua import scripts, views
from lua.client import Cells
from tests.harness.actors import hand_session
from tests.harness.deployment import Deployment
from tests.harness.evening import Evening
from tests.harness.sql import history_of
from tests.lua.invariants import broken, left_over, read_cell
from tests.peers.until import until

SESSIONS, UTTERANCES = 5, 100
NODES = ("anna", "mary", "tom")
NODES_AT = "web-3"
SLOTS, DELAY_MS = 4, 80
START_S, HISTORY_S, QUIET_S = 20.0, 20.0, 20.0


@pytest.fixture
async def deployment() -> AsyncIterator[Deployment]:
    """Three web processes; the third carries the nodes and nothing else."""
    async with Deployment(webs=3) as deployed:
        for name in NODES:
            deployed.start_node(name, NODES_AT, delay_ms=DELAY_MS, slots=SLOTS)
        await until(lambda: len(ready_nodes(deployed)) == len(NODES), START_S)
        yield deployed


@pytest.fixture
async def evening(deployment: Deployment) -> AsyncIterator[Evening]:
    async with AsyncExitStack() as stack:
        urls = [deployment.session_url(f"web-{1 + number % 2}") for number in range(SESSIONS)]
        sessions = [await stack.enter_async_context(hand_session(url, "en", "zh")) for url in urls]
        yield Evening(sessions, count=UTTERANCES)


@asynccontextmanager
async def in_the_middle(evening: Evening) -> AsyncIterator[None]:
    """What is inside happens after two fifths of the answers; at the end all are there."""
    speaking = asyncio.create_task(evening.speak())
    await until(lambda: evening.answered > SESSIONS * UTTERANCES * 2 // 5, 60)
    yield
    await speaking


async def test_an_undisturbed_evening(deployment, evening):
    await evening.speak()
    assert evening.missing() == []
    await assert_all_is_well(deployment, evening)
    assert await attempts(deployment, evening) == {1}
    await assert_nothing_is_left_when_all_have_gone(deployment)


async def test_a_node_is_killed_in_the_middle(deployment, evening):
    async with in_the_middle(evening):
        deployment.kill(NODES[0])
    assert evening.missing() == []
    await assert_all_is_well(deployment, evening)
    assert await attempts(deployment, evening) == {1, 2}
    await assert_nothing_is_left_when_all_have_gone(deployment)


async def test_the_web_process_that_carries_the_nodes_is_killed_in_the_middle(deployment, evening):
    async with in_the_middle(evening):
        deployment.kill(NODES_AT)
        deployment.start_web(NODES_AT)
    await assert_all_is_well(deployment, evening)
    assert len(ready_nodes(deployment)) == len(NODES)
    await assert_nothing_is_left_when_all_have_gone(deployment)


def ready_nodes(deployment: Deployment) -> list[str]:
    fleet = views.nodes(deployment.store, NODES).values()
    return [view.node for view in fleet if view.state == "ready"]


async def assert_all_is_well(deployment: Deployment, evening: Evening) -> None:
    """Answers, live state and history agree: every job once, and nothing beside."""
    evening.assert_each_was_answered_once_and_in_order()
    await until(
        lambda: not any(one.used for one in views.fleet(deployment.store).values()), QUIET_S
    )
    async with Cells(deployment.store) as cells:
        cell = await read_cell(cells, 0)
    assert list(broken(cell)) == []
    assert {job: state["state"] for job, state in cell.jobs.items()} == dict.fromkeys(
        evening.jobs(), "DONE"
    )
    await until(lambda: len(history_of(deployment.database).done) == len(evening.jobs()), HISTORY_S)
    history = history_of(deployment.database)
    history.assert_every_job_is_told_from_its_beginning_to_its_end()
    assert history.done == evening.jobs()


async def attempts(deployment: Deployment, evening: Evening) -> set[int]:
    """How often jobs were placed."""
    found = [views.job(deployment.store, job) for job in evening.jobs()]
    return {view.attempt for view in found if view}


async def assert_nothing_is_left_when_all_have_gone(deployment: Deployment) -> None:
    for name in NODES:
        deployment.terminate(name)
    for web in ("web-1", "web-2", "web-3"):
        deployment.terminate(web)
    async with Cells(deployment.store) as cells:
        async with asyncio.timeout(QUIET_S):
            while sorted(left_over(await read_cell(cells, 0))):
                await scripts.reap(cells, cell=0)
                for name in NODES:
                    await scripts.forget_node(cells, cell=0, node=name, offline_ms=0)
                await asyncio.sleep(0.1)
