"""``manage.py doctor``: what it prints, what it mends, and how it exits."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from jobs.models import Job
from lua.client import StoreSettings
from lua.keys import cell_prefix
from lua.reader import client
from nodes.models import Node
from nodes.tasks import expire_nodes
from pools.matching import MOST_POOLS
from tests.api.conftest import Api
from tests.api.fleet import FakeNode

pytestmark = pytest.mark.django_db


def doctor(*, repair: bool = False) -> str:
    out = StringIO()
    call_command("doctor", repair=repair, pause_s=0, stdout=out)
    return out.getvalue()


def test_all_is_well(acme: Api, node: FakeNode) -> None:
    acme.post_job()
    assert doctor() == "All is well.\n"


def test_a_difference_is_told_with_its_rule_and_mended(
    node: FakeNode, live_state: StoreSettings
) -> None:
    doctor(repair=True)
    prefix = cell_prefix(live_state.prefix, 0)
    client(live_state).delete(f"{prefix}ready:auto:en-zh")
    with pytest.raises(CommandError, match=r"^1 difference$"):
        doctor()
    said = doctor(repair=True)
    assert "ready:auto:en-zh/node-1: is missing (pools, ready and has: sets follow" in said
    assert "Mended 1 entries" in said
    assert client(live_state).sismember(f"{prefix}ready:auto:en-zh", "node-1")


def test_what_sql_knows_and_redis_does_not_is_told_and_mended(
    node: FakeNode, operator: Api
) -> None:
    doctor(repair=True)
    expire_nodes()
    Node.objects.update(drain=True)
    long_ago = timezone.now() - timedelta(hours=1)
    Job.objects.create(job_id="job-0000000000000001", cell=0, state="DISPATCHED",
                       created_at=long_ago, updated_at=long_ago)  # fmt: skip
    said = doctor(repair=True)
    assert "node-1: is drained in SQL and not in its cell" in said
    assert "job-0000000000000001: is live in SQL and unknown to Redis" in said
    assert operator.get("nodes/node-1/").json()["state"] == "draining"
    assert Job.objects.get().state == "FAILED"
    assert doctor() == "All is well.\n"


def test_a_node_that_is_in_as_many_pools_as_it_may_be_is_a_warning(
    operator: Api, live_state: StoreSettings
) -> None:
    for number in range(MOST_POOLS + 1):
        body = {"kind": "own", "name": f"p{number:02}", "languages": ["en", "zh"]}
        assert operator.post("pools/", body).status_code == 201
    FakeNode("node-1").register()
    doctor(repair=True)
    assert doctor() == (
        "warning: cell 0: node-1: is in 16 pools, the most; limit: own:p15, own:p16\nAll is well.\n"
    )


def test_a_node_with_more_jobs_than_slots_is_a_warning(
    acme: Api, live_state: StoreSettings
) -> None:
    FakeNode("node-1", capacity=2, conn="c").register()
    for _ in range(2):
        assert acme.post_job().status_code == 201
    FakeNode("node-1", capacity=1, conn="c").register()
    doctor(repair=True)
    assert doctor().startswith("warning: cell 0: node-1: holds 2 jobs in 1 slots: ")


def test_it_looks_at_all_cells_or_at_none(node: FakeNode, settings: Settings) -> None:
    doctor(repair=True)
    settings.PARLEY_CELLS = 2
    with pytest.raises(CommandError, match="PARLEY_CELLS is 2, but the live state in Redis has 1"):
        doctor()


def test_without_redis_it_says_so(settings: Settings, tmp_path: object) -> None:
    settings.STATE_REDIS_URL = f"unix://{tmp_path}/nobody"
    with pytest.raises(CommandError, match="Redis does not answer"):
        doctor()
