"""A node whose connection is gone: its jobs wait a moment for it to return, then go elsewhere."""

import time

from tests.harness.books import job_of, life_of
from tests.peers.until import until
from tests.walkthrough.conftest import LIMITS


async def test_the_job_of_a_lost_node_goes_elsewhere(parley, node, session):
    anna, mary, ben = await node("anna"), await node("mary"), await session("en", "zh")
    await ben.says(preferred_node_id="anna")
    job = await anna.job()

    anna.vanishes()

    again = await mary.job()
    assert (again["job_id"], again["attempt_id"]) == (job["job_id"], 2)
    await mary.answers(again, "你好")
    assert (await ben.hears())["text_translated"] == "你好"
    assert job_of(parley.store, job["job_id"]).tries == 0


async def test_a_node_that_returns_in_time_keeps_what_it_works_on(parley, node, session):
    anna, ben = await node("anna"), await session("en", "zh")
    await node("mary")
    await ben.says(preferred_node_id="anna")
    job = await anna.job()

    anna.vanishes()
    returned = await node("anna", running_job_ids=[job["job_id"]])
    await returned.answers(job, "你好")

    assert (await ben.hears())["text_translated"] == "你好"
    assert job_of(parley.store, job["job_id"]).attempt == 1
    assert "RETRYING" not in life_of(parley.store, job["job_id"])


async def test_what_a_returning_node_has_lost_goes_elsewhere_at_once(node, session):
    anna, mary, ben = await node("anna"), await node("mary"), await session("en", "zh")
    await ben.says(preferred_node_id="anna")
    job = await anna.job()
    anna.vanishes()
    await node("anna", running_job_ids=[])
    assert (await mary.job(within_s=LIMITS.grace_ms / 1000))["job_id"] == job["job_id"]


async def test_with_nobody_else_the_job_waits_longer(parley, node, session):
    anna, ben = await node("anna"), await session("en", "zh")
    await ben.says()
    job = await anna.job()

    anna.vanishes()
    began_s = time.monotonic()
    await until(lambda: time.monotonic() > began_s + 2 * LIMITS.grace_ms / 1000)
    returned = await node("anna", running_job_ids=[job["job_id"]])
    await returned.answers(job, "你好")

    assert (await ben.hears())["text_translated"] == "你好"
    assert job_of(parley.store, job["job_id"]).attempt == 1
