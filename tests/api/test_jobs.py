"""Jobs over REST: created once, looked at, listed, cancelled."""

from typing import Any

import pytest

from jobs import audit
from jobs.models import Job
from lua import views
from lua.client import StoreSettings
from tests.api.conftest import JOB, Api
from tests.api.fleet import FakeNode


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """The body of an error, after a look at what all of them share."""
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["status"], body["code"]) == (status, status, code), body
    assert response["content-type"] == "application/problem+json"
    assert body["detail"]
    assert body["advice"]
    return body


def test_a_job_is_placed_on_a_node(acme: Api, node: FakeNode) -> None:
    response = acme.post_job()

    assert response.status_code == 201
    body = response.json()
    assert body["job_id"].startswith("job-")
    assert {**body, "job_id": ""} == {
        "job_id": "",
        "node_id": "node-1",
        "attempt_id": 1,
        "state": "RESERVED",
        "pool": "auto:en-zh",
    }


def test_its_state_is_live_at_once(acme: Api, node: FakeNode) -> None:
    job_id = acme.post_job().json()["job_id"]
    node.take(job_id)

    body = acme.get(f"jobs/{job_id}/").json()

    assert (body["state"], body["tenant_id"], body["node_id"]) == ("DISPATCHED", "acme", "node-1")
    assert (body["src_lang"], body["tgt_lang"]) == ("en", "zh")
    assert isinstance(body["created_at_ms"], int)
    assert body["finished_at_ms"] is None


def test_a_repeated_key_answers_the_same_job_as_it_is_now(acme: Api, node: FakeNode) -> None:
    first = acme.post_job("key-1").json()
    node.take(first["job_id"])

    response = acme.post_job("key-1")

    assert response.status_code == 200
    assert response.json() == {**first, "state": "DISPATCHED"}


def test_a_key_with_another_body_is_refused(acme: Api, node: FakeNode) -> None:
    first = acme.post_job("key-1").json()

    for change in ({"tgt_lang": "en", "src_lang": "zh"}, {"options": {"deadline_ms": 5}}):
        body = problem(acme.post_job("key-1", **change), 422, "INVALID_MESSAGE")
        assert body["job_id"] == first["job_id"]


def test_keys_of_different_credentials_do_not_meet(acme: Api, globex: Api, node: FakeNode) -> None:
    assert acme.post_job("key-1").status_code == 201
    assert globex.post_job("key-1", audio="AAAA").status_code == 201


def test_a_job_waits_when_all_slots_are_taken(acme: Api, node: FakeNode) -> None:
    assert [acme.post_job().status_code for _ in range(3)] == [201, 201, 202]


def test_a_job_that_may_not_wait_is_refused_with_a_breakdown(acme: Api, node: FakeNode) -> None:
    for _ in range(2):
        acme.post_job()

    response = acme.post_job(options={"deadline_ms": 0})
    body = problem(response, 503, "NO_AVAILABLE_NODE")

    assert (response.headers["Retry-After"], body["retry_after_ms"]) == ("5", 5_000)
    assert body["reason"] == "capacity_exceeded"
    assert body["breakdown"] == {"capacity_exceeded": 1}
    assert body["job_id"].startswith("job-")


def test_languages_that_nobody_serves_are_refused(acme: Api, node: FakeNode) -> None:
    response = acme.post_job(tgt_lang="de")
    body = problem(response, 503, "NO_CAPABLE_NODE")
    assert "Retry-After" not in response.headers
    assert body["reason"] == "lang_pair_unsupported"


