"""Why was my job refused, why did it go there, and where would it go now?"""

import pytest

from lua.scripts import Command, control_node
from tests.harness.books import all_events

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_refusal_counts_the_nodes_by_what_kept_each_from_it(parley, node, session, history):
    """The session is told, and the history keeps it."""
    anna = await node("anna", slots=1)
    await node("mary", slots=1)
    await control_node(
        parley.process.cells, cell=0, node="mary", command=Command.DRAIN, reason="new driver"
    )
    ben, mia = await session("en", "zh"), await session("en", "zh")
    await ben.says()
    running = await anna.job()

    await mia.says(deadline_ms=0)
    refusal = await mia.hears()
    assert refusal["code"] == "NO_AVAILABLE_NODE"
    why = {"capacity_exceeded": 1, "status_not_ready": 1}
    assert refusal["details"]["breakdown"] == why
    assert refusal["details"]["reason"] in why

    job, [event] = await history(mia.id)
    assert (job["state"], job["code"]) == ("FAILED", "NO_AVAILABLE_NODE")
    assert (job["reason"], job["breakdown"]) == (refusal["details"]["reason"], why)
    assert event["moves"] == ["NEW", "SELECTING", "FAILED"]
    await anna.answers(running, "你好")


async def test_languages_that_nobody_serves_are_named(node, session, history):
    """No pool had to be looked into, but that it was refused is kept like any other end."""
    await node("anna")
    ben = await session("en", "fr")
    await ben.says()
    refusal = await ben.hears()
    assert refusal["code"] == "NO_CAPABLE_NODE"
    why = {"lang_pair_unsupported": 1}
    assert refusal["details"] == {"reason": "lang_pair_unsupported", "breakdown": why}
    assert refusal["message"] == "No node translates from 'en' to 'fr'."
    job, [event] = await history(ben.id)
    assert (job["state"], job["code"]) == ("FAILED", "NO_CAPABLE_NODE")
    assert (job["src_lang"], job["tgt_lang"], job["breakdown"]) == ("en", "fr", why)
    assert event["moves"] == ["NEW", "SELECTING", "FAILED"]


async def test_a_job_keeps_a_receipt_of_how_its_node_was_chosen(node, session, history):
    """Both have work, else the one without would be taken unseen."""
    anna, mary = await node("anna", slots=4), await node("mary", slots=2)
    ben, mia = await session("en", "zh"), await session("en", "zh")
    await ben.says(preferred_node_id="mary")
    first = await mary.job()
    await ben.says(preferred_node_id="anna")
    second = await anna.job()
    await mia.says()
    third = await anna.job()

    _, events = await history(mia.id)
    placed = events[0]
    assert placed["moves"][-1] in {"RESERVED", "DISPATCHED"}
    assert (placed["node_id"], placed["pool"]) == ("anna", "auto:en-zh")
    receipt = placed["receipt"]
    assert (receipt["pools"], receipt["sampled"]) == ("auto:en-zh", 2)
    assert (receipt["load"], receipt["next"]) == (0.25, 0.5)
    assert receipt["us"] > 0

    await mary.answers(first, "one")
    await anna.answers(second, "two")
    await anna.answers(third, "three")
    told = [(await speaker.hears())["text_translated"] for speaker in (ben, ben, mia)]
    assert told == ["one", "two", "three"]


async def test_the_receipt_says_why_a_preferred_node_was_not_taken(node, session, history):
    await node("anna", languages=["en", "es"])
    mary = await node("mary")
    ben = await session("en", "zh")
    await ben.says(preferred_node_id="anna")
    await mary.answers(await mary.job(), "from mary")
    assert (await ben.hears())["text_translated"] == "from mary"
    _, events = await history(ben.id)
    assert events[0]["receipt"]["preferred"] == "tts_lang_unsupported"


async def test_where_it_would_go_is_said_before_it_goes(parley, node, session, would_go):
    """By the scripts that place it, and nothing is written."""
    anna, mary = await node("anna", slots=1), await node("mary", slots=1)
    mia = await session("en", "zh")
    await mia.says(preferred_node_id="anna")
    running = await anna.job()
    before = len(all_events(parley.store))

    found = await would_go()
    assert (found["state"], found["node_id"], found["pool"]) == ("RESERVED", "mary", "auto:en-zh")
    assert {one["node_id"]: one["reason"] for one in found["candidates"]} == {
        "mary": "usable",
        "anna": "capacity_exceeded",
    }
    assert len(all_events(parley.store)) == before
    assert mary.jobs == []

    ben = await session("en", "zh")
    await ben.says()
    await mary.answers(await mary.job(), "from mary")
    assert (await ben.hears())["text_translated"] == "from mary"
    await anna.answers(running, "from anna")


async def test_it_says_how_many_are_before_it_and_what_a_job_in_haste_would_hear(
    node, session, would_go
):
    anna, ben = await node("anna", slots=1), await session("en", "zh")
    await ben.says()
    running = await anna.job()
    await ben.says()
    await ben.peer.expect("backpressure")

    found = await would_go()
    assert (found["state"], found["ahead"]) == ("WAITING", 1)
    hasty = await would_go(options={"deadline_ms": 0})
    assert (hasty["state"], hasty["code"]) == ("FAILED", "NO_AVAILABLE_NODE")
    assert hasty["breakdown"] == {"capacity_exceeded": 1}

    await anna.answers(running, "one")
    await anna.answers(await anna.job(), "two")
