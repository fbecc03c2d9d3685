"""Operators' decisions reach a node at its socket, and outlive its connection and Redis."""

from collections.abc import AsyncIterator

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings

from jobs import audit
from jobs.models import NodeEvent
from jobs.settings import JobSettings
from lua import views
from lua.client import StoreSettings
from lua.reader import client
from lua.states import NodeState
from lua.views import NodeView
from nodes import services
from nodes.models import Node
from nodes.settings import NodeSettings
from pools import publication
from scheduler_site.asgi import make_process
from tests.harness.actors import hand_node
from tests.harness.web import Web
from tests.peers.until import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def web(live_state: StoreSettings, settings: Settings) -> AsyncIterator[Web]:
    settings.PARLEY_AUTH = "off"
    async with Web(live_state, JobSettings(lease_pause_ms=100), NodeSettings()) as web:
        yield web


@pytest.fixture
async def http(web: Web) -> AsyncIterator[httpx.AsyncClient]:
    address = web.node_url.replace("ws://", "http://").replace("/ws/node", "/api/v1/")
    async with httpx.AsyncClient(base_url=address, timeout=30) as client:
        yield client


def node_now(store: StoreSettings) -> NodeView:
    return views.nodes(store, ["node-1"])["node-1"]


async def test_drain_and_resume_are_told_to_the_agent(
    web: Web, http: httpx.AsyncClient, live_state: StoreSettings
) -> None:
    async with hand_node(web.node_url, "node-1", languages=["en", "zh"], slots=2) as node:
        response = await http.post("nodes/node-1/drain/", json={"reason": "new driver"})
        assert response.json()["state"] == "draining"
        told = await node.peer.expect("node_control", command="drain")
        assert told["reason"] == "new driver"

        await http.post("nodes/node-1/resume/")
        await node.peer.expect("node_control", command="resume")
    await sync_to_async(audit.drain)(live_state, 0)
    drained = await NodeEvent.objects.aget(why="drain")
    assert (drained.moves, drained.text) == ("ready draining", "new driver")


async def test_a_kick_closes_the_connection(web: Web, http: httpx.AsyncClient) -> None:
    async with hand_node(web.node_url, "node-1", languages=["en", "zh"], slots=2) as node:
        await http.post("nodes/node-1/kick/")
        await node.peer.closed()


async def test_a_drained_node_comes_back_drained_even_to_an_empty_redis(
    web: Web, http: httpx.AsyncClient, live_state: StoreSettings
) -> None:
    async with hand_node(web.node_url, "node-1", languages=["en", "zh"], slots=2):
        await http.post("nodes/node-1/drain/")
    await until(lambda: node_now(live_state).state is NodeState.OFFLINE, 5)
    prefix = live_state.prefix
    keys = [k for k in client(live_state).keys(f"{prefix}*") if b"node-1" in k]
    client(live_state).delete(*keys)

    async with hand_node(web.node_url, "node-1", languages=["en", "zh"], slots=2):
        assert node_now(live_state).state is NodeState.DRAINING


async def test_a_disabled_node_is_not_used_until_it_is_resumed(
    web: Web, http: httpx.AsyncClient, live_state: StoreSettings
) -> None:
    async with hand_node(web.node_url, "node-1", languages=["en", "zh"], slots=2):
        await sync_to_async(services.disable)(["node-1"], reason="bad fan")
        await until(lambda: not node_now(live_state).enabled, 5)
        assert node_now(live_state).load.reason == "status_not_ready"
        assert (await http.get("nodes/node-1/")).json()["state"] == "disabled"
        assert (await http.get("nodes/?state=ready")).json()["results"] == []

        await http.post("nodes/node-1/resume/")
        await until(lambda: node_now(live_state).load.reason == "usable", 5)


async def test_a_process_that_begins_knows_what_was_decided_though_redis_lost_it(
    live_state: StoreSettings,
) -> None:
    """Nobody else has told the cell: no worker runs here."""
    now = timezone.now()
    await Node.objects.acreate(node_id="node-1", first_seen=now, last_seen=now, enabled=False)
    await sync_to_async(publication.count_change)()
    process = make_process()
    await process.start()
    try:
        assert process.snapshot.configuration(0).disabled == {"node-1"}
        await until(lambda: all(cell.config == 1 for cell in views.cells(live_state)))
    finally:
        await process.stop()


async def test_a_process_begins_without_sql(
    live_state: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise OperationalError("no such host")

    monkeypatch.setattr(publication, "current", away)
    process = make_process()
    await process.start()
    assert process.snapshot.configuration(0).version == 0
    await process.stop()
