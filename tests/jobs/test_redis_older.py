"""Redis is replaced by an older copy of itself while people speak and nodes work."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from jobs.settings import JobSettings
from lua import views
from lua.client import Cells, StoreSettings
from lua.doctor import broken
from lua.states import TERMINAL, NodeState
from nodes import services
from nodes.settings import NodeSettings
from nodes.tasks import teach_cells
from tests.harness.actors import HandSession, hand_session
from tests.harness.books import used_slots
from tests.harness.web import Web
from tests.lua.invariants import read_cell
from tests.peers.agent import Agent
from tests.peers.peer import Json
from tests.peers.until import until

pytestmark = pytest.mark.django_db(transaction=True)

SESSIONS, UTTERANCES, AT_ONCE = 4, 60, 4
NODES = ("anna", "mary", "tom", "zoe")
IDLE = ("mary", "tom")
TASK_S = 0.2  # the worker's configuration task, which runs every 5 s
QUIET_S = 10.0


def echo(job: Json) -> Json:
    """Which utterance it was."""
    which = f"{job['session_id']} {job['session_utterance_index']}"
    return {"text_asr": which, "text_translated": which, "tts_audio": None}


@pytest.fixture
def store(valkey, prefix, redis_settings) -> StoreSettings:
    redis_settings.STATE_REDIS_URL = valkey.url
    return StoreSettings(url=valkey.url, prefix=prefix)


@pytest.fixture
async def webs(stage, store) -> list[Web]:
    """Two web processes, each with half of the nodes and of the sessions."""
    settings = JobSettings(lease_pause_ms=100, reap_pause_ms=20)
    made = [Web(store, settings, NodeSettings()) for _ in range(2)]
    return [await stage.enter_async_context(web) for web in made]


@pytest.fixture
async def agents(stage, webs) -> dict[str, Agent]:
    made = {
        name: Agent(webs[number % 2].node_url, node_id=name, pace=0.02, silence_s=0.05, answer=echo)
        for number, name in enumerate(NODES)
    }
    return {name: await stage.enter_async_context(agent) for name, agent in made.items()}


@pytest.fixture
async def speakers(stage, webs, agents) -> list[HandSession]:
    opening = [hand_session(webs[n // 2 % 2].session_url, "en", "zh") for n in range(SESSIONS)]
    return [await stage.enter_async_context(one) for one in opening]


async def speak(speaker: HandSession) -> None:
    """Returns when all was said and something came of each."""
    for index in range(UTTERANCES):
        await until(lambda index=index: len(speaker.outcomes) > index - AT_ONCE, 30)  # type: ignore[misc]
        await speaker.says()
    await until(lambda: len(speaker.outcomes) >= UTTERANCES, 30)


@asynccontextmanager
async def worker() -> AsyncIterator[None]:
    """Tells the cells what SQL has; while Redis is away its runs fail."""

    async def work() -> None:
        while True:
            await asyncio.gather(sync_to_async(teach_cells)(), return_exceptions=True)
            await asyncio.sleep(TASK_S)

    task = asyncio.create_task(work())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def answered(speakers: list[HandSession], share: float) -> Any:
    """Whether this share of all utterances is over."""
    count = SESSIONS * UTTERANCES * share
    return lambda: sum(len(speaker.outcomes) for speaker in speakers) > count


def is_idle(store: StoreSettings) -> bool:
    """Mary is drained, tom disabled, and neither has anything left to do."""
    mary, tom = (views.nodes(store, IDLE)[name] for name in IDLE)
    decided = mary.state is NodeState.DRAINING and not tom.enabled
    return decided and not mary.load.used and not tom.load.used


async def test_each_utterance_has_one_answer_and_what_operators_decided_stays(
    valkey, store, agents, speakers
):
    """Decided after the copy was made: so the copy does not know of it, and SQL does."""
    speaking = asyncio.gather(*map(speak, speakers))
    await until(answered(speakers, 0.2), 30)
    copy = valkey.copy()
    await sync_to_async(services.drain)(["mary"], reason="new driver")
    await sync_to_async(services.disable)(["tom"], reason="bad fan")
    await until(answered(speakers, 0.5), 30)

    told = [len(agents[name].jobs) for name in IDLE]
    async with worker():
        await valkey.go_back(copy)
        await until(lambda: is_idle(store))
        assert not speaking.done()
        await speaking
        await until(lambda: not any(used_slots(store, name) for name in NODES), QUIET_S)

    for speaker in speakers:
        assert_each_was_answered_once_and_in_order(speaker)
    for agent in agents.values():
        assert_no_index_came_twice(agent)
    assert is_idle(store)
    assert [len(agents[name].jobs) for name in IDLE] == told
    await assert_books_are_closed(store)


def assert_no_index_came_twice(agent: Agent) -> None:
    """A job whose result was lost may come again, and this agent refuses it; a new one never."""
    came = Counter(job["job_id"] for job in agent.jobs)
    assert [job for job in agent.refused if came[job["job_id"]] == 1] == []


def assert_each_was_answered_once_and_in_order(speaker: HandSession) -> None:
    """With its own translation, unless Redis was away when it was said, or took the result along
    with it.
    """
    assert [frame["utterance_index"] for frame in speaker.outcomes] == list(range(UTTERANCES))
    for frame in speaker.outcomes:
        if frame["type"] == "missing_result":
            assert frame["code"] in {"SCHEDULER_DEPENDENCY_DOWN", "STATE_LOST"}
        else:
            assert frame["text_translated"] == f"{speaker.id} {frame['utterance_index']}"


async def assert_books_are_closed(store: StoreSettings) -> None:
    """All jobs are at their end, and no counter differs from what it counts."""
    async with Cells(store) as cells:
        cell = await read_cell(cells, 0)
    assert list(broken(cell)) == []
    assert {job["state"] for job in cell.jobs.values()} <= TERMINAL
