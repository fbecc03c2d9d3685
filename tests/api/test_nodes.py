"""Nodes over REST: the live list, and what operators tell a node."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from jobs import audit
from jobs.models import NodeEvent, Note
from lua.client import StoreSettings
from lua.keys import cell_prefix
from lua.reader import client
from nodes import services
from nodes.models import Node
from nodes.tasks import expire_nodes, teach_cells
from pools.models import Configuration
from tests.api.conftest import Api
from tests.api.fleet import FakeNode
from tests.api.test_jobs import problem
from tests.harness.loss import forget_everything


def content(live_state: StoreSettings) -> dict[str, list[str]]:
    """What the first cell's processes are told of the configuration."""
    key = f"{cell_prefix(live_state.prefix, 0)}config"
    found: dict[str, list[str]] = json.loads(client(live_state).hget(key, "content") or "{}")
    return found


def test_a_node_is_listed_with_its_live_state(operator: Api, node: FakeNode, acme: Api) -> None:
    acme.post_job()

    body = operator.get("nodes/").json()

    [seen] = body["results"]
    assert (seen["node_id"], seen["state"], seen["reason"]) == ("node-1", "ready", "usable")
    assert (seen["capacity"], seen["used"], seen["foreign"]) == (2, 1, 0)
    assert seen["pools"] == ["auto:en-zh"]
    assert seen["languages"]["semantic_languages"] == ["en", "zh"]
    assert abs(seen["heartbeat_at_ms"] - timezone.now().timestamp() * 1000) < 10_000
    assert (body["next"], body["previous"]) == (None, None)


def test_a_node_is_told_in_full(operator: Api, node: FakeNode, acme: Api) -> None:
    job_id = acme.post_job().json()["job_id"]

    body = operator.get("nodes/node-1/").json()

    assert body["jobs"] == [job_id]
    assert (body["address"], body["version"]) == ("10.0.0.7", "3.1.0")
    assert body["capabilities"]["platform"] == "linux"
    assert "tts:zh" in body["has"]


def test_lists_come_in_pages_by_name(operator: Api) -> None:
    names = [f"node-{number:02}" for number in range(7)]
    for name in names:
        FakeNode(name).register()

    seen, page = [], operator.get("nodes/", page_size=3)
    while page is not None:
        body = page.json()
        seen.append([one["node_id"] for one in body["results"]])
        link = body["next"]
        page = operator.client.get(link, headers=operator.headers()) if link else None

    assert seen == [names[:3], names[3:6], names[6:]]


def test_lists_are_filtered(operator: Api, node: FakeNode) -> None:
    FakeNode("node-2", languages=("en", "de")).register()
    FakeNode("node-3").register()
    FakeNode("node-3").leave()
    gone = FakeNode("node-4")
    gone.register()
    gone.leave()

    def names(**query: str) -> list[str]:
        return [one["node_id"] for one in operator.get("nodes/", **query).json()["results"]]

    assert names(state="offline") == ["node-4"]
    assert names(pool="auto:de-en") == ["node-2"]
    assert names(pool="auto:en-zh", state="ready") == ["node-1", "node-3"]
    problem(operator.get("nodes/", state="asleep"), 422, "INVALID_MESSAGE")
    problem(operator.get("nodes/", cursor="%%%"), 422, "INVALID_MESSAGE")


def test_a_drained_node_takes_no_new_jobs_until_resumed(
    operator: Api, acme: Api, node: FakeNode, live_state: StoreSettings
) -> None:
    drained = operator.post("nodes/node-1/drain/", {"reason": "new driver"})
    assert drained.json() == {"node_id": "node-1", "state": "draining", "pending": False}
    assert acme.post_job(options={"deadline_ms": 0}).status_code == 503
    assert operator.get("nodes/node-1/").json()["draining"] == "new driver"
    assert (Node.objects.get().drain, Node.objects.get().note) == (True, "new driver")
    assert content(live_state)["drained_nodes"] == ["node-1"]

    resumed = operator.post("nodes/node-1/resume/")
    assert resumed.json() == {"node_id": "node-1", "state": "ready", "pending": False}
    assert acme.post_job(options={"deadline_ms": 0}).status_code == 201
    assert content(live_state)["drained_nodes"] == []


