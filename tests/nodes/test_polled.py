"""Nodes without sockets, over REST: two web processes, and each request may come to either."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import msgspec
import pytest
from asgiref.sync import sync_to_async
from django.db import DatabaseError

from jobs.settings import JobSettings
from lua import scripts, views
from lua.client import Cells, StoreSettings
from lua.limits import Limits
from lua.scripts import Command
from nodes.settings import NodeSettings
from scheduler_site import credentials
from scheduler_site.models import create_token
from tests.harness.actors import hand_node, hand_session
from tests.harness.frames import node_heartbeat, node_register
from tests.harness.loss import forget_everything
from tests.harness.rest_node import RestNode, http_of
from tests.harness.web import Web
from tests.lua.invariants import assert_cell_sound
from tests.peers.until import until

TENANTS = {"session": "acme"}
JOBS = JobSettings(lease_pause_ms=200, reap_pause_ms=50)


@pytest.fixture
def store(redis_url: str, prefix: str, cells: int) -> StoreSettings:
    limits = Limits(grace_ms=300, lonely_grace_ms=600, lease_ms=1_000, ack_timeout_ms=5_000)
    return StoreSettings(url=redis_url, prefix=prefix, limits=limits, cells=cells)


@pytest.fixture
async def stage(store) -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack
        async with Cells(store) as cells:
            await assert_cell_sound(cells)


@pytest.fixture
async def webs(stage, store) -> tuple[Web, Web]:
    one, two = (Web(store, JOBS, NodeSettings()) for _ in range(2))
    return await stage.enter_async_context(one), await stage.enter_async_context(two)


@pytest.fixture
async def anna(stage, webs) -> RestNode:
    """Registered at the first process."""
    client = await stage.enter_async_context(httpx.AsyncClient(timeout=20))
    node = RestNode(client, "anna", http_of(webs[0]))
    assert await node.registers() == {
        "node_id": "anna",
        "message": "registered",
        "status": "ready",
    }
    return node


@pytest.fixture
def session(stage, webs):
    """``await session()``: an open session at the first process, or at another."""

    async def enter(at: int = 0, **init):
        url = webs[at].session_url
        return await stage.enter_async_context(hand_session(url, "en", "zh", **init))

    return enter


async def test_a_job_goes_all_its_way(anna, session):
    ben = await session()
    await ben.says()
    job = await anna.job()
    assert job["type"] == "job_assign"
    assert base64.b64decode(job["audio"])
    assert await anna.acks(job) == {"job_id": job["job_id"], "answer": "ACKED"}
    done = await anna.answers(job, "你好")
    assert done == {"job_id": job["job_id"], "answer": "DONE"}
    assert (await ben.hears())["text_translated"] == "你好"


async def test_each_request_may_come_to_another_process(anna, webs, session):
    ben = await session(at=1)
    here, there = map(http_of, webs)
    await ben.says()
    anna.at = there
    job = await anna.job()
    anna.at = here
    await anna.acks(job)
    assert (await ben.peer.expect("ui_event", event="NODE_ACCEPTED"))["job_id"] == job["job_id"]
    await anna.beats(running=1)
    anna.at = there
    await anna.answers(job, "你好")
    assert (await ben.hears())["text_translated"] == "你好"


@pytest.mark.parametrize("at", [0, 1])
async def test_who_waits_is_woken_by_a_job(anna, webs, session, at):
    """Wherever the session is, and long before it would look again by itself."""
    ben = await session(at=at)
    for _ in range(3):
        asking = asyncio.create_task(anna.asks(wait_s=10))
        await until(lambda: any(len(web.registry) for web in webs))
        await ben.says()
        async with asyncio.timeout(1.5):
            [job] = (await asking)["jobs"]
        await anna.acks(job)
        await anna.answers(job, "你好")


async def test_a_job_that_was_not_acknowledged_is_given_again(anna, webs, session):
    ben = await session()
    await ben.says()
    first = await anna.job()
    anna.at = http_of(webs[1])
    assert await anna.job() == first
    await anna.acks(first)
    assert (await anna.asks(wait_s=0))["jobs"] == []
    await anna.answers(first, "你好")
    assert (await ben.hears())["text_translated"] == "你好"


async def test_an_answer_that_is_sent_twice_counts_once(anna, session):
    ben = await session()
    await ben.says()
    job = await anna.job()
    assert (await anna.answers(job, "one"))["answer"] == "DONE"
    assert (await anna.answers(job, "two"))["answer"] == "LATE"
    assert (await ben.hears())["text_translated"] == "one"


async def test_a_failure_is_told_with_the_nodes_own_code(anna, session):
    ben = await session()
    await ben.says()
    assert (await anna.fails(await anna.job(), "INVALID_SOUND"))["answer"] == "FAILED"
    assert (await ben.hears())["code"] == "INVALID_SOUND"


async def test_what_is_called_off_ends_the_wait_and_is_named(anna, session):
    ben = await session()
    await ben.says()
    job = await anna.job()
    await anna.acks(job)
    asking = asyncio.create_task(anna.asks(wait_s=10))
    await ben.ends()
    assert (await asking)["cancelled"] == [{"job_id": job["job_id"]}]
    assert (await anna.answers(job, "in vain"))["answer"] == "DROPPED"


async def test_a_process_may_die_without_the_node_losing_anything(anna, webs, stage, store):
    third = Web(store, JOBS, NodeSettings())
    async with hand_session(webs[0].session_url, "en", "zh") as ben:
        async with third:
            anna.at = http_of(third)
            await anna.asks(wait_s=0)
            await ben.says()
            job = await anna.job()
            await anna.acks(job)
        anna.at = http_of(webs[1])
        await anna.beats(running=1)
        await anna.answers(job, "你好")
        assert (await ben.hears())["text_translated"] == "你好"


async def test_who_waits_at_a_process_that_leaves_is_answered(anna, webs):
    asking = asyncio.create_task(anna.get("nodes/anna/jobs/", wait=20))
    await until(lambda: len(webs[0].registry))
    webs[0].registry.rest()
    response = await asking
    assert response.json()["jobs"] == []
    assert response.headers["connection"] == "close"


async def test_it_is_told_to_register_again_when_it_was_kicked(anna, webs):
    asking = asyncio.create_task(anna.get("nodes/anna/jobs/", wait=20))
    await until(lambda: len(webs[0].registry))
    await tell(webs, Command.KICK)
    assert problem(await asking) == (409, "NODE_UNAVAILABLE")
    assert problem(await anna.get("nodes/anna/jobs/")) == (409, "NODE_UNAVAILABLE")
    assert (await anna.registers())["status"] == "ready"
    assert (await anna.asks(wait_s=0))["status"] == "ready"


async def test_it_is_told_to_register_again_when_redis_lost_everything(anna, webs, session, store):
    ben = await session()
    asking = asyncio.create_task(anna.get("nodes/anna/jobs/", wait=20))
    await until(lambda: len(webs[0].registry))
    forget_everything(store.url, store.prefix)
    answers = [await asking, await anna.get("nodes/anna/jobs/")]
    answers.append(await anna.post("nodes/anna/heartbeat/", node_heartbeat("anna", ["en", "zh"])))
    assert [problem(answer) for answer in answers] == 3 * [(409, "NODE_UNAVAILABLE")]
    assert "register" in answers[0].json()["detail"]
    await anna.registers()
    await ben.says()
    await anna.answers(await anna.job(), "你好")
    assert (await ben.hears())["text_translated"] == "你好"


async def test_a_drained_node_sees_it_in_its_state(anna, webs):
    await tell(webs, Command.DRAIN)
    assert (await anna.asks(wait_s=0))["status"] == "draining"
    assert (await anna.beats())["status"] == "draining"


async def test_a_job_that_was_given_before_a_drain_is_given_again(anna, webs, session):
    ben = await session()
    await ben.says()
    first = await anna.job()
    content = msgspec.json.encode({"drained_nodes": ["anna"]})
    await scripts.write_config(webs[0].process.cells, cell=0, version=1, content=content)
    await until(lambda: webs[0].process.snapshot.configuration(0).version == 1)
    assert await anna.job() == first
    await anna.answers(first, "你好")
    assert (await ben.hears())["text_translated"] == "你好"


async def test_a_socket_of_the_same_node_takes_over(anna, webs, stage):
    await stage.enter_async_context(
        hand_node(webs[1].node_url, "anna", languages=["en", "zh"], slots=2)
    )
    assert problem(await anna.get("nodes/anna/jobs/")) == (409, "NODE_UNAVAILABLE")


async def test_its_heartbeat_changes_what_it_offers(anna, webs):
    anna.languages = ["en", "es"]
    anna.at = http_of(webs[1])
    await anna.beats()
    assert views.nodes(webs[0].store, ["anna"])["anna"].pools == ("auto:en-es",)


class TestInFourCells:
    @pytest.fixture
    def cells(self) -> int:
        return 4

    async def test_a_job_of_its_cell_goes_all_its_way(self, anna, webs, session):
        ben = await session(at=1)
        await ben.says()
        job = await anna.job()
        anna.at = http_of(webs[1])
        await anna.acks(job)
        await anna.answers(job, "你好")
        assert (await ben.hears())["text_translated"] == "你好"


class TestWithTokens:
    """Authentication is on."""

    @pytest.fixture(autouse=True)
    def required(self, settings, transactional_db) -> None:
        settings.PARLEY_AUTH = "required"
        credentials.forget_lookups()

    @pytest.fixture
    def client_with(self, stage):
        async def make(kind: str) -> httpx.AsyncClient:
            _, token = await sync_to_async(create_token)(kind=kind, tenant=TENANTS.get(kind, ""))
            headers = {"Authorization": f"Bearer {token}"}
            client = httpx.AsyncClient(headers=headers)
            await stage.enter_async_context(client)
            return client

        return make

    @pytest.fixture
    async def anna_at(self, webs, client_with) -> RestNode:
        return RestNode(await client_with("node"), "anna", http_of(webs[0]))

    async def test_only_tokens_of_nodes_are_let_in(self, webs, client_with):
        for kind in ("session", "operator"):
            node = RestNode(await client_with(kind), "anna", http_of(webs[0]))
            assert problem(await node.get("nodes/anna/jobs/")) == (403, "UNAUTHORIZED")
        async with httpx.AsyncClient() as nobody:
            node = RestNode(nobody, "anna", http_of(webs[0]))
            assert problem(await node.get("nodes/anna/jobs/")) == (401, "UNAUTHORIZED")

    async def test_without_sql_nobody_is_told_that_a_token_is_wrong(self, anna_at, monkeypatch):
        async def away(scope):
            raise DatabaseError("SQL is away")

        monkeypatch.setattr("scheduler_site.auth.identify", away)
        assert problem(await anna_at.get("nodes/anna/jobs/")) == (503, "SCHEDULER_DEPENDENCY_DOWN")

    async def test_a_node_is_its_credentials(self, webs, client_with):
        anna = RestNode(await client_with("node"), "anna", http_of(webs[0]))
        await anna.registers()
        thief = RestNode(await client_with("node"), "anna", http_of(webs[1]))
        assert problem(await thief.get("nodes/anna/jobs/")) == (409, "NODE_ID_CONFLICT")
        taken = await thief.post("nodes/register/", {**registration(), "node_id": "anna"})
        assert problem(taken) == (409, "NODE_ID_CONFLICT")
        assert (await anna.asks(wait_s=0))["status"] == "ready"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("nodes/register/", {"version": 1}, "version"),
        ("nodes/register/", {"type": "node_heartbeat"}, "type"),
        ("nodes/anna/heartbeat/", {"node_id": "mary"}, "node_id"),
        ("nodes/anna/heartbeat/", {}, "timestamp"),
        ("jobs/job-0000000000000000/ack/", {"node_id": "anna"}, "attempt_id"),
        ("jobs/job-0000000000000000/done/", {"success": False}, "success"),
        ("jobs/job-0000000000000000/fail/", [1], ""),
    ],
)
async def test_a_wrong_body_says_which_field_should_be_what(anna, path, body, field):
    refused = await anna.post(path, body)
    assert problem(refused) == (422, "INVALID_MESSAGE")
    assert refused.json()["field"] == field


@pytest.mark.parametrize("path", ["nodes/nobody/heartbeat/", "nodes/nobody/jobs/"])
async def test_a_node_that_nobody_knows_is_told_to_register(anna, path):
    if path.endswith("jobs/"):
        refused = await anna.get(path)
    else:
        nobody = RestNode(anna.client, "nobody", anna.at)
        refused = await nobody.post(path, node_heartbeat("nobody", ["en"]))
    assert problem(refused) == (409, "NODE_UNAVAILABLE")


async def test_what_is_no_request_is_refused(anna):
    assert (await anna.get("nodes/register/")).status_code == 405
    assert (await anna.post("nodes/anna/jobs/", {})).status_code == 405
    assert (await anna.get("nodes/anna/jobs/", wait="soon")).status_code == 422
    schema = await anna.post(
        "nodes/register/", {**registration(), "capability_schema_version": "1.0"}
    )
    assert problem(schema) == (422, "INVALID_CAPABILITY_SCHEMA")
    name = await anna.post("nodes/register/", {**registration(), "node_id": "a b"})
    assert problem(name) == (422, "INVALID_MESSAGE")


async def test_a_job_of_somebody_else_is_not_its_own(anna, session):
    ben = await session()
    await ben.says()
    job = await anna.job()
    other = RestNode(anna.client, "mary", anna.at)
    await other.registers()
    gone = await other.post(f"jobs/{job['job_id']}/ack/", ack(job, "mary"))
    assert problem(gone) == (409, "CANCELLED")
    assert (await other.post("jobs/nonsense/ack/", ack(job, "mary"))).status_code == 404
    await anna.acks(job)
    await anna.answers(job, "你好")


async def tell(webs, command: Command) -> None:
    """An operator does."""
    cells = webs[0].process.cells
    await scripts.control_node(cells, cell=0, node="anna", command=command, reason="why")


def ack(job, name: str):
    about = {key: job[key] for key in ("attempt_id", "session_id", "trace_id")}
    return {"node_id": name, **about}


def registration():
    return node_register("mary", ["en", "zh"], 1)


def problem(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json", response.text
    return response.status_code, response.json()["code"]
