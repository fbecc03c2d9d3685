"""A session on one web process and a node on another find each other, whichever is which."""

import asyncio

import pytest


@pytest.fixture(params=["node here, session there", "session here, node there"])
def sides(two_processes, request):
    """The process of the node, and that of the session."""
    here, there = two_processes
    return (here, there) if request.param.startswith("node") else (there, here)


async def test_a_job_crosses_over_and_its_answer_comes_back(sides, node, session):
    anna, ben = await node("anna", at=sides[0]), await session("en", "zh", at=sides[1])
    await ben.says()
    job = await anna.job()
    await anna.acks(job)
    await ben.peer.expect("ui_event", event="NODE_ACCEPTED")
    await anna.hears_so_far(job, "hel")
    assert (await ben.peer.expect("asr_partial"))["text"] == "hel"
    await anna.answers(job, "你好")
    assert (await ben.hears())["text_translated"] == "你好"


async def test_a_failure_crosses_over_too(sides, node, session):
    anna, ben = await node("anna", at=sides[0]), await session("en", "zh", at=sides[1])
    await ben.says()
    await anna.fails(await anna.job(), "INVALID_AUDIO")
    assert (await ben.hears())["code"] == "INVALID_AUDIO"


async def test_a_job_moves_from_one_process_to_the_other(two_processes, node, session):
    here, there = two_processes
    anna, mary = await node("anna", at=here), await node("mary", at=there)
    ben = await session("en", "zh", at=here)
    await ben.says(preferred_node_id="anna")
    await anna.job()
    anna.vanishes()
    await mary.answers(await mary.job(), "from mary")
    assert (await ben.hears())["text_translated"] == "from mary"


async def test_a_node_brings_its_jobs_along_to_another_process(two_processes, node, session):
    here, there = two_processes
    anna, ben = await node("anna", at=here), await session("en", "zh", at=here)
    await ben.says()
    job = await anna.job()

    moved = await node("anna", at=there, running_job_ids=[job["job_id"]])
    assert await anna.peer.closed() == 4409
    await moved.answers(job, "你好")

    result = await ben.hears()
    assert (result["job_id"], result["text_translated"]) == (job["job_id"], "你好")


async def test_answers_keep_their_order_over_many_nodes(two_processes, node, session):
    nodes = [await node(f"node-{n}", at=two_processes[n % 2]) for n in range(4)]
    ben = await session("en", "zh", at=two_processes[0])
    for _ in range(8):
        await ben.says()

    async def work(one):
        jobs = [await one.job(), await one.job()]
        for job in reversed(jobs):
            await one.answers(job, f"{job['session_utterance_index']}")

    await asyncio.gather(*map(work, nodes))
    assert [(await ben.hears())["text_translated"] for _ in range(8)] == list("01234567")
