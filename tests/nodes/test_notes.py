"""What a node says and nobody can use is in the history, without a word of the node's own."""

import pytest

from jobs.notes import MOST_A_MINUTE
from lua import ids
from lua.events import Noted
from nodes.settings import NodeSettings
from tests.harness.books import notes
from tests.nodes.frames import registration, result
from tests.peers.until import until

SECRET = "what the speaker said"


async def noted(store, what: str, number: int = 1) -> list[Noted]:
    await until(lambda: len(notes(store, what)) >= number)
    return notes(store, what)


@pytest.fixture
async def node(open_web):
    web = await open_web(NodeSettings(finish_again_ms=100))
    async with web.peer() as peer:
        await peer.send(registration("node-1"))
        await peer.expect("node_register_ack")
        yield peer


async def test_a_result_of_a_job_that_redis_does_not_know_is_noted(node, store):
    job = ids.new_job(0, 1)
    await node.send(result(job, text_asr=SECRET))
    assert await noted(store, "unknown_result") == [
        Noted("unknown_result", job=job, node="node-1", text="nobody knows its job")
    ]


async def test_an_error_of_a_node_is_noted_by_its_code_alone(node, store):
    error = {"type": "node_error", "node_id": "node-1", "message": SECRET}
    await node.send({**error, "code": "GPU_LOST"})
    await node.send({**error, "code": SECRET})
    codes = [note.text for note in await noted(store, "node_error", 2)]
    assert codes == ["GPU_LOST", "OTHER"]


async def test_what_is_no_job_of_ours_is_noted_without_its_name(node, store):
    await node.send(result(SECRET))
    await node.send({"type": "job_ack", "job_id": "job-1", "attempt_id": 1, "node_id": "node-1",
                     "session_id": "s-1", "trace_id": "t"})  # fmt: skip
    assert await noted(store, "foreign_job") == [Noted("foreign_job", node="node-1")]


@pytest.mark.parametrize("cells", [4])
async def test_a_job_of_another_cell_is_noted_where_the_node_lives(open_web, store):
    web = await open_web()
    name = next(f"node-{n}" for n in range(40) if ids.cell_of_node(f"node-{n}", 4) == 2)
    job = ids.new_job(3, 4)
    async with web.peer() as peer:
        await peer.send(registration(name))
        await peer.send(result(job))
        assert await noted(store, "foreign_job") == [Noted("foreign_job", job=job, node=name)]


async def test_of_a_node_that_goes_wild_only_the_number_is_in_the_history(web, store):
    error = {"type": "node_error", "node_id": "node-1", "message": "-", "code": "GPU_LOST"}
    async with web.peer() as node:
        await node.send(registration("node-1"))
        await node.expect("node_register_ack")
        for _ in range(MOST_A_MINUTE + 10):
            await node.send(error)
        await node.send({"type": "nonsense"})
        await node.expect("error")
        web.registry.notes.end_minute()
        left_out = Noted("notes_left_out", node="node-1", text="10")
        assert await noted(store, "notes_left_out") == [left_out]
        assert len(notes(store, "node_error")) == MOST_A_MINUTE
