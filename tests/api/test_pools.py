"""Pools over REST."""

import pytest
import redis
from django.utils import timezone

from pools import publication
from pools.defining import save_classes, save_settings
from pools.models import Configuration, Pool
from pools.services import EMPTY_FOR, forget_empty_pools, lead_cleanup
from pools.tasks import clean_pools
from tests.api.conftest import Api
from tests.api.fleet import FakeNode
from tests.api.test_jobs import problem


def test_a_pool_is_listed_with_its_members(operator: Api, acme: Api, node: FakeNode) -> None:
    FakeNode("node-2", capacity=1).register()
    acme.post_job(options={"preferred_node_id": "node-2"})

    [pool] = operator.get("pools/").json()["results"]

    assert (pool["pool_id"], pool["kind"], pool["name"]) == ("auto:en-zh", "auto", "en-zh")
    assert (pool["members"], pool["ready"]) == (2, 1)
    assert pool["definition"]["semantic"] == ["en", "zh"]
    assert pool["offers"]["tts:zh"] == 2
    found = operator.get("pools/auto:en-zh/").json()
    assert found.pop("summary") == {
        "live": 2,
        "free_slots": 2,
        "types": {"asr": 2},
        "models": {"whisper": 2},
        "languages": {"en": 2, "zh": 2},
    }
    assert found == pool
    assert operator.get("pools/auto:en-zh/members/").json() == [
        {"node_id": "node-1", "ready": True},
        {"node_id": "node-2", "ready": False},
    ]


def test_an_unknown_pool_is_not_found(operator: Api) -> None:
    problem(operator.get("pools/auto:xx/"), 404, "INVALID_MESSAGE")
    problem(operator.get("pools/auto:xx/members/"), 404, "INVALID_MESSAGE")


def test_pools_are_remembered_while_they_are_empty_for_a_while(
    operator: Api, node: FakeNode
) -> None:
    clean_pools()
    node.languages = ("de", "en")
    node.register()

    found = {pool["pool_id"]: pool for pool in operator.get("pools/").json()["results"]}
    assert {pool: one["members"] for pool, one in found.items()} == {
        "auto:de-en": 1,
        "auto:en-zh": 0,
    }

    now = timezone.now()
    leader = lead_cleanup("me").leader
    assert forget_empty_pools(now=now, leader=leader) == 0
    Pool.objects.update(last_seen=now - EMPTY_FOR * 2)
    clean_pools()
    assert list(Pool.objects.values_list("pool_id", flat=True)) == ["auto:de-en"]


def test_classes_that_are_too_small_are_in_other_and_can_be_reached(
    operator: Api, acme: Api, node: FakeNode
) -> None:
    FakeNode("node-2").register()
    rare = FakeNode("node-3", languages=("de", "fr"))
    rare.register()
    operator.patch("choosing/", {"auto_min_nodes": 2})
    assert operator.get("choosing/").json()["auto_min_nodes"] == 2
    for one in (node, rare):  # at once, without the cleanup
        one.register()

    found = {pool["pool_id"]: pool for pool in operator.get("pools/").json()["results"]}
    assert {pool: found[pool]["members"] for pool in ("auto:en-zh", "other")} == {
        "auto:en-zh": 2,
        "other": 1,
    }
    placed = acme.post_job(src_lang="de", tgt_lang="fr").json()
    assert (placed["node_id"], placed["pool"]) == ("node-3", "other")
    problem(acme.post_job(src_lang="de", tgt_lang="zh"), 503, "NO_CAPABLE_NODE")

    FakeNode("node-4", languages=("de", "fr")).register()
    clean_pools()
    rare.register()
    assert operator.get("pools/auto:de-fr/").json()["members"] == 1


def test_limits_of_automatic_pools_may_be_set_while_redis_is_away(
    operator: Api, node: FakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise redis.ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr("pools.defining.sizes", away)
        save_settings({"auto_min_nodes": 2}, author="anna")
        assert Configuration.objects.get().auto_classes is None
        clean_pools()
        assert Configuration.objects.get().auto_classes == []
        save_settings({"auto_min_nodes": 1}, author="anna")
        assert Configuration.objects.get().auto_classes is None


def test_a_leader_that_wakes_up_late_changes_nothing(operator: Api, node: FakeNode) -> None:
    clean_pools()
    late = lead_cleanup("late").leader
    operator.patch("choosing/", {"auto_min_nodes": 2})
    lead_cleanup("next")
    now = timezone.now()
    Pool.objects.update(last_seen=now - EMPTY_FOR * 2)
    assert forget_empty_pools(now=now, leader=late) == 0
    version, _ = publication.current()
    assert not save_classes(["auto:x"], leader=late)
    assert publication.current()[0] == version
    assert forget_empty_pools(now=now, leader="next") == 1