def test_a_drain_has_a_deadline_that_survives_a_loss_of_redis(
    operator: Api, node: FakeNode, live_state: StoreSettings
) -> None:
    problem(operator.post("nodes/node-1/drain/", {"deadline_s": -1}), 422, "INVALID_MESSAGE")
    operator.post("nodes/node-1/drain/", {"reason": "new driver", "deadline_s": 600})
    until_ms = operator.get("nodes/node-1/").json()["drain_until_ms"]
    until = Node.objects.get().drain_until
    assert until is not None
    assert abs(until_ms - until.timestamp() * 1000) < 5_000

    forget_everything(live_state.url, live_state.prefix)
    node.register()
    teach_cells()

    seen = operator.get("nodes/node-1/").json()
    assert (seen["draining"], seen["state"]) == ("new driver", "draining")
    assert abs(seen["drain_until_ms"] - until_ms) < 5_000
    operator.post("nodes/node-1/resume/")
    assert operator.get("nodes/node-1/").json()["drain_until_ms"] == 0
    assert Node.objects.get().drain_until is None


def test_a_disabled_node_is_never_used_until_resumed(
    operator: Api, acme: Api, node: FakeNode, live_state: StoreSettings
) -> None:
    assert operator.post("nodes/node-1/disable/", {"reason": "bad fan"}).status_code == 200
    assert (Node.objects.get().enabled, Node.objects.get().note) == (False, "bad fan")
    node.register()
    assert content(live_state)["disabled_nodes"] == ["node-1"]
    operator.post("nodes/node-1/resume/")
    assert content(live_state)["disabled_nodes"] == []


def test_the_history_says_who_decided_and_why(
    operator: Api, node: FakeNode, live_state: StoreSettings
) -> None:
    operator.post("nodes/node-1/drain/", {"reason": "new driver"})
    operator.post("nodes/node-1/drain/", {"reason": "still"})
    operator.post("nodes/node-1/resume/")
    services.disable(["node-1"], reason="bad fan")
    operator.post("nodes/node-1/resume/")
    audit.drain(live_state, 0)

    moved = NodeEvent.objects.filter(node="node-1").order_by("id").values_list("why", "text")
    assert list(moved)[1:] == [("drain", "new driver"), ("resume", "")]
    noted = Note.objects.filter(node="node-1").order_by("id").values_list("what", "text")
    assert list(noted) == [("drain", "still"), ("disable", "bad fan"), ("resume", "")]


def test_an_operator_sees_a_breaker_and_clears_it(
    operator: Api, acme: Api, node: FakeNode, live_state: StoreSettings
) -> None:
    hurt: Any = {"breaker": "open", "blamed": "NMT_TIMEOUT", "opened": 5_000, "pause": 10_000}
    client(live_state).hset(f"{cell_prefix(live_state.prefix, 0)}node:node-1", mapping=hurt)
    seen = operator.get("nodes/node-1/").json()["breaker"]
    assert seen == {"state": "open", "code": "NMT_TIMEOUT", "until_ms": 15_000}

    cleared = operator.post("nodes/node-1/clear/", {"reason": "new GPU"})

    assert cleared.json()["state"] == "ready"
    seen = operator.get("nodes/node-1/").json()
    assert (seen["breaker"]["state"], seen["reason"]) == ("closed", "usable")
    audit.drain(live_state, 0)
    assert Note.objects.get(what="clear").text == "new GPU"


def test_a_resumed_node_gets_the_jobs_that_wait(operator: Api, acme: Api, node: FakeNode) -> None:
    operator.post("nodes/node-1/drain/")
    waiting = [acme.post_job().json()["job_id"] for _ in range(2)]

    operator.post("nodes/node-1/resume/")

    assert operator.get("nodes/node-1/").json()["jobs"] == sorted(waiting)


def test_a_decision_is_kept_for_a_node_that_is_away(operator: Api, node: FakeNode) -> None:
    expire_nodes()
    node.leave()
    assert operator.post("nodes/node-1/drain/").status_code == 200
    assert Node.objects.get().drain


