"""A tenant's own pool: its jobs go there first, or nowhere else; those of others never do.

Anna, who knows Spanish too, is in the pool of acme; tom is there for everybody.
"""

import pytest

from tests.harness.books import job_of

pytestmark = pytest.mark.django_db(transaction=True)

ACME = {"kind": "own", "name": "acme", "languages": ["en", "zh", "es"], "tenants": ["acme"]}


@pytest.fixture
async def anna(node):
    return await node("anna", languages=["en", "zh", "es"], slots=1)


@pytest.fixture
def acme(rest, would_go):
    """``await acme("strict")``: defines the pool; returns when its tenant's jobs go there."""

    async def define(rule: str) -> None:
        made = await rest.post("pools/", json={**ACME, "tenant_rule": rule})
        assert made.status_code == 201, made.text
        found = await would_go(through="own:acme", tenant_id="acme")
        assert found["node_id"] == "anna"

    return define


async def test_its_jobs_go_there_first_and_elsewhere_when_it_is_full(
    parley, anna, node, session, acme
):
    tom = await node("tom")
    await acme("first")
    ben = await session("en", "zh", tenant_id="acme")
    await ben.says()
    await ben.says()

    first, second = await anna.job(), await tom.job()
    pools = [job_of(parley.store, job["job_id"]).pool for job in (first, second)]
    assert pools == ["own:acme", "auto:en-zh"]
    await anna.answers(first, "one")
    await tom.answers(second, "two")
    assert [(await ben.hears())["text_translated"] for _ in range(2)] == ["one", "two"]


async def test_a_tenant_that_uses_nothing_else_waits_for_it(anna, node, session, acme):
    tom = await node("tom")
    await acme("strict")
    ben = await session("en", "zh", tenant_id="acme")
    await ben.says()
    first = await anna.job()
    await ben.says()
    await ben.peer.expect("backpressure", action="PAUSE")

    await anna.answers(first, "one")
    await anna.answers(await anna.job(), "two")
    assert [(await ben.hears())["text_translated"] for _ in range(2)] == ["one", "two"]
    assert tom.jobs == []


async def test_a_tenant_that_uses_nothing_else_is_refused_what_its_pool_cannot_do(
    anna, node, session, acme
):
    """Though tom could."""
    tom = await node("tom", languages=["en", "fr"])
    await acme("strict")
    ben, mia = await session("en", "fr", tenant_id="acme"), await session("en", "fr")
    await ben.says()
    refusal = await ben.hears()
    assert refusal["code"] == "NO_CAPABLE_NODE"
    assert refusal["message"] == "No pool that this tenant may use serves these languages."

    await mia.says()
    await tom.answers(await tom.job(), "bonjour")
    assert (await mia.hears())["text_translated"] == "bonjour"


async def test_others_do_not_use_it(anna, node, session, acme, rest, would_go):
    """Nor its members, where these are in no other pool. Acme keeps anna to itself."""
    await acme("first")
    tom = await node("tom", slots=1)
    everybody = {"kind": "own", "name": "everybody", "languages": ["en", "zh"], "mode": "exact"}
    assert (await rest.post("pools/", json=everybody)).status_code == 201
    assert (await rest.patch("choosing/", json={"auto_on": False})).status_code == 200
    found = await would_go(through="own:everybody", tenant_id="globex")
    assert found["choice"]["passed"] == "own:acme:other_tenant"

    mia = await session("en", "zh", tenant_id="globex")
    await mia.says()
    running = await tom.job()
    late = await mia.says(deadline_ms=0)
    await mia.peer.expect("ui_event", event="INPUT_ENDED", utterance_index=late)
    await tom.answers(running, "from tom")
    answer, refusal = await mia.hears(), await mia.hears()
    assert answer["text_translated"] == "from tom"
    assert (refusal["code"], anna.jobs) == ("NO_AVAILABLE_NODE", [])

    ben = await session("en", "zh", tenant_id="acme")
    await ben.says()
    await anna.answers(await anna.job(), "from anna")
    assert (await ben.hears())["text_translated"] == "from anna"
