"""While every node is busy a job waits, and whoever waits longest is served first."""

from tests.harness.books import life_of


async def test_a_waiting_job_gets_the_next_free_slot(parley, node, session):
    anna, ben = await node("anna", slots=1), await session("en", "zh")
    await ben.says()
    await ben.says()

    first = await anna.job()
    await ben.peer.expect("backpressure", action="PAUSE")
    assert len(anna.jobs) == 1
    await anna.answers(first, "one")

    second = await anna.job()
    await anna.answers(second, "two")
    assert [(await ben.hears())["text_translated"] for _ in range(2)] == ["one", "two"]
    assert "WAITING" in life_of(parley.store, second["job_id"])


async def test_nobody_overtakes(node, session):
    anna = await node("anna", slots=1)
    speakers = [await session("en", "zh") for _ in range(3)]
    await speakers[0].says()
    running = await anna.job()
    for speaker in speakers[1:]:
        await speaker.says()
        await speaker.peer.expect("backpressure")

    for speaker in speakers:
        await anna.answers(running, f"for {running['session_id']}")
        assert (await speaker.hears())["text_translated"] == f"for {speaker.id}"
        if speaker is not speakers[-1]:
            running = await anna.job()


async def test_a_node_that_comes_later_takes_what_waits(node, session):
    anna, ben = await node("anna", slots=1), await session("en", "zh")
    await ben.says()
    await ben.says()
    await ben.peer.expect("backpressure")
    mary = await node("mary", slots=1)
    await mary.answers(await mary.job(), "from mary")
    await anna.answers(await anna.job(), "from anna")
    answers = [(await ben.hears())["text_translated"] for _ in range(2)]
    assert answers == ["from anna", "from mary"]


async def test_nobody_waits_for_ever(node, session):
    anna, ben, mia = (
        await node("anna", slots=1),
        await session("en", "zh"),
        await session("en", "zh"),
    )
    await ben.says()
    await anna.job()
    await mia.says()
    refusal = await mia.hears()
    assert (refusal["reason"], refusal["code"]) == ("job_failed", "QUEUE_TIMEOUT")