@pytest.mark.parametrize(
    ("change", "status", "code", "breakdown", "said"),
    [
        ({"tgt_lang": "de"}, 503, "NO_CAPABLE_NODE", "lang_pair_unsupported", "'en' to 'de'"),
        ({"audio_format": "flac"}, 422, "UNSUPPORTED_FEATURE", "model_not_available", "'flac'"),
        (
            {"pipeline": {"use_tone": True}},
            503,
            "NO_CAPABLE_NODE",
            "model_not_available",
            "No node for these languages can do the step 'tone'.",
        ),
        (
            {"audio_format": "flac", "options": {"strict": True, "preferred_node_id": "node-1"}},
            422,
            "UNSUPPORTED_FEATURE",
            "model_not_available",
            "The node node-1 can't take audio of the format 'flac'; opus and pcm16, 16 kHz mono, "
            "are possible.",
        ),
    ],
    ids=["languages", "format", "tone", "format of one node"],
)
def test_what_no_node_does_is_said_alike_now_and_in_the_history(
    acme: Api,
    node: FakeNode,
    live_state: StoreSettings,
    change: dict[str, Any],
    status: int,
    code: str,
    breakdown: str,
    said: str,
) -> None:
    told = problem(acme.post_job(**change), status, code)
    live = views.job(live_state, told["job_id"])
    audit.drain(live_state, 0)
    kept = acme.get(f"jobs/{told['job_id']}/").json()
    assert said in told["detail"]
    assert live is not None
    assert (live.code, live.message, live.tenant) == (code, told["detail"], "acme")
    assert (kept["code"], kept["reason"]) == (code, told["reason"])
    assert (kept["src_lang"], kept["tgt_lang"]) == ("en", change.get("tgt_lang", "zh"))
    assert told["breakdown"] == kept["breakdown"] == {breakdown: 1}
    assert (kept["state"], kept["utterance_index"]) == ("FAILED", None)


def test_the_preferred_node_is_taken(acme: Api, node: FakeNode) -> None:
    FakeNode("node-2").register()
    for _ in range(2):
        body = acme.post_job(options={"preferred_node_id": "node-2"}).json()
        assert body["node_id"] == "node-2"
    assert acme.post_job(options={"preferred_node_id": "node-2"}).json()["node_id"] == "node-1"


def test_strict_means_there_or_nowhere(acme: Api, node: FakeNode) -> None:
    strict = {"preferred_node_id": "node-9", "strict": True, "deadline_ms": 0}
    problem(acme.post_job(options=strict), 503, "NO_CAPABLE_NODE")
    problem(acme.post_job(options={"strict": True}), 422, "INVALID_MESSAGE")


def test_strict_asks_no_node_for_a_way_that_it_does_not_translate(
    acme: Api, node: FakeNode
) -> None:
    FakeNode("node-2", pairs=frozenset({("en", "zh")})).register()
    strict = {"preferred_node_id": "node-2", "strict": True}
    back = acme.post_job(src_lang="zh", tgt_lang="en", options=strict)
    body = problem(back, 503, "NO_CAPABLE_NODE")
    assert "node-2 does not translate from 'zh' to 'en'" in body["detail"]
    assert acme.post_job(options=strict).json()["node_id"] == "node-2"


def test_an_excluded_node_is_passed_over(acme: Api, node: FakeNode) -> None:
    FakeNode("node-2", capacity=9).register()
    nodes = {
        acme.post_job(options={"exclude_node_id": "node-1"}).json()["node_id"] for _ in range(5)
    }
    assert nodes == {"node-2"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"src_lang": 5}, "src_lang"),
        ({"src_lang": ""}, "src_lang"),
        ({"tgt_lang": "auto"}, "tgt_lang"),
        ({"sample_rate": "many"}, "sample_rate"),
        ({"audio": None}, "audio"),
        ({"audio": 12}, "audio"),
        ({"audio": None, "audio_ref": "s3://x", "audio_format": None}, "audio_format"),
        ({"options": {"deadline_ms": -1}}, "options.deadline_ms"),
        ({"options": {"priority": 0}}, "options.priority"),
        ({"options": {"priority": 6}}, "options.priority"),
        ({"options": {"priority": "high"}}, "options.priority"),
        ({"pipeline": {"use_tts": "yes"}}, "pipeline.use_tts"),
    ],
)
def test_the_field_at_fault_is_named(
    acme: Api, node: FakeNode, change: dict[str, Any], field: str
) -> None:
    body = problem(acme.post_job(**change), 422, "INVALID_MESSAGE")
    assert body["field"] == field


