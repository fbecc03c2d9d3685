"""A pool by hand: an operator says which languages it is for, and the nodes find their way."""

import pytest

from lua import views
from tests.harness.books import job_of
from tests.peers.until import until

pytestmark = pytest.mark.django_db(transaction=True)

TRAVEL = {"kind": "own", "name": "travel", "languages": ["en", "zh"], "priority": 1}


@pytest.fixture
def travel(parley, rest):
    """``await travel(priority=5)``: an operator defines the pool, changed so."""

    async def define(**changes) -> None:
        made = await rest.post("pools/", json=TRAVEL | changes)
        assert (made.status_code, made.json()["pool_id"]) == (201, "own:travel")

    return define


def pools_of(parley, name: str) -> set[str]:
    return set(views.nodes(parley.store, [name])[name].pools)


async def members(rest) -> list[str]:
    answer = await rest.get("pools/own:travel/members/")
    return [member["node_id"] for member in answer.json()]


async def test_before_it_is_made_it_is_shown_who_would_be_in_it(rest, node):
    await node("anna")
    await node("luis", languages=["en", "es"])
    seen = (await rest.post("pools/preview/", json=TRAVEL)).json()
    assert seen["members"] == ["anna"]
    assert seen["others"] == {"luis": "no semantic repair for zh"}
    assert (await rest.get("pools/own:travel/")).status_code == 404


async def test_nodes_that_are_there_join_it_and_so_do_those_that_come_later(
    parley, rest, node, travel
):
    await node("anna")
    await node("luis", languages=["en", "es"])
    await travel()
    await until(lambda: "own:travel" in pools_of(parley, "anna"))
    await node("mary", languages=["en", "zh", "es"])

    assert await members(rest) == ["anna", "mary"]
    assert pools_of(parley, "anna") == {"auto:en-zh", "own:travel"}
    assert pools_of(parley, "luis") == {"auto:en-es"}


async def test_a_job_is_placed_through_it(parley, rest, node, session, travel, would_go):
    """With this policy the pool with the smallest number is tried first."""
    assert (await rest.patch("choosing/", json={"policy": "priority"})).status_code == 200
    anna = await node("anna")
    await travel()
    await would_go(through="own:travel")

    ben = await session("en", "zh")
    await ben.says()
    job = await anna.job()
    assert job_of(parley.store, job["job_id"]).pool == "own:travel"
    await anna.answers(job, "你好")
    assert (await ben.hears())["text_translated"] == "你好"


async def test_a_node_that_lost_a_language_leaves_it(parley, rest, node, session, travel):
    """With its next heartbeat; nobody is sent to it for that language any more."""
    anna, mary = await node("anna"), await node("mary")
    await travel()
    await until(lambda: "own:travel" in pools_of(parley, "mary"))

    await anna.knows_only("en")
    await until(lambda: "own:travel" not in pools_of(parley, "anna"))
    assert await members(rest) == ["mary"]

    ben = await session("en", "zh")
    await ben.says(preferred_node_id="anna")
    await mary.answers(await mary.job(), "from mary")
    assert (await ben.hears())["text_translated"] == "from mary"
    assert anna.jobs == []

    await anna.knows_only("en", "zh")
    await until(lambda: "own:travel" in pools_of(parley, "anna"))


async def test_a_pool_that_is_removed_takes_no_work_with_it(parley, rest, node, session, travel):
    anna = await node("anna")
    await travel()
    await until(lambda: "own:travel" in pools_of(parley, "anna"))
    ben = await session("en", "zh")
    await ben.says()
    job = await anna.job()

    assert (await rest.delete("pools/own:travel/")).status_code == 204
    await until(lambda: pools_of(parley, "anna") == {"auto:en-zh"})
    await anna.answers(job, "你好")
    assert (await ben.hears())["text_translated"] == "你好"

    changes = (await rest.get("pools/own:travel/changes/")).json()
    assert [bool(change["after"]) for change in changes] == [False, True]
    assert changes[0]["before"]["languages"] == ["en", "zh"]
