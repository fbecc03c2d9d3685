"""The admin's jobs, notes, pools and tokens."""

from typing import Any

import pytest
import redis
from django.test import Client

from jobs import audit
from jobs.models import Job, Note
from lua.keys import cell_prefix
from pools.store import store
from pools.tasks import clean_pools
from scheduler_site.models import ApiToken, digest
from tests.api.fleet import FakeNode
from tests.jobs.streams import Stream

QUERIES_A_PAGE = 4


@pytest.fixture
def stream(db: None) -> Stream:
    """A job that ended, one that was refused, and an alert, all in SQL."""
    stream = Stream(store(), redis.Redis.from_url(store().url, protocol=2))
    stream.begin_life("first")
    stream.finished_job("job-0000000000000001")
    stream.job(
        "job-0000000000000002", "NEW SELECTING FAILED", code="NO_AVAILABLE_NODE",
        reason="capacity_exceeded", breakdown={"capacity_exceeded": 3}, tenant="globex",
    )  # fmt: skip
    stream.add(e="note", what="late_result", job="job-0000000000000001", node="node-1")
    stream.add(e="alert", what="id_fought_over", node="node-7")
    audit.drain(stream.store, 0)
    return stream


@pytest.mark.usefixtures("stream")
def test_jobs_are_listed_searched_and_filtered(admin: Client) -> None:
    def shown(**query: Any) -> list[str]:
        page = admin.get("/admin/jobs/job/", query).content.decode()
        return [job for job in ("job-0000000000000001", "job-0000000000000002") if job in page]

    assert len(shown()) == 2
    assert shown(q="s-1") == ["job-0000000000000001"]
    assert shown(state__exact="FAILED") == ["job-0000000000000002"]
    assert shown(tenant="globex") == ["job-0000000000000002"]


@pytest.mark.usefixtures("stream")
def test_a_page_of_jobs_costs_the_same_however_many(
    admin: Client, django_assert_num_queries: Any
) -> None:
    row: Any = Job.objects.values().first()
    Job.objects.bulk_create(Job(**{**row, "job_id": f"job-x{n}"}) for n in range(300))
    with django_assert_num_queries(QUERIES_A_PAGE):
        admin.get("/admin/jobs/job/")


@pytest.mark.usefixtures("stream")
def test_a_job_has_its_timeline_and_is_read_only(admin: Client) -> None:
    path = "/admin/jobs/job/job-0000000000000001/change/"

    page = admin.get(path).content.decode()

    for words in ("NEW → SELECTING → RESERVED", "DISPATCHED → DONE", "late_result", "auto:en-zh"):
        assert words in page
    assert 'name="_save"' not in page
    assert admin.post(path, {"state": "FAILED"}).status_code == 403
    assert Job.objects.get(pk="job-0000000000000001").state == "DONE"


@pytest.mark.usefixtures("stream")
def test_alerts_are_found_among_the_notes(admin: Client) -> None:
    page = admin.get("/admin/jobs/note/", {"alert__exact": 1}).content.decode()
    assert "id_fought_over" in page
    assert "late_result" not in page
    assert Note.objects.count() == 2


def test_a_pool_is_shown_with_its_members(admin: Client, node: FakeNode) -> None:
    clean_pools()

    assert "en, zh" in admin.get("/admin/pools/pool/").content.decode()
    page = admin.get("/admin/pools/pool/auto_3Aen-zh/change/").content.decode()

    assert "node-1" in page
    assert "can take a job now" in page


def test_a_token_is_shown_once(admin: Client) -> None:
    page = admin.post(
        "/admin/scheduler_site/apitoken/add/", {"kind": "session", "tenant": "acme", "label": "web"}
    )

    row = ApiToken.objects.get()
    token = next(word for word in page.content.decode().split() if "parley_session_" in word)
    token = token[token.index("parley_session_") :].split("<")[0]
    assert row.sha256 == digest(token)
    assert "no-store" in page["Cache-Control"]
    for path in ("", f"{row.pk}/change/"):
        assert token not in admin.get(f"/admin/scheduler_site/apitoken/{path}").content.decode()


def test_a_session_token_needs_a_tenant(admin: Client) -> None:
    page = admin.post("/admin/scheduler_site/apitoken/add/", {"kind": "session"})
    assert "needs a tenant" in page.content.decode()
    assert not ApiToken.objects.exists()


def test_tokens_are_revoked(admin: Client) -> None:
    admin.post("/admin/scheduler_site/apitoken/add/", {"kind": "node", "label": "lab"})
    row = ApiToken.objects.get()

    page = admin.post(
        "/admin/scheduler_site/apitoken/",
        {"action": "revoke_tokens", "_selected_action": [row.pk], "index": 0},
        follow=True,
    )

    row.refresh_from_db()
    assert row.revoked_at is not None
    assert "revoked" in page.content.decode()


def test_selected_jobs_are_cancelled(admin: Client, node: FakeNode) -> None:
    with redis.Redis.from_url(store().url, protocol=2) as client:
        client.set(f"{cell_prefix(store().prefix, 0)}epoch", "first")
    body = {"src_lang": "en", "tgt_lang": "zh", "audio": "AAAA", "audio_format": "pcm16"}
    for _ in range(2):
        made = admin.post("/api/v1/jobs/", body, content_type="application/json")
        assert made.status_code == 201
    audit.drain(store(), 0)
    names = list(Job.objects.values_list("pk", flat=True))
    page = admin.post(
        "/admin/jobs/job/",
        {"action": "cancel_jobs", "_selected_action": names, "index": 0},
        follow=True,
    )
    assert [str(one) for one in page.context["messages"]] == [
        "2 of 2 cancelled; the others had ended."
    ]
    audit.drain(store(), 0)
    assert set(Job.objects.values_list("state", flat=True)) == {"CANCELLED"}