def test_what_is_no_json_is_refused(acme: Api) -> None:
    response = acme.client.post(
        "/api/v1/jobs/", "{", content_type="application/json", headers=acme.headers()
    )
    problem(response, 400, "INVALID_MESSAGE")


def test_a_body_over_the_limit_is_refused(acme: Api) -> None:
    problem(acme.post_job(audio="A" * (8 * 2**20)), 413, "INVALID_MESSAGE")


def test_a_format_that_no_node_takes_is_refused(acme: Api, node: FakeNode) -> None:
    problem(acme.post_job(audio_format="flac"), 422, "UNSUPPORTED_FEATURE")


def test_sound_that_lies_elsewhere_needs_a_node_that_fetches_it(acme: Api, node: FakeNode) -> None:
    job = {**JOB, "audio": None, "audio_ref": "s3://x"}
    refused = problem(acme.post("jobs/", job), 422, "UNSUPPORTED_FEATURE")
    assert "audio_ref" in refused["detail"]
    FakeNode("node-2", audio_ref=True).register()
    assert acme.post("jobs/", job).json()["node_id"] == "node-2"


def test_a_session_must_be_live_and_of_the_tenant(acme: Api, node: FakeNode) -> None:
    for session in ("s-0000AAAA", "nonsense"):
        body = problem(acme.post_job(session_id=session), 422, "INVALID_SESSION")
        assert body["field"] == "session_id"


def test_the_tenant_comes_from_the_token(acme: Api, operator: Api, node: FakeNode) -> None:
    mine = acme.post_job(tenant_id="globex").json()["job_id"]
    theirs = operator.post_job(tenant_id="globex").json()["job_id"]
    assert operator.get(f"jobs/{mine}/").json()["tenant_id"] == "acme"
    assert operator.get(f"jobs/{theirs}/").json()["tenant_id"] == "globex"


def test_a_job_is_cancelled_once(acme: Api, node: FakeNode) -> None:
    job_id = acme.post_job().json()["job_id"]
    for _ in range(2):
        response = acme.post(f"jobs/{job_id}/cancel/")
        assert (response.status_code, response.json()["state"]) == (200, "CANCELLED")
    assert acme.get(f"jobs/{job_id}/").json()["state"] == "CANCELLED"


def test_an_operator_cancels_many_at_once(acme: Api, operator: Api, node: FakeNode) -> None:
    jobs = [acme.post_job().json()["job_id"] for _ in range(4)]
    node.take(jobs[0])
    node.finish(jobs[0], {"text_asr": "hello"})

    told = operator.post("jobs/cancel/", {"job_ids": [*jobs, "job-00000000000000AA", "?"]}).json()

    states = {one["job_id"]: one["state"] for one in told}
    assert states == dict.fromkeys(jobs[1:], "CANCELLED") | {
        jobs[0]: "DONE",
        "job-00000000000000AA": "",
        "?": "",
    }
    assert acme.post("jobs/cancel/", {"job_ids": jobs}).status_code == 403
    assert operator.post("jobs/cancel/", {"job_ids": []}).status_code == 422


def test_cancelling_an_ended_job_tells_how_it_ended(acme: Api, node: FakeNode) -> None:
    job_id = acme.post_job().json()["job_id"]
    node.take(job_id)
    node.finish(job_id, {"text_asr": "hello"})
    assert acme.post(f"jobs/{job_id}/cancel/").json()["state"] == "DONE"


def test_its_history_is_a_timeline(acme: Api, node: FakeNode, live_state: StoreSettings) -> None:
    job_id = acme.post_job().json()["job_id"]
    node.take(job_id)
    node.finish(job_id, {"text_asr": "hello"})
    audit.drain(live_state, 0)

    events = acme.get(f"jobs/{job_id}/events/").json()

    moves = [event["moves"] for event in events]
    assert moves == [
        ["NEW", "SELECTING", "RESERVED"],
        ["RESERVED", "DISPATCHED"],
        ["DISPATCHED", "DONE"],
    ]
    assert all(isinstance(event["at_ms"], int) for event in events)


