"""A request with an id may be repeated: it is one job, however often it is asked for."""

from tests.harness.frames import wav


async def test_a_repeated_request_is_one_job(node, session):
    anna, ben = await node("anna"), await session("en", "zh")
    await ben.says(request_id="r-1")
    await ben.says(request_id="r-1")
    job = await anna.job()
    await anna.answers(job, "你好")

    answers = [await ben.hears() for _ in range(2)]
    assert [answer["utterance_index"] for answer in answers] == [0, 1]
    assert [answer["text_translated"] for answer in answers] == ["你好", "你好"]
    assert {answer["job_id"] for answer in answers} == {job["job_id"]}
    assert len(anna.jobs) == 1


async def test_asked_again_after_its_end_it_has_the_same_answer(node, session):
    anna, ben = await node("anna"), await session("en", "zh")
    await ben.says(request_id="r-1")
    job = await anna.job()
    await anna.answers(job, "你好")
    await ben.hears()

    await ben.says(request_id="r-1")
    again = await ben.hears()
    assert (again["job_id"], again["text_translated"]) == (job["job_id"], "你好")
    assert len(anna.jobs) == 1


async def test_the_same_id_for_something_else_is_refused(node, session):
    anna, ben = await node("anna"), await session("en", "zh")
    await ben.says(request_id="r-1")
    await ben.says(wav("thanks"), request_id="r-1")
    await anna.answers(await anna.job(), "你好")
    assert (await ben.hears())["text_translated"] == "你好"
    assert (await ben.hears())["code"] == "INVALID_MESSAGE"


async def test_each_session_has_its_own_ids(node, session):
    anna, ben, mia = await node("anna"), await session("en", "zh"), await session("en", "zh")
    await ben.says(request_id="r-1")
    await mia.says(request_id="r-1")
    jobs = [await anna.job(), await anna.job()]
    assert {job["session_id"] for job in jobs} == {ben.id, mia.id}


async def test_the_same_utterance_once_more_is_one_utterance(parley, node, session):
    anna, ben = await node("anna"), await session("en", "zh")
    await ben.says()
    await ben.says(utterance_index=0)
    await ben.says()
    for text in ("one", "two"):
        await anna.answers(await anna.job(), text)
    assert [(await ben.hears())["text_translated"] for _ in range(2)] == ["one", "two"]
    assert len(anna.jobs) == 2
