"""The stage of every story: web processes, nodes and sessions, as many as it asks for.

The product's times are shortened through its own settings; nothing of it is replaced.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
import uvloop
from asgiref.sync import sync_to_async
from pytest_django import Settings

from jobs import audit
from jobs.settings import JobSettings, SocketSettings
from lua import events
from lua.client import Cells, StoreSettings
from lua.keys import cell_prefix
from lua.limits import Limits
from lua.reader import client
from nodes.settings import NodeSettings
from tests.harness.actors import HandNode, HandSession, hand_node, hand_session
from tests.harness.web import Web
from tests.lua.invariants import assert_cell_sound

LoopFactory = Callable[[], asyncio.AbstractEventLoop]
GetNode = Callable[..., Awaitable[HandNode]]
GetSession = Callable[..., Awaitable[HandSession]]

LIMITS = Limits(
    reservation_ttl_ms=1_000,
    ack_timeout_ms=500,
    job_timeout_ms=2_000,
    wait_limit_ms=1_000,
    grace_ms=300,
    lonely_grace_ms=4_000,
    quiet_ms=2_000,
    sweep_ms=200,
)
JOBS = JobSettings(
    socket=SocketSettings(outgoing_stall_ms=500), lease_pause_ms=200, reap_pause_ms=50, pause_ms=500
)


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, LoopFactory]:
    """The product's loop."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
def store(redis_url: str, prefix: str) -> StoreSettings:
    return StoreSettings(url=redis_url, prefix=prefix, limits=LIMITS)


@pytest.fixture
async def stage(store: StoreSettings) -> AsyncIterator[AsyncExitStack]:
    """Whoever enters it leaves when the story ends, last in, first out; the books are in order."""
    async with AsyncExitStack() as stack:
        yield stack
        async with Cells(store) as cells:
            await assert_cell_sound(cells)


@pytest.fixture
async def parley(stage: AsyncExitStack, store: StoreSettings) -> Web:
    """One web process."""
    return await stage.enter_async_context(Web(store, JOBS, NodeSettings()))


@pytest.fixture
async def two_processes(
    stage: AsyncExitStack, parley: Web, store: StoreSettings
) -> tuple[Web, Web]:
    """Two web processes that know of each other only through Redis."""
    return parley, await stage.enter_async_context(Web(store, JOBS, NodeSettings()))


@pytest.fixture
def node(stage: AsyncExitStack, parley: Web) -> GetNode:
    """``await node("anna")``: a node that is registered and has ``slots`` for jobs."""

    async def enter(
        name: str,
        *,
        at: Web = parley,
        languages: list[str] | None = None,
        slots: int = 2,
        **registration: Any,
    ) -> HandNode:
        languages = languages or ["en", "zh"]
        joining = hand_node(at.node_url, name, languages=languages, slots=slots, **registration)
        return await stage.enter_async_context(joining)

    return enter


@pytest.fixture
def session(stage: AsyncExitStack, parley: Web) -> GetSession:
    """``await session("en", "zh")``: an open session."""

    async def enter(src: str, tgt: str, *, at: Web = parley, **init: Any) -> HandSession:
        return await stage.enter_async_context(hand_session(at.session_url, src, tgt, **init))

    return enter


@pytest.fixture
async def rest(
    stage: AsyncExitStack, parley: Web, redis_settings: Settings, transactional_db: None
) -> httpx.AsyncClient:
    """An operator at the REST of the web process."""
    address = parley.node_url.replace("ws://", "http://").replace("/ws/node", "/api/v1/")
    return await stage.enter_async_context(httpx.AsyncClient(base_url=address, timeout=10))


@pytest.fixture
def would_go(rest: httpx.AsyncClient) -> Callable[..., Awaitable[Any]]:
    """``await would_go(tenant_id="acme")``: where a job from English to Chinese would go, and why.

    With ``through`` it is asked until that is the pool: processes hear of a new one after a while.
    """

    async def ask(*, through: str = "", **wish: Any) -> Any:
        async with asyncio.timeout(5):
            while True:
                wanted = {"src_lang": "en", "tgt_lang": "zh", **wish}
                answer = await rest.post("jobs/simulate/", json=wanted)
                assert answer.status_code == 200, answer.text
                if answer.json()["pool"] == through or not through:
                    return answer.json()

    return ask


@pytest.fixture
def history(parley: Web, rest: httpx.AsyncClient) -> Callable[[str], Awaitable[tuple[Any, Any]]]:
    """``await history(session.id)``: the last job of a session and its events, as SQL has them."""

    async def look(session: str) -> tuple[Any, Any]:
        async with asyncio.timeout(5):  # what is refused without a node is noted while it is told
            while True:
                await sync_to_async(write_history)(parley.store)
                told = (await rest.get("jobs/", params={"session_id": session})).json()
                if told["results"]:
                    break
        job = told["results"][0]
        return job, (await rest.get(f"jobs/{job['job_id']}/events/")).json()

    return look


def write_history(store: StoreSettings) -> None:
    """As the worker does, but Redis forgets nothing: its books are looked at when a story ends."""
    start, prefix = audit.cursor_of(0), cell_prefix(store.prefix, 0)
    batch = events.read(
        client(store), prefix, epoch=start.epoch, after=start.entry, count=audit.BATCH
    )
    if batch.entries:
        audit.record(0, start, audit.Place(batch.epoch, batch.entries[-1].id), batch)