def test_a_tenant_sees_only_its_own_jobs(
    acme: Api, globex: Api, operator: Api, node: FakeNode, live_state: StoreSettings
) -> None:
    job_id = acme.post_job().json()["job_id"]
    audit.drain(live_state, 0)

    for path in (f"jobs/{job_id}/", f"jobs/{job_id}/events/", f"jobs/{job_id}/result/"):
        problem(globex.get(path), 404, "INVALID_MESSAGE")
        problem(globex.get(f"{path}x/"), 404, "INVALID_MESSAGE")
    problem(globex.post(f"jobs/{job_id}/cancel/"), 404, "INVALID_MESSAGE")
    assert [len(who.get("jobs/").json()["results"]) for who in (acme, globex, operator)] == [
        1,
        0,
        1,
    ]
    assert acme.get(f"jobs/{job_id}/").json()["state"] == "RESERVED"


@pytest.mark.parametrize("job_id", ["job-00000000000000AA", "nonsense", "job-xyz"])
def test_an_unknown_job_is_not_found(acme: Api, job_id: str) -> None:
    problem(acme.get(f"jobs/{job_id}/"), 404, "INVALID_MESSAGE")
    problem(acme.post(f"jobs/{job_id}/cancel/"), 404, "INVALID_MESSAGE")
    problem(acme.get(f"jobs/{job_id}/result/"), 404, "INVALID_MESSAGE")


@pytest.fixture
def history(db: None) -> None:
    """120 jobs, a second apart; every third failed."""
    Job.objects.bulk_create(
        Job(
            job_id=f"job-{number:016X}",
            state="FAILED" if number % 3 == 0 else "DONE",
            code="QUEUE_TIMEOUT" if number % 3 == 0 else "",
            node=f"node-{number % 2}",
            tenant="acme",
            src="en" if number % 4 else "zh",
            created_at=f"2026-03-01T00:{number // 60:02}:{number % 60:02}Z",
            updated_at="2026-03-01T01:00Z",
            finished_at="2026-03-01T01:00Z",
        )
        for number in range(120)
    )


@pytest.mark.usefixtures("history")
def test_lists_come_in_pages_newest_first(acme: Api) -> None:
    seen: list[str] = []
    page = acme.get("jobs/", page_size=50)
    while True:
        body = page.json()
        seen += [job["job_id"] for job in body["results"]]
        if body["next"] is None:
            break
        page = acme.client.get(body["next"], headers=acme.headers())
    assert seen == [f"job-{number:016X}" for number in reversed(range(120))]


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"state": "FAILED"}, 40),
        ({"state": ["FAILED", "DONE"]}, 120),
        ({"node_id": "node-1"}, 60),
        ({"code": "QUEUE_TIMEOUT", "node_id": "node-0"}, 20),
        ({"created_from_ms": 1772323210000, "created_to_ms": 1772323220000}, 10),
        ({"src_lang": "EN"}, 90),
        ({"tenant_id": "globex"}, 0),
    ],
)
def test_lists_are_filtered(acme: Api, query: dict[str, Any], count: int) -> None:
    assert len(acme.get("jobs/", page_size=200, **query).json()["results"]) == count


@pytest.mark.usefixtures("history")
def test_a_wrong_filter_is_named(acme: Api) -> None:
    body = problem(acme.get("jobs/", state="SLEEPING"), 422, "INVALID_MESSAGE")
    assert body["field"] == "state"


@pytest.mark.usefixtures("history")
def test_a_page_of_jobs_is_one_query(acme: Api, django_assert_num_queries: Any) -> None:
    acme.get("jobs/")
    with django_assert_num_queries(1):
        acme.get("jobs/")
