"""Pools in the admin: made, changed and removed by people, with a look at who would be in them."""

from typing import Any

import pytest
from django.test import Client

from pools.configuration import decode
from pools.models import Change, Configuration, DefinedPool
from pools.store import call
from pools.tasks import clean_pools
from tests.api.fleet import FakeNode

PAGE = "/admin/pools/definedpool/"
FORM = {
    "kind": "own", "name": "acme", "languages": "en, zh-Hans", "mode": "contains", "services": "",
    "scope": "core_only", "tenants": "acme globex", "tenant_rule": "first", "priority": "100",
    "sample_k": "0", "enabled": "on", "note": "",
}  # fmt: skip


def published() -> Any:
    """The configuration that the cell has."""
    return decode(*call(lambda cells: cells.config(0)))


def changes() -> list[tuple[str, str]]:
    return list(Change.objects.values_list("author", "what"))


def test_a_pool_is_made_changed_and_removed_by_its_author(admin: Client) -> None:
    assert admin.post(f"{PAGE}add/", FORM).status_code == 302
    [pool] = published().pools
    assert (pool.id, pool.languages, pool.tenants) == (
        "own:acme", ("en", "zh"), ("acme", "globex")
    )  # fmt: skip

    answer = admin.post(f"{PAGE}own:acme/change/", {**FORM, "priority": "3"})
    assert answer.status_code == 302
    assert published().pools[0].priority == 3

    page = admin.get(f"{PAGE}own:acme/change/").content.decode()
    assert "priority: 100 → 3" in page

    admin.post(f"{PAGE}own:acme/delete/", {"post": "yes"})
    assert published().pools == ()
    assert changes() == [("anna", "own:acme")] * 3
    assert "removed" in admin.get("/admin/pools/change/").content.decode()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"languages": "en xx"}, "There is no language &#x27;xx&#x27;."),
        ({"languages": ""}, "This field is required."),
        ({"kind": "pair", "name": "", "languages": "en en"}, "the same language"),
        ({"services": "telepathy"}, "There is no service"),
        ({"name": "A B"}, "small letters"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(
    admin: Client, change: dict[str, str], text: str
) -> None:
    page = admin.post(f"{PAGE}add/", {**FORM, **change})
    assert page.status_code == 200
    assert text in page.content.decode()
    assert not DefinedPool.objects.exists()


def test_a_pool_is_made_once(admin: Client) -> None:
    admin.post(f"{PAGE}add/", FORM)
    assert "There is a pool own:acme already." in admin.post(f"{PAGE}add/", FORM).content.decode()


def test_the_form_shows_who_would_be_a_member(admin: Client, node: FakeNode) -> None:
    FakeNode("node-2", languages=("en", "de")).register()
    assert "pool-preview" in admin.get(f"{PAGE}add/").content.decode()

    seen = admin.post(f"{PAGE}preview/", FORM).content.decode()
    assert "1 live nodes would be members" in seen
    assert "node-1" in seen
    assert "no semantic repair for zh" in seen
    assert not DefinedPool.objects.exists()

    wrong = admin.post(f"{PAGE}preview/", {**FORM, "languages": "en"}).content.decode()
    assert "Name 2 to 30 languages." in wrong


def test_the_preview_is_for_those_who_may_see_pools(db: None) -> None:
    assert Client().post(f"{PAGE}preview/", FORM).status_code == 302


def test_a_pool_shows_what_its_members_amount_to(admin: Client, node: FakeNode) -> None:
    clean_pools()
    page = admin.get("/admin/pools/pool/auto:en-zh/change/").content.decode()
    for words in ("free slots", "language en", "model whisper", "node-1"):
        assert words in page


def test_choosing_is_set_on_one_page(admin: Client) -> None:
    page = admin.get("/admin/pools/configuration/", follow=True)
    assert "hash seed" in page.content.decode().lower()
    form = {"auto_on": "on", "auto_min_nodes": "1", "auto_max_pools": "0", "catch_all": "on",
            "policy": "priority", "hash_seed": "4"}  # fmt: skip
    assert admin.post("/admin/pools/configuration/1/change/", form).status_code == 302
    choosing = published().choosing
    assert (choosing.policy, choosing.hash_seed, choosing.fallback_scan) == ("priority", 4, False)
    assert changes() == [("anna", "choosing")]


def test_without_redis_a_decision_is_kept(admin: Client, redis_settings: Any) -> None:
    redis_settings.STATE_REDIS_URL = "redis://127.0.0.1:9/0"
    page = admin.post(f"{PAGE}add/", FORM, follow=True).content.decode()
    assert "Redis does not answer" in page
    assert DefinedPool.objects.get().pool_id == "own:acme"
    assert Configuration.objects.get().version == 1