def test_a_decision_is_kept_while_redis_is_away(
    operator: Api, node: FakeNode, settings: Settings, tmp_path: Path
) -> None:
    expire_nodes()
    there, settings.STATE_REDIS_URL = settings.STATE_REDIS_URL, f"unix://{tmp_path}/nobody"
    told = operator.post("nodes/node-1/drain/", {"reason": "new driver"})
    assert told.status_code == 202
    assert told.json() == {"node_id": "node-1", "state": None, "pending": True}
    problem(operator.post("nodes/node-1/kick/"), 503, "SCHEDULER_DEPENDENCY_DOWN")
    problem(operator.post("nodes/strange/drain/"), 503, "SCHEDULER_DEPENDENCY_DOWN")

    settings.STATE_REDIS_URL = there
    teach_cells()
    seen = operator.get("nodes/node-1/").json()
    assert (seen["state"], seen["draining"]) == ("draining", "new driver")


@pytest.mark.parametrize("command", ["kick", "shutdown", "refresh"])
def test_what_an_operator_asks_of_a_node_is_passed_on(
    operator: Api, node: FakeNode, live_state: StoreSettings, command: str
) -> None:
    mailbox = f"{cell_prefix(live_state.prefix, 0)}mailbox:web-1"
    client(live_state).xadd(mailbox, {"kind": "hello"})

    asked = operator.post(f"nodes/node-1/{command}/", {"reason": "bye"})

    states = {"kick": None, "shutdown": "draining", "refresh": "ready"}
    pending = command == "kick"  # until its process has closed the connection
    assert asked.json() == {"node_id": "node-1", "state": states[command], "pending": pending}
    entries: Any = client(live_state).xrange(mailbox)
    told = entries[1][1]
    assert (told[b"kind"], told[b"command"]) == (b"control", command.encode())
    assert told[b"reason"] == b"bye"
    assert not Node.objects.filter(drain=True).exists()
    problem(operator.post(f"nodes/strange/{command}/"), 404, "INVALID_MESSAGE")


def test_a_pairing_code_has_six_digits_and_an_end(operator: Api, node: FakeNode) -> None:
    before_ms = time.time() * 1000
    made = operator.post("nodes/node-1/pairing-code/")
    assert made.status_code == 201
    body = made.json()
    assert re.fullmatch(r"[0-9]{6}", body["code"])
    assert body["node_id"] == "node-1"
    assert 299_000 < body["expires_at_ms"] - before_ms < 301_000
    assert operator.post("nodes/node-1/pairing-code/").json()["code"] != body["code"]


@pytest.mark.parametrize("action", ["drain", "resume", "kick", "clear", "pairing-code"])
def test_an_unknown_node_is_not_found(operator: Api, action: str) -> None:
    problem(operator.post(f"nodes/node-9/{action}/"), 404, "INVALID_MESSAGE")
    problem(operator.get("nodes/node-9/"), 404, "INVALID_MESSAGE")
    assert not Configuration.objects.exists()


def test_decisions_are_told_again_after_a_loss_of_redis(
    operator: Api, node: FakeNode, live_state: StoreSettings
) -> None:
    operator.post("nodes/node-1/drain/")
    forget_everything(live_state.url, live_state.prefix)
    node.register()
    assert operator.get("nodes/node-1/").json()["state"] == "ready"

    teach_cells()

    assert content(live_state)["drained_nodes"] == ["node-1"]
    assert operator.get("nodes/node-1/").json()["state"] == "draining"


def test_what_was_decided_while_redis_was_away_is_told_when_it_is_back(
    operator: Api, acme: Api, node: FakeNode, settings: Settings, tmp_path: Path
) -> None:
    operator.post("nodes/node-1/drain/")
    waiting = acme.post_job().json()["job_id"]
    url, settings.STATE_REDIS_URL = settings.STATE_REDIS_URL, f"unix://{tmp_path}/nobody"
    told = operator.post("nodes/node-1/resume/")
    assert (told.status_code, told.json()["pending"]) == (202, True)
    settings.STATE_REDIS_URL = url
    assert operator.get("nodes/node-1/").json()["state"] == "draining"

    teach_cells()

    seen = operator.get("nodes/node-1/").json()
    assert (seen["state"], seen["jobs"]) == ("ready", [waiting])


def test_sessions_and_strangers_learn_nothing_of_nodes(api: Api, acme: Api, db: None) -> None:
    for path in ("nodes/", "nodes/node-1/", "pools/", "stats/", "cluster/"):
        problem(api.get(path), 401, "UNAUTHORIZED")
        problem(acme.get(path), 403, "UNAUTHORIZED")
    problem(acme.post("nodes/node-1/pairing-code/"), 403, "UNAUTHORIZED")
    problem(acme.post("nodes/node-1/kick/"), 403, "UNAUTHORIZED")
