"""A result that comes too late is recorded, and changes nothing."""

from tests.harness.books import life_of, notes, used_slots
from tests.peers.until import until


async def test_a_late_result_changes_nothing(parley, node, session):
    anna, mary, ben = await node("anna"), await node("mary"), await session("en", "zh")
    await ben.says(preferred_node_id="anna")
    job = await anna.job()
    anna.vanishes()
    await mary.answers(await mary.job(), "from mary")
    await ben.hears()
    life = life_of(parley.store, job["job_id"])

    returned = await node("anna")
    await returned.answers(job, "from anna")

    await until(lambda: notes(parley.store, "late_result"))
    assert life_of(parley.store, job["job_id"]) == life
    assert [outcome["text_translated"] for outcome in ben.outcomes] == ["from mary"]
    assert used_slots(parley.store, "mary") == 0


async def test_a_result_while_another_node_works_on_the_job_changes_nothing(parley, node, session):
    anna, mary, ben = await node("anna"), await node("mary"), await session("en", "zh")
    await ben.says(preferred_node_id="anna")
    job = await anna.job()
    anna.vanishes()
    again = await mary.job()

    returned = await node("anna")
    await returned.answers(job, "from anna")
    await until(lambda: notes(parley.store, "late_result"))

    await mary.answers(again, "from mary")
    assert (await ben.hears())["text_translated"] == "from mary"
    assert len(ben.outcomes) == 1


async def test_a_doubled_result_is_told_once(parley, node, session):
    anna, ben = await node("anna"), await session("en", "zh")
    await ben.says()
    job = await anna.job()
    await anna.answers(job, "once")
    await anna.answers(job, "twice")
    await until(lambda: notes(parley.store, "late_result"))
    await ben.says()
    await anna.answers(await anna.job(), "next")
    assert [(await ben.hears())["text_translated"] for _ in range(2)] == ["once", "next"]
    assert len(ben.outcomes) == 2
