"""A job that cannot be done is refused at once, and the session is told why."""

from tests.harness.books import life_of, used_slots


async def test_without_any_node_it_is_refused(session):
    ben = await session("en", "zh")
    await ben.says()
    refusal = await ben.hears()
    assert (refusal["type"], refusal["reason"]) == ("missing_result", "job_failed")
    assert refusal["code"] == "NO_CAPABLE_NODE"


async def test_a_language_that_nobody_speaks_is_refused(node, session):
    anna = await node("anna", languages=["en", "zh"])
    ben = await session("en", "fr")
    await ben.says()
    assert (await ben.hears())["code"] == "NO_CAPABLE_NODE"
    assert anna.jobs == []


async def test_a_job_that_may_not_wait_is_refused_while_everybody_is_busy(node, session):
    anna = await node("anna", slots=1)
    ben = await session("en", "zh")
    await ben.says()
    first = await anna.job()

    late = await ben.says(deadline_ms=0)
    await ben.peer.expect("ui_event", event="INPUT_ENDED", utterance_index=late)
    await anna.answers(first, "你好")
    answer, refusal = await ben.hears(), await ben.hears()

    assert answer["type"] == "translation_result"
    assert (refusal["utterance_index"], refusal["code"]) == (1, "NO_AVAILABLE_NODE")
    assert refusal["details"]["breakdown"] == {"capacity_exceeded": 1}


async def test_an_error_of_the_input_is_not_tried_elsewhere(parley, node, session):
    anna, mary = await node("anna"), await node("mary")
    ben = await session("en", "zh", accepts=["errors"])
    await ben.says(preferred_node_id="anna")

    job = await anna.job()
    await anna.fails(job, "INVALID_AUDIO", "this is noise")

    refusal = await ben.hears()
    assert (refusal["code"], refusal["message"]) == ("INVALID_AUDIO", "this is noise")
    assert mary.jobs == []
    assert life_of(parley.store, job["job_id"]).endswith("DISPATCHED FAILED")
    assert used_slots(parley.store, "anna") == 0
