"""Pools that operators define over REST: refused by field, told to the cells, in the history."""

from threading import Thread
from typing import Any

import pytest
from django.db import connections
from rest_framework.serializers import Serializer

from lua.client import StoreSettings
from pools.configuration import decode
from pools.models import Change, DefinedPool
from pools.publication import current
from pools.serializers import DefinedPoolSerializer
from pools.store import call
from tests.api.conftest import Api
from tests.api.fleet import FakeNode
from tests.api.test_jobs import problem

CUSTOM = {"kind": "own", "name": "acme", "languages": ["en", "zh"]}


def published() -> Any:
    """The configuration that the cell has."""
    return decode(*call(lambda cells: cells.config(0)))


@pytest.mark.django_db(transaction=True)
def test_two_changes_of_one_pool_at_once_both_count(
    operator: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator.post("pools/", CUSTOM)
    others: list[Thread] = []

    def change_note() -> None:
        operator.patch("pools/own:acme/", {"note": "theirs"})
        connections.close_all()

    def is_valid(asked: DefinedPoolSerializer, **options: Any) -> bool:
        """The pool has been read: before it is written another change begins."""
        if not others:
            others.append(Thread(target=change_note))
            others[0].start()
            others[0].join(0.3)
        return bool(Serializer.is_valid(asked, **options))

    monkeypatch.setattr(DefinedPoolSerializer, "is_valid", is_valid)
    assert operator.patch("pools/own:acme/", {"priority": 9}).status_code == 200
    others[0].join()
    now = DefinedPool.objects.get()
    assert (now.priority, now.note) == (9, "theirs")


def test_a_pool_is_defined_and_told_to_the_cells(operator: Api) -> None:
    made = operator.post("pools/", {**CUSTOM, "tenants": ["acme"], "languages": ["en-US", "zho"]})
    assert made.status_code == 201, made.json()
    assert made.json()["pool_id"] == "own:acme"
    assert made.json()["languages"] == ["en", "zh"]
    [pool] = published().pools
    assert (pool.id, pool.languages, pool.tenants) == ("own:acme", ("en", "zh"), ("acme",))
    listed = operator.get("pools/").json()["results"]
    assert [(one["pool_id"], one["kind"], one["members"]) for one in listed] == [
        ("own:acme", "own", 0)
    ]


@pytest.mark.parametrize(
    ("kind", "languages", "pool"),
    [("pair", ["en", "zh"], "pair:en-zh"), ("mix", ["zh-Hans"], "mix:*-zh")],
)
def test_pairs_are_named_by_their_languages(
    operator: Api, kind: str, languages: list[str], pool: str
) -> None:
    made = operator.post("pools/", {"kind": kind, "languages": languages})
    assert made.json()["pool_id"] == pool


@pytest.mark.parametrize(
    ("change", "field", "text"),
    [
        ({"languages": ["en", "xx"]}, "languages", "There is no language 'xx'."),
        ({"languages": ["en", "no tag"]}, "languages", "There is no language 'no tag'."),
        ({"languages": ["en", "auto"]}, "languages", "There is no language 'auto'."),
        ({"languages": ["en"]}, "languages", "Name 2 to 30 languages."),
        ({"languages": ["en", "zh", "en-GB"]}, "languages", "A language is named twice."),
        ({"languages": "en zh"}, "languages", "Expected a list"),
        ({"languages": None}, "languages", "null"),
        (
            {"kind": "pair", "name": "", "languages": ["en", "EN"]},
            "languages",
            "Source and target are the same language.",
        ),
        (
            {"kind": "pair", "name": "", "languages": ["en"]},
            "languages",
            "This kind of pool needs a source and a target.",
        ),
        (
            {"kind": "mix", "name": "", "languages": ["en", "zh"]},
            "languages",
            "This kind of pool needs one target.",
        ),
        ({"kind": "mix", "languages": ["zh"]}, "name", "Only a custom pool has a name"),
        (
            {"kind": "mix", "name": "", "languages": ["zh"], "mode": "exact"},
            "mode",
            "Only a custom pool",
        ),
        ({"kind": "auto"}, "kind", "not a valid choice"),
        ({"name": "Not Good"}, "name", "small letters"),
        ({"name": ""}, "name", "small letters"),
        ({"services": ["asr", "telepathy"]}, "services", "There is no service 'telepathy'; there"),
        ({"tenants": ["two words"]}, "tenants", "'two words' is no tenant"),
        ({"tenant_rule": "strict"}, "tenants", "Say which tenants use nothing else."),
        ({"priority": 0}, "priority", "Use 1 to 1000."),
        ({"priority": -1}, "priority", "greater than or equal to 0"),
        ({"sample_k": 500}, "sample_k", "Use at most 200."),
    ],
)
def test_bad_input_is_refused_by_its_field(
    operator: Api, change: dict[str, Any], field: str, text: str
) -> None:
    refused = problem(operator.post("pools/", {**CUSTOM, **change}), 422, "INVALID_MESSAGE")
    told = {error["field"]: error["message"] for error in refused["errors"]}
    assert text in told[field], told
    assert not DefinedPool.objects.exists()
    assert current()[0] == 0


def test_a_pool_is_defined_once(operator: Api) -> None:
    operator.post("pools/", CUSTOM)
    refused = problem(operator.post("pools/", CUSTOM), 422, "INVALID_MESSAGE")
    assert (refused["field"], refused["errors"][0]["message"]) == (
        "name",
        "There is a pool own:acme already.",
    )


def test_every_change_is_in_the_history_with_before_and_after(operator: Api) -> None:
    operator.post("pools/", CUSTOM)
    changed = operator.patch("pools/own:acme/", {"priority": 5})
    assert changed.json()["priority"] == 5
    assert published().pools[0].priority == 5
    operator.patch("pools/own:acme/", {"priority": 5})
    operator.put("pools/own:acme/", {**CUSTOM, "note": "no priority"})
    assert DefinedPool.objects.get().priority == 100
    assert operator.delete("pools/own:acme/").status_code == 204
    assert published().pools == ()

    changes = operator.get("pools/own:acme/changes/").json()
    shown = [
        tuple(one and one["priority"] for one in (change["before"], change["after"]))
        for change in changes
    ]
    assert shown == [(100, None), (5, 100), (100, 5), (None, 100)]
    assert {change["author"][:6] for change in changes} == {"token "}
    versions = [change["version"] for change in changes]
    assert versions == sorted(versions, reverse=True)
    assert published().version == versions[0]


def test_a_pool_does_not_become_another(operator: Api) -> None:
    operator.post("pools/", {"kind": "pair", "languages": ["en", "zh"]})
    refused = problem(
        operator.patch("pools/pair:en-zh/", {"languages": ["en", "fr"]}), 422, "INVALID_MESSAGE"
    )
    assert "another pool" in refused["detail"]
    problem(operator.patch("pools/own:x/", {}), 404, "INVALID_MESSAGE")
    problem(operator.delete("pools/own:x/"), 404, "INVALID_MESSAGE")


def test_a_pool_that_is_off_is_kept_and_not_told(operator: Api) -> None:
    operator.post("pools/", {**CUSTOM, "enabled": False})
    assert published().pools == ()
    assert operator.get("pools/own:acme/").json()["definition"]["enabled"] is False


def test_who_would_be_in_it_is_said_before_it_is_made(operator: Api, node: FakeNode) -> None:
    FakeNode("node-2", languages=("en", "de")).register()
    gone = FakeNode("node-3")
    gone.register()
    gone.leave()
    seen = operator.post("pools/preview/", CUSTOM).json()
    assert seen == {"members": ["node-1"], "others": {"node-2": "no semantic repair for zh"}}
    assert not DefinedPool.objects.exists()
    problem(operator.post("pools/preview/", {**CUSTOM, "languages": []}), 422, "INVALID_MESSAGE")


def test_only_operators_define_pools(acme: Api) -> None:
    problem(acme.post("pools/", CUSTOM), 403, "UNAUTHORIZED")


def test_choosing_is_set_and_recorded(operator: Api, live_state: StoreSettings) -> None:
    assert operator.get("choosing/").json()["policy"] == "spread"
    set_to = operator.patch("choosing/", {"policy": "affinity", "hash_seed": 7, "auto_on": False})
    assert (set_to.json()["policy"], set_to.json()["auto_on"]) == ("affinity", False)
    assert (published().choosing.policy, published().choosing.hash_seed) == ("affinity", 7)
    assert not published().auto.on
    [change] = Change.objects.all()
    policies = [values and values["policy"] for values in (change.before, change.after)]
    assert policies == ["spread", "affinity"]
    problem(operator.patch("choosing/", {"policy": "luck"}), 422, "INVALID_MESSAGE")
    refused = problem(operator.patch("choosing/", {"auto_min_nodes": 0}), 422, "INVALID_MESSAGE")
    assert refused["field"] == "auto_min_nodes"
