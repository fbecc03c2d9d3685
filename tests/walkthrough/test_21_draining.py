"""A node that is to be mended drains: no new jobs; what runs ends, or moves at a deadline."""

from lua import views
from lua.scripts import Command, control_node


async def drain(parley, name: str, deadline_ms: int = -1) -> None:
    cells = parley.process.cells
    await control_node(
        cells,
        cell=0,
        node=name,
        command=Command.DRAIN,
        reason="new driver",
        deadline_ms=deadline_ms,
    )


async def test_what_runs_ends_and_what_is_new_goes_elsewhere(parley, node, session):
    anna, mary = await node("anna"), await node("mary")
    ben = await session("en", "zh")
    await ben.says(preferred_node_id="anna")
    job = await anna.job()

    await drain(parley, "anna")
    assert (await anna.peer.expect("node_control"))["command"] == "drain"
    assert views.nodes(parley.store, ["anna"])["anna"].drain == "new driver"
    await ben.says(preferred_node_id="anna")
    await mary.answers(await mary.job(), "two")
    await anna.answers(job, "one")
    assert [(await ben.hears())["text_translated"] for _ in range(2)] == ["one", "two"]


async def test_at_the_deadline_what_still_runs_moves(parley, node, session):
    anna, mary = await node("anna"), await node("mary")
    ben = await session("en", "zh")
    await ben.says(preferred_node_id="anna")
    job = await anna.job()
    await drain(parley, "anna", deadline_ms=200)
    again = await mary.job()
    assert again["job_id"] == job["job_id"]
    assert (await anna.peer.expect("job_cancel"))["job_id"] == job["job_id"]
    await mary.answers(again, "你好")
    assert (await ben.hears())["text_translated"] == "你好"
