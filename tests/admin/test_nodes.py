"""The admin's nodes: their live state in one look at Redis, and actions that count."""

import re
import time
from typing import Any

import pytest
import redis
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from lua import views
from lua.client import Cells
from lua.keys import cell_prefix
from nodes.models import Node
from nodes.tasks import expire_nodes
from pools import publication
from pools.models import Configuration
from pools.store import store
from tests.api.fleet import FakeNode
from tests.harness.loss import forget_everything

PAGE = "/admin/nodes/node/"
# Session, user, count of the pages, and the rows of this one.
QUERIES_A_PAGE = 4


def act(admin: Client, action: str, *nodes: str) -> Any:
    return admin.post(
        PAGE, {"action": action, "_selected_action": list(nodes), "index": 0}, follow=True
    )


@pytest.fixture
def round_trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by one with every request to Redis."""
    seen: list[str] = []
    single, piped = redis.Redis.execute_command, redis.client.Pipeline.execute

    def one(self: Any, *arguments: Any, **options: Any) -> Any:
        if not isinstance(self, redis.client.Pipeline):
            seen.append(arguments[0])
        return single(self, *arguments, **options)

    def many(self: Any, *arguments: Any, **options: Any) -> Any:
        seen.append("pipeline")
        return piped(self, *arguments, **options)

    monkeypatch.setattr(redis.Redis, "execute_command", one)
    monkeypatch.setattr(redis.client.Pipeline, "execute", many)
    return seen


def test_of_many_languages_the_first_dozen_is_shown(admin: Client, node: FakeNode) -> None:
    many = [f"x{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(40)]
    capable = {"language_capabilities": {"semantic_languages": many}}
    FakeNode("node-2", languages=tuple(many), caps=capable).register()
    expire_nodes()
    page = admin.get(PAGE).content.decode()
    assert f"{', '.join(many[:12])} and 28 more" in page
    assert many[12] not in page
    page = admin.get(f"{PAGE}node-2/change/").content.decode()
    assert "and 112 more" in page  # understood, repaired, spoken; two formats, speech, public


def test_the_path_of_a_page_names_an_id_as_it_is(admin: Client, node: FakeNode) -> None:
    page = admin.get(f"{PAGE}node-1/change/").content.decode()
    assert "Node-1" not in page
    assert "Nodes" in page


def test_a_page_shows_the_live_state(admin: Client, node: FakeNode) -> None:
    page = admin.get(PAGE).content.decode()

    assert "node-1" in page
    for words in ("ready", "en, zh", "auto:en-zh", "0/2", "s ago"):
        assert words in page


def test_a_page_costs_the_same_for_many_nodes(
    admin: Client, node: FakeNode, round_trips: list[str], django_assert_num_queries: Any
) -> None:
    for number in range(40):
        FakeNode(f"node-x{number}").register()
    expire_nodes()
    admin.get(PAGE)
    round_trips.clear()

    with django_assert_num_queries(QUERIES_A_PAGE):
        page = admin.get(PAGE).content.decode()

    assert round_trips == ["pipeline"]
    assert page.count("s ago") == 41


def test_nodes_are_searched_and_filtered(admin: Client, node: FakeNode) -> None:
    FakeNode("other-2").register()
    expire_nodes()
    Node.objects.filter(pk="other-2").update(drain=True)

    assert "node-1" not in admin.get(PAGE, {"q": "other"}).content.decode()
    assert "other-2" not in admin.get(PAGE, {"drain__exact": 0}).content.decode()


def test_a_node_that_redis_forgot_is_shown_as_gone(admin: Client, node: FakeNode) -> None:
    forget_everything(store().url, store().prefix)
    assert "gone" in admin.get(PAGE).content.decode()


def test_without_redis_the_page_says_so(
    admin: Client, node: FakeNode, settings: Settings, tmp_path: object
) -> None:
    settings.STATE_REDIS_URL = f"unix://{tmp_path}/nobody"
    for path in (PAGE, f"{PAGE}node-1/change/"):
        page = admin.get(path)
        assert page.status_code == 200
        assert "Redis does not answer" in page.content.decode()


def test_actions_tell_the_nodes_and_are_kept(admin: Client, node: FakeNode) -> None:
    def live() -> views.NodeView:
        return views.nodes(store(), ["node-1"])["node-1"]

    assert "Told 1 node." in act(admin, "drain_nodes", "node-1").content.decode()
    assert (live().state, live().drain) == ("draining", "drained by anna")
    assert Node.objects.get().drain

    act(admin, "resume_nodes", "node-1")
    assert live().state == "ready"
    assert not Node.objects.get().drain

    act(admin, "disable_nodes", "node-1")
    assert (Node.objects.get().enabled, Node.objects.get().note) == (False, "disabled by anna")

    act(admin, "resume_nodes", "node-1")
    assert Node.objects.get().enabled


def test_a_breaker_is_shown_and_cleared(admin: Client, node: FakeNode) -> None:
    opened_ms = int(time.time() * 1000)
    hurt: Any = {"breaker": "open", "blamed": "NMT_TIMEOUT", "opened": opened_ms, "pause": 10_000}
    keys = redis.Redis.from_url(store().url, protocol=2)
    keys.hset(f"{cell_prefix(store().prefix, 0)}node:node-1", mapping=hurt)
    page = admin.get(f"{PAGE}node-1/change/").content.decode()
    assert re.search(r"open for \d+ s more, after NMT_TIMEOUT", page)

    act(admin, "clear_nodes", "node-1")

    page = admin.get(f"{PAGE}node-1/change/").content.decode()
    assert "NMT_TIMEOUT" not in page
    assert "closed" in page


def test_a_drain_asks_for_a_reason_and_a_deadline(admin: Client, node: FakeNode) -> None:
    assert 'name="reason"' in admin.get(PAGE).content.decode()
    asked = {"action": "drain_nodes", "_selected_action": ["node-1"], "index": 0}
    admin.post(PAGE, {**asked, "reason": "new fan", "deadline_s": 60})
    live = views.nodes(store(), ["node-1"])["node-1"]
    assert (live.drain, Node.objects.get().note) == ("new fan", "new fan")
    assert live.drain_until_ms > time.time() * 1000
    page = admin.post(PAGE, {**asked, "deadline_s": "soon"}, follow=True).content.decode()
    assert "No action selected" in page
    assert Node.objects.get().note == "new fan"


def test_an_action_without_redis_is_kept_and_said(
    admin: Client, node: FakeNode, settings: Settings, tmp_path: object
) -> None:
    settings.STATE_REDIS_URL = f"unix://{tmp_path}/nobody"
    page = act(admin, "drain_nodes", "node-1").content.decode()
    assert "Redis does not answer: 1 node will be told when it does." in page
    assert Node.objects.get().drain
    assert "try again" in act(admin, "kick_nodes", "node-1").content.decode()


@pytest.mark.parametrize("action", ["drain_nodes", "resume_nodes", "disable_nodes"])
def test_one_action_on_many_nodes_is_one_change(
    admin: Client, node: FakeNode, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    names = [f"node-x{number}" for number in range(5)]
    for name in names:
        FakeNode(name).register()
    expire_nodes()
    told: list[int] = []

    async def publish(cells: Cells, version: int, content: bytes) -> None:
        told.append(version)

    monkeypatch.setattr(publication, "publish", publish)
    assert "Told 5 nodes." in act(admin, action, *names).content.decode()
    assert told == [1]
    assert Configuration.objects.get().version == 1


def test_a_node_that_is_shut_down_is_used_again_when_it_comes_back(
    admin: Client, node: FakeNode
) -> None:
    act(admin, "shutdown_nodes", "node-1")
    live = views.nodes(store(), ["node-1"])["node-1"]
    assert (live.state, live.drain, live.leaving) == ("draining", "shut down by anna", True)
    act(admin, "refresh_nodes", "node-1")
    node.leave()
    FakeNode("node-1").register()
    live = views.nodes(store(), ["node-1"])["node-1"]
    assert (live.state, live.drain, live.leaving) == ("ready", "", False)


def test_who_may_only_look_is_offered_no_action(node: FakeNode) -> None:
    otto = User.objects.create_user("otto", is_staff=True)
    otto.user_permissions.add(Permission.objects.get(codename="view_node"))
    client = Client()
    client.force_login(otto)

    assert "drain_nodes" not in client.get(PAGE).content.decode()
    act(client, "drain_nodes", "node-1")
    assert not Node.objects.get().drain


def test_a_nodes_own_page_tells_all_of_it(admin: Client, node: FakeNode) -> None:
    page = admin.get(f"{PAGE}node-1/change/").content.decode()
    for words in ("10.0.0.7", "web-1", "tts:zh", "3.1.0", "Last changes"):
        assert words in page
    assert admin.get(f"{PAGE}add/").status_code == 403
    assert admin.post(f"{PAGE}node-1/delete/", {"post": "yes"}).status_code == 403


def test_a_pairing_code_is_shown(admin: Client, node: FakeNode) -> None:
    page = act(admin, "pair_nodes", "node-1").content.decode()
    assert re.search(r"node-1: the pairing code is \d{6}, for 5 minutes\.", page)


def test_a_node_that_is_gone_has_no_pairing_code(admin: Client, node: FakeNode) -> None:
    Node.objects.create(pk="gone", first_seen=timezone.now(), last_seen=timezone.now())
    assert "gone: it is gone" in act(admin, "pair_nodes", "gone").content.decode()
