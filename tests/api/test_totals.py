"""Totals, the cluster, Prometheus and the OpenAPI pages."""

import re

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from pytest_django import Settings

from jobs import audit
from lua.client import StoreSettings
from scheduler_site import stats
from scheduler_site.tasks import sing
from tests.api.conftest import Api
from tests.api.fleet import FakeNode
from tests.api.test_jobs import problem


@pytest.fixture
def some_history(acme: Api, node: FakeNode, live_state: StoreSettings) -> None:
    """One job done, one refused, two placed, one waiting."""
    done = acme.post_job().json()["job_id"]
    node.take(done)
    node.finish(done, {"text_asr": "hello"})
    for _ in range(3):
        acme.post_job()
    acme.post_job(options={"deadline_ms": 0})
    audit.drain(live_state, 0)


@pytest.mark.usefixtures("some_history")
def test_totals_say_what_happened_and_what_is_there(operator: Api, acme: Api) -> None:
    body = operator.get("stats/").json()

    jobs = body["jobs"]
    assert (jobs["made"], jobs["done"], jobs["failed"], jobs["cancelled"]) == (5, 1, 1, 0)
    assert jobs["failed_by_code"] == {"NO_AVAILABLE_NODE": 1}
    assert jobs["mean_done_ms"] >= 0
    nodes = body["nodes"]
    assert (nodes["nodes"], nodes["capacity"], nodes["used"]) == (1, 2, 2)
    assert nodes["by_reason"] == {"usable": 1}
    assert body["waiting"] == 1
    assert body["history"]["entries"] == 0


def test_the_lag_of_the_history_is_visible(operator: Api, acme: Api, node: FakeNode) -> None:
    acme.post_job()
    history = operator.get("stats/").json()["history"]
    assert history["entries"] > 0
    assert history["lag_ms"] >= 0


def test_the_cluster_shows_its_cells(operator: Api, node: FakeNode, settings: Settings) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    sing()
    body = operator.get("cluster/").json()
    [cell] = body["cells"]
    assert (cell["cell"], cell["epoch"], body["nodes"]) == (0, "first", 1)
    assert body["worker_seen_ms"] > 0


