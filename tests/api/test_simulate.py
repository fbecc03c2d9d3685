"""``POST jobs/simulate/``: what would become of a job, and nothing does."""

from typing import Any

import redis

from pools.store import store
from tests.api.conftest import Api
from tests.api.fleet import FakeNode
from tests.api.test_jobs import problem

WISH = {"src_lang": "en", "tgt_lang": "zh"}


def ask(api: Api, **changes: Any) -> Any:
    answer = api.post("jobs/simulate/", WISH | changes)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_it_names_the_node_and_what_each_is_worth(operator: Api, node: FakeNode) -> None:
    FakeNode("node-2", public=False).register()
    found = ask(operator)
    assert (found["state"], found["node_id"], found["pool"]) == (
        "RESERVED",
        "node-1",
        "auto:en-zh",
    )
    reasons = {one["node_id"]: one["reason"] for one in found["candidates"]}
    assert reasons == {"node-1": "usable", "node-2": "not_in_public_pool"}
    assert found["choice"]["pools"] == "auto:en-zh"
    assert found["asks"] == ["tts:zh"]


def test_nothing_is_written(operator: Api, node: FakeNode) -> None:
    client = redis.Redis.from_url(store().url, protocol=2)
    keys = sorted(client.scan_iter(f"{store().prefix}*"))
    dumps = [client.dump(key) for key in keys]
    ask(operator)
    ask(operator, options={"deadline_ms": 0, "preferred_node_id": "node-9"})
    assert sorted(client.scan_iter(f"{store().prefix}*")) == keys
    assert [client.dump(key) for key in keys] == dumps


def test_it_says_how_many_wait_before(operator: Api, acme: Api, node: FakeNode) -> None:
    for _ in range(3):
        acme.post_job()
    found = ask(operator)
    assert (found["state"], found["ahead"], found["node_id"]) == ("WAITING", 1, "")
    refused = ask(operator, options={"deadline_ms": 0})
    assert (refused["state"], refused["code"]) == ("FAILED", "NO_AVAILABLE_NODE")
    assert refused["breakdown"] == {"capacity_exceeded": 1}


def test_languages_that_nobody_serves_are_said_to_be_so(operator: Api, node: FakeNode) -> None:
    found = ask(operator, tgt_lang="de")
    assert (found["state"], found["code"]) == ("FAILED", "NO_CAPABLE_NODE")
    assert found["reason"] == "lang_pair_unsupported"
    assert "'de'" in found["message"]


def test_a_wish_that_cannot_be_meant_is_refused(operator: Api, node: FakeNode) -> None:
    body = problem(operator.post("jobs/simulate/", {"src_lang": "en"}), 422, "INVALID_MESSAGE")
    assert body["field"] == "tgt_lang"
    unknown = operator.post("jobs/simulate/", WISH | {"features": {"telepathy": True}})
    assert "telepathy" in problem(unknown, 422, "UNSUPPORTED_FEATURE")["detail"]


def test_only_operators_may_ask(acme: Api, node: FakeNode) -> None:
    assert acme.post("jobs/simulate/", WISH).status_code == 403


def test_what_no_node_does_is_named_beside_the_nodes(operator: Api, node: FakeNode) -> None:
    found = ask(operator, pipeline={"use_tone": True})
    assert (found["state"], found["code"]) == ("FAILED", "NO_CAPABLE_NODE")
    assert found["message"] == "No node for these languages can do the step 'tone'."
    assert found["asks"] == ["tts:zh", "type:tone"]
    assert {one["node_id"]: one["reason"] for one in found["candidates"]} == {
        "node-1": "model_not_available"
    }
