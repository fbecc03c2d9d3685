"""When a session is over nobody works for it any longer than needed."""

from lua.states import JobState
from tests.harness.books import job_of, used_slots
from tests.peers.until import until


async def test_closing_a_session_calls_its_jobs_off(parley, node, session):
    anna, ben = await node("anna", slots=1), await session("en", "zh")
    await ben.says()
    job = await anna.job()

    await ben.ends()

    assert (await anna.peer.expect("job_cancel"))["job_id"] == job["job_id"]
    assert job_of(parley.store, job["job_id"]).state is JobState.CANCELLED


async def test_the_slot_stays_taken_until_the_node_is_done(parley, node, session):
    anna, ben, mia = (
        await node("anna", slots=1),
        await session("en", "zh"),
        await session("en", "zh"),
    )
    await ben.says()
    job = await anna.job()
    await ben.ends()
    await anna.peer.expect("job_cancel")

    await mia.says()
    await mia.peer.expect("backpressure")
    assert (used_slots(parley.store, "anna"), len(anna.jobs)) == (1, 1)

    await anna.answers(job, "too late")
    await anna.answers(await anna.job(), "for mia")
    assert (await mia.hears())["text_translated"] == "for mia"
    assert ben.outcomes == []
    await until(lambda: used_slots(parley.store, "anna") == 0)


async def test_what_only_waits_is_never_sent(parley, node, session):
    anna, ben, mia = (
        await node("anna", slots=1),
        await session("en", "zh"),
        await session("en", "zh"),
    )
    await ben.says()
    first = await anna.job()
    await mia.says()
    await mia.peer.expect("backpressure")

    await mia.ends()
    await anna.answers(first, "for ben")
    await ben.hears()
    await ben.says()
    await anna.answers(await anna.job(), "for ben again")
    assert (await ben.hears())["text_translated"] == "for ben again"
    assert {job["session_id"] for job in anna.jobs} == {ben.id}


async def test_a_session_that_just_goes_away_is_over_too(parley, node, session):
    anna, ben = await node("anna", slots=1), await session("en", "zh")
    await ben.says()
    job = await anna.job()
    ben.peer.vanish()
    assert (await anna.peer.expect("job_cancel"))["job_id"] == job["job_id"]
