"""``result/``: over HTTP from a whole web process, with a node at its socket."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator

import httpx
import pytest
from django.db import InterfaceError
from django.utils import timezone
from pytest_django import Settings
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from jobs.api import result
from jobs.api.views import JobViewSet
from jobs.models import Job
from jobs.settings import JobSettings
from lua import ids, views
from lua.client import StoreSettings
from nodes.settings import NodeSettings
from scheduler_site import credentials
from scheduler_site.models import create_token
from tests.api.conftest import JOB
from tests.harness.actors import HandNode, hand_node, hand_session
from tests.harness.web import Web

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def token(transactional_db: None) -> str:
    return create_token(kind="session", tenant="acme")[1]


@pytest.fixture
def node_token(transactional_db: None) -> str:
    return create_token(kind="node")[1]


@pytest.fixture
async def web(live_state: StoreSettings) -> AsyncIterator[Web]:
    async with Web(live_state, JobSettings(), NodeSettings()) as web:
        yield web


@pytest.fixture
async def http(web: Web, token: str) -> AsyncIterator[httpx.AsyncClient]:
    address = web.node_url.replace("ws://", "http://").replace("/ws/node", "/api/v1/")
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=30) as client:
        yield client


@pytest.fixture
async def node(web: Web, node_token: str) -> AsyncIterator[HandNode]:
    """Takes as many jobs as a test needs."""
    url = f"{web.node_url}?token={node_token}"
    async with hand_node(url, "node-1", languages=["en", "zh"], slots=50) as node:
        yield node


async def post_job(http: httpx.AsyncClient) -> str:
    response = await http.post("jobs/", json=JOB)
    assert response.status_code == 201
    return str(response.json()["job_id"])


async def test_it_comes_as_soon_as_the_node_answers(
    http: httpx.AsyncClient, node: HandNode
) -> None:
    job_id = await post_job(http)
    waiting = asyncio.create_task(http.get(f"jobs/{job_id}/result/", params={"wait": 20}))
    job = await node.job()
    assert job["session_id"] == job["job_id"] == job_id

    await node.answers(job, "你好", tts_audio="AAAA", tts_format="pcm16")

    async with asyncio.timeout(2):
        response = await waiting
    assert response.status_code == 200
    body = response.json()
    assert (body["job_id"], body["state"], body["node_id"]) == (job_id, "DONE", "node-1")
    assert (body["text_translated"], body["tts_audio"]) == ("你好", "AAAA")


async def test_it_is_not_there_before_its_time(http: httpx.AsyncClient, node: HandNode) -> None:
    job_id = await post_job(http)
    await node.job()

    for wait in ("0", "0.1"):
        response = await http.get(f"jobs/{job_id}/result/", params={"wait": wait})
        assert response.status_code == 404
        body = response.json()
        assert (body["code"], body["state"]) == ("NO_RESULT", "DISPATCHED")
        assert "not finished yet" in body["detail"]


async def test_a_failure_is_told_with_the_nodes_own_code(
    http: httpx.AsyncClient, node: HandNode
) -> None:
    job_id = await post_job(http)
    await node.fails(await node.job(), "INVALID_AUDIO", "I hear nothing")

    response = await http.get(f"jobs/{job_id}/result/", params={"wait": 5})

    assert response.status_code == 200
    body = response.json()
    assert (body["state"], body["code"], body["message"]) == (
        "FAILED",
        "INVALID_AUDIO",
        "I hear nothing",
    )


async def test_a_cancelled_job_ends_the_wait(http: httpx.AsyncClient, node: HandNode) -> None:
    job_id = await post_job(http)
    await node.job()
    waiting = asyncio.create_task(http.get(f"jobs/{job_id}/result/", params={"wait": 20}))
    await http.post(f"jobs/{job_id}/cancel/")

    async with asyncio.timeout(2):
        assert (await waiting).json()["state"] == "CANCELLED"
    await node.peer.expect("job_cancel", job_id=job_id)


async def test_waiting_holds_no_thread(http: httpx.AsyncClient, node: HandNode) -> None:
    jobs = [await post_job(http) for _ in range(30)]
    waits = [
        asyncio.create_task(http.get(f"jobs/{job}/result/", params={"wait": 20})) for job in jobs
    ]
    for _ in jobs:
        assigned = await node.job()
    # The first of them is answered only while all others wait.
    before = threading.active_count()
    await node.answers(assigned, "last")
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    assert sum(wait.done() for wait in waits) == 1
    assert threading.active_count() <= before
    assert before < len(jobs)

    for job in node.jobs[:-1]:
        await node.answers(job, "all")
    answers = await asyncio.gather(*waits)
    assert {answer.json()["state"] for answer in answers} == {"DONE"}


async def test_an_answer_that_is_not_kept_any_more_is_not_found(http: httpx.AsyncClient) -> None:
    await Job.objects.acreate(
        job_id="job-00000000000000AB",
        state="DONE",
        tenant="acme",
        created_at="2026-03-01T00:00Z",
        updated_at="2026-03-01T00:00Z",
        finished_at="2026-03-01T00:00Z",
    )

    response = await http.get("jobs/job-00000000000000AB/result/")

    assert (response.status_code, response.json()["code"]) == (404, "STATE_LOST")


@pytest.mark.parametrize(("ended", "code"), [("FAILED", "NMT_TIMEOUT"), ("CANCELLED", "CANCELLED")])
async def test_an_end_that_sql_knows_counts_although_redis_went_back_to_before_it(
    http: httpx.AsyncClient, node: HandNode, ended: str, code: str
) -> None:
    job_id = await post_job(http)
    await node.job()
    values = {"state": ended, "code": code, "finished_at": timezone.now(), "tenant": "acme"}
    times = dict.fromkeys(("created_at", "updated_at"), timezone.now())
    await Job.objects.acreate(job_id=job_id, **values, **times)

    answer = (await http.get(f"jobs/{job_id}/result/")).json()

    assert (answer["state"], answer["code"]) == (ended, code)
    assert (await http.get(f"jobs/{job_id}/")).json()["state"] == ended


async def test_nobody_gets_it_without_a_token(
    http: httpx.AsyncClient, node_token: str, settings: Settings
) -> None:
    path = "jobs/job-00000000000000AB/result/"
    nobody = await http.get(path, headers={"Authorization": ""})
    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, "Bearer")
    machine = await http.get(path, headers={"Authorization": f"Bearer {node_token}"})
    assert machine.status_code == 403
    settings.PARLEY_AUTH = "off"
    assert (await http.get(path, headers={"Authorization": ""})).status_code == 404


@pytest.mark.parametrize("wait", ["long", "-1", "nan"])
async def test_a_wait_is_a_number_of_seconds(http: httpx.AsyncClient, wait: str) -> None:
    response = await http.get("jobs/job-00000000000000AB/result/", params={"wait": wait})
    assert (response.status_code, response.json()["field"]) == (422, "wait")


async def test_a_process_that_leaves_takes_no_new_jobs(
    http: httpx.AsyncClient, web: Web, node: HandNode
) -> None:
    web.process.draining = True
    response = await http.post("jobs/", json=JOB)
    assert (response.status_code, response.json()["code"]) == (503, "SCHEDULER_DEPENDENCY_DOWN")
    web.process.draining = False


async def test_a_job_of_a_live_session_ends_with_it(
    web: Web, http: httpx.AsyncClient, node: HandNode, settings: Settings
) -> None:
    settings.PARLEY_AUTH = "off"
    async with hand_session(web.session_url, "en", "zh") as session:
        spoken = await session.says()
        said = await node.job()
        bodies = [
            (await http.post("jobs/", json={**JOB, "session_id": session.id})).json()
            for _ in range(2)
        ]
        first, second = await node.job(), await node.job()
        assert {first["session_id"], second["session_id"]} == {session.id}
        indexes = [job["utterance_index"] for job in (said, first, second)]
        assert indexes == list(range(indexes[0], indexes[0] + 3))

        await node.answers(first, "by REST")
        await node.answers(said, "by socket")
        heard = await session.hears()
        assert (heard["utterance_index"], heard["text_translated"]) == (spoken, "by socket")
        answer = await http.get(f"jobs/{bodies[0]['job_id']}/result/", params={"wait": 5})
        assert answer.json()["text_translated"] == "by REST"
        await session.ends()
        assert len(session.outcomes) == 1

    answer = await http.get(f"jobs/{bodies[1]['job_id']}/result/", params={"wait": 5})
    assert answer.json()["state"] == "CANCELLED"


async def test_a_job_of_a_session_outlives_its_broken_connection_and_is_no_utterance_of_it(
    web: Web, http: httpx.AsyncClient, node: HandNode, settings: Settings
) -> None:
    settings.PARLEY_AUTH = "off"
    async with hand_session(web.session_url, "en", "zh", accepts=["resume"]) as session:
        body = {**JOB, "session_id": session.id}
        job_id = (await http.post("jobs/", json=body)).json()["job_id"]
        job = await node.job()
        cells = web.process.cells
        live = web.process.sessions.get(session.id)
        assert live is not None
        await live.open()  # as in a replay, and when its socket is gone

        past = await views.session_jobs(cells, session.id)
        assert (past.live, past.ended) == ([], [])
        await node.answers(job, "by REST")
        answer = await http.get(f"jobs/{job_id}/result/", params={"wait": 5})
        assert answer.json()["text_translated"] == "by REST"
        past = await views.session_jobs(cells, session.id)
        assert (past.live, past.ended) == ([], [])
    assert (await http.get(f"jobs/{job_id}/")).json()["utterance_index"] is None


def calls_in(text: str, web: Web, script: str) -> float:
    """0 while the process has published nothing."""
    label = re.escape(f'{{process="{web.process.id}",script="{script}"}} ')
    calls = re.search(rf"parley_process_script_calls_total{label}(\S+)", text)
    seconds = re.search(rf"parley_process_script_seconds_total{label}(\S+)", text)
    return float(calls[1]) if calls and seconds else 0


async def test_prometheus_sees_the_script_times_of_every_process_from_any(
    web: Web, http: httpx.AsyncClient, node: HandNode, settings: Settings, live_state: StoreSettings
) -> None:
    settings.PARLEY_AUTH = "off"
    async with Web(live_state, JobSettings(), NodeSettings()) as other:
        pages = [one.node_url.replace("ws:", "http:") for one in (web, other)]
        pages = [page.replace("/ws/node", "/metrics") for page in pages]
        await post_job(http)
        await node.job()
        leases = 0.0
        for page in [*pages, *pages]:
            async with asyncio.timeout(5):
                while True:
                    text = (await http.get(page)).text
                    if calls_in(text, web, "dispatch") and calls_in(text, other, "renew_lease"):
                        break
            assert calls_in(text, web, "dispatch") == 1
            assert calls_in(text, other, "renew_lease") >= leases
            leases = calls_in(text, other, "renew_lease")


async def test_a_socket_that_is_none_is_not_found(web: Web) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(web.node_url + "s")
    assert refused.value.response.status_code == 404


async def test_without_sql_it_says_so_as_all_of_rest_does(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise InterfaceError("connection already closed")

    monkeypatch.setattr(result, "_row", away)
    in_history = await http.get(f"jobs/{ids.new_job(0, 1)}/result/")
    monkeypatch.setattr(credentials, "_ask_sql", away)
    new = {"Authorization": "Bearer parley_session_unknown"}
    with_new_token = [await http.get(path, headers=new) for path in ("jobs/j/result/", "jobs/")]
    monkeypatch.setattr(JobViewSet, "get_queryset", away)
    in_list = await http.get("jobs/")

    for response in (in_history, *with_new_token, in_list):
        assert response.status_code == 503
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.json()["code"] == "SCHEDULER_DEPENDENCY_DOWN"