def test_the_cluster_is_shown_while_only_the_cache_is_away(
    operator: Api, node: FakeNode, settings: Settings, tmp_path: object
) -> None:
    cache = {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": f"unix://{tmp_path}/nobody"}
    settings.CACHES = {"default": cache}
    answer = operator.get("cluster/")
    assert answer.status_code == 200
    assert answer.json()["worker_seen_ms"] is None


def metrics_of(api: Api) -> dict[str, float]:
    response = api.client.get("/metrics", headers=api.headers())
    assert response.status_code == 200
    lines = re.findall(r"^(\w+(?:\{[^}]*\})?) (\S+)$", response.content.decode(), re.MULTILINE)
    return {name: float(value) for name, value in lines}


@pytest.mark.usefixtures("some_history")
def test_prometheus_gets_the_same_figures(operator: Api) -> None:
    found = metrics_of(operator)

    assert found['parley_jobs_total{code="",state="DONE"}'] == 1
    assert found['parley_jobs_total{code="NO_AVAILABLE_NODE",state="FAILED"}'] == 1
    assert found['parley_slots{kind="used"}'] == 2
    assert found['parley_waiting_jobs{cell="0"}'] == 1
    assert found['parley_stream_entries{cell="0"}'] == 0
    assert found['parley_stream_lag_seconds{cell="0"}'] == 0
    assert found["parley_script_calls_total"] > 0
    assert found["parley_script_seconds_total"] > 0
    assert found["parley_up"] == 1


def test_without_redis_the_rest_is_still_told(
    operator: Api, settings: Settings, tmp_path: object
) -> None:
    settings.STATE_REDIS_URL = f"unix://{tmp_path}/nobody"
    found = metrics_of(operator)
    assert found["parley_up"] == 0
    assert "parley_queues" not in str(found)
    problem(operator.get("stats/"), 503, "SCHEDULER_DEPENDENCY_DOWN")
    problem(operator.post_job(), 503, "SCHEDULER_DEPENDENCY_DOWN")


def test_without_sql_the_live_state_is_still_told(
    operator: Api, node: FakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise OperationalError("no such host")

    assert metrics_of(operator)["parley_history_up"] == 1
    monkeypatch.setattr(stats, "job_sums", away)
    found = metrics_of(operator)
    assert (found["parley_history_up"], found["parley_up"]) == (0, 1)
    assert found['parley_slots{kind="capacity"}'] > 0
    problem(operator.get("stats/"), 503, "SCHEDULER_DEPENDENCY_DOWN")


def test_metrics_are_for_operators(api: Api, acme: Api) -> None:
    for who, status in ((api, 401), (acme, 403)):
        assert who.client.get("/metrics", headers=who.headers()).status_code == status


def test_a_wrong_token_is_told_from_none(api: Api, db: None) -> None:
    wrong = Api(api.client, "parley_operator_guessed")
    for path in ("/api/v1/nodes/", "/metrics"):
        without = problem(api.client.get(path), 401, "UNAUTHORIZED")
        assert "needs a token" in without["detail"]
        guessed = problem(api.client.get(path, headers=wrong.headers()), 401, "UNAUTHORIZED")
        assert "not known" in guessed["detail"]


def test_a_login_of_the_admin_counts_as_an_operator(db: None, node: FakeNode) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_user("anna", is_staff=True))
    assert client.get("/api/v1/nodes/").status_code == 200
    # But what changes anything has to come from a page of ours.
    problem(client.post("/api/v1/nodes/node-1/drain/"), 403, "UNAUTHORIZED")

    client.force_login(User.objects.create_user("otto"))
    problem(client.get("/api/v1/nodes/"), 401, "UNAUTHORIZED")


def test_everybody_is_an_operator_while_authentication_is_off(
    api: Api, settings: Settings, node: FakeNode, db: None
) -> None:
    settings.PARLEY_AUTH = "off"
    job_id = api.post_job(tenant_id="acme").json()["job_id"]
    assert api.get(f"jobs/{job_id}/").json()["tenant_id"] == "acme"
    assert api.get("nodes/").status_code == 200


def test_openapi_names_every_path(api: Api, db: None) -> None:
    text = api.get("schema/").content.decode()
    for path in ("jobs/", "jobs/{job_id}/result/", "nodes/{node_id}/drain/", "pools/", "stats/"):
        assert f"/api/v1/{path}:" in text


def test_openapi_says_what_is_answered(operator: Api, node: FakeNode, settings: Settings) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    document = SchemaGenerator().get_schema(request=None, public=True)
    shapes = document["components"]["schemas"]
    for path in ("nodes/", "pools/", "stats/", "cluster/"):
        responses = document["paths"][f"/api/v1/{path}"]["get"]["responses"]
        shape = responses["200"]["content"]["application/json"]["schema"]["$ref"]
        assert set(shapes[shape.rpartition("/")[2]]["properties"]) == set(operator.get(path).json())
        assert "application/problem+json" in responses["401"]["content"]


def test_openapi_says_what_nodes_without_sockets_send(db: None) -> None:
    document = SchemaGenerator().get_schema(request=None, public=True)
    paths, shapes = document["paths"], document["components"]["schemas"]
    for path, method, body in (
        ("nodes/register/", "post", "NodeRegister"),
        ("nodes/{node_id}/heartbeat/", "post", "NodeHeartbeat"),
        ("jobs/{job_id}/ack/", "post", "JobAck"),
        ("jobs/{job_id}/done/", "post", "JobResult"),
        ("jobs/{job_id}/fail/", "post", "JobResult"),
    ):
        asked = paths[f"/api/v1/{path}"][method]["requestBody"]["content"]["application/json"]
        assert asked["schema"]["$ref"].endswith(f"/{body}")
    assert "get" in paths["/api/v1/nodes/{node_id}/jobs/"]
    assert set(shapes["JobAck"]["required"]) == {"attempt_id", "node_id", "session_id", "trace_id"}
    assert shapes["JobAssign"]["properties"]["audio"]
    named = re.findall(r"'#/components/schemas/(\w+)'", str(document))
    assert set(named) <= set(shapes)
    validate_schema(document)


def test_the_docs_page_needs_no_other_host(api: Api, db: None) -> None:
    page = api.get("docs/").content.decode()
    assert "/static/drf_spectacular_sidecar/" in page
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)


def test_what_is_no_path_is_a_problem_too(operator: Api, api: Api) -> None:
    problem(operator.get("nothing/"), 404, "INVALID_MESSAGE")
    browser = Client(enforce_csrf_checks=True)
    problem(browser.post("/api/v1/nothing/"), 404, "INVALID_MESSAGE")
    assert operator.client.delete("/api/v1/jobs/", headers=operator.headers()).status_code == 405
    problem(operator.post("jobs/"), 422, "INVALID_MESSAGE")
