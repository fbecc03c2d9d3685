"""A job that fails on one node is tried on others: three times at most, on no node twice."""

from tests.harness.books import life_of
from tests.peers.until import until


async def test_a_failed_job_is_tried_elsewhere(node, session):
    anna, mary = await node("anna"), await node("mary")
    ben = await session("en", "zh")
    await ben.says(preferred_node_id="anna")

    job = await anna.job()
    await anna.fails(job, "NMT_TIMEOUT")

    again = await mary.job()
    assert (again["job_id"], again["attempt_id"]) == (job["job_id"], 2)
    await mary.answers(again, "你好")
    assert (await ben.hears())["text_translated"] == "你好"


async def test_a_node_that_refuses_a_duplicate_is_not_asked_again(node, session):
    anna, mary = await node("anna"), await node("mary")
    ben = await session("en", "zh")
    await ben.says(preferred_node_id="anna")
    await anna.fails(await anna.job(), "PROCESSING_ERROR", "DUPLICATE_JOB: seen before")
    await mary.answers(await mary.job(), "你好")
    assert (await ben.hears())["text_translated"] == "你好"
    assert len(anna.jobs) == 1


async def test_a_node_that_acks_and_then_does_not_is_given_up_soon(node, session):
    anna, mary = await node("anna"), await node("mary")
    ben = await session("en", "zh")
    await ben.says(preferred_node_id="anna")
    job = await anna.job()
    await anna.acks(job)
    await anna.answers(job, "one")
    await ben.says(preferred_node_id="anna")
    forgotten = await anna.job()

    again = await mary.job()
    assert again["job_id"] == forgotten["job_id"]
    assert (await anna.peer.expect("job_cancel"))["job_id"] == forgotten["job_id"]
    await mary.answers(again, "two")
    assert [(await ben.hears())["text_translated"] for _ in range(2)] == ["one", "two"]


async def test_after_three_tries_it_has_failed(parley, node, session):
    nodes = {name: await node(name) for name in ("anna", "mary", "tom", "zoe")}
    ben = await session("en", "zh", accepts=["errors"])
    await ben.says()

    used: list[str] = []
    for _ in range(3):
        name, job = await _next_job(nodes, used)
        used.append(name)
        await nodes[name].fails(job, "PROCESSING_ERROR", "out of breath")

    failure = await ben.hears()
    assert (failure["code"], failure["message"]) == ("PROCESSING_ERROR", "out of breath")
    error = await ben.peer.expect("error")
    assert (error["code"], error["details"]["job_id"]) == ("PROCESSING_ERROR", job["job_id"])
    assert life_of(parley.store, job["job_id"]).endswith("RETRYING FAILED")


async def _next_job(nodes, used):
    """The node that has it now, and its frame."""
    fresh = {name: node for name, node in nodes.items() if name not in used}
    await until(lambda: any(node.jobs for node in fresh.values()))
    name = next(name for name, node in fresh.items() if node.jobs)
    return name, fresh[name].jobs[0]
