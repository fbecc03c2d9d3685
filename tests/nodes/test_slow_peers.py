"""Nodes that do not read, or flood."""

import base64
import os

from jobs.settings import SocketSettings
from lua.mailbox import Outcome
from lua.views import nodes
from tests.nodes.frames import heartbeat, registration, result
from tests.peers.until import until


async def register(peer, name: str, **changes) -> None:
    await peer.send(registration(name, **changes))
    await peer.expect("node_register_ack")


def large_payload() -> bytes:
    """8 million bytes of JSON."""
    audio = base64.b64encode(os.urandom(6_000_000))
    return b'{"session_id":"s-1","trace_id":"t","audio":"' + audio + b'"}'


async def test_a_node_that_stops_reading_is_dropped_and_its_jobs_go_on_elsewhere(open_web, caller):
    web = await open_web(sockets=SocketSettings(outgoing_stall_ms=300))
    async with web.peer() as other, web.peer(reading=False) as deaf:
        await register(other, "node-2", max_concurrent_jobs=16)
        await deaf.send(registration("node-1", max_concurrent_jobs=16))
        await until(lambda: "node-1" in nodes(caller.cells.settings, ["node-1"]))
        payload = large_payload()
        jobs = {(await caller.dispatch(payload=payload, preferred="node-1")).job for _ in range(10)}
        while jobs:
            assign = await other.expect("job_assign", within_s=10)
            await other.send(result(assign["job_id"], attempt_id=assign["attempt_id"]))
            jobs.remove(assign["job_id"])
        deaf.vanish()


async def test_a_burst_of_large_jobs_does_not_drop_a_node_that_reads(web, caller):
    payload = large_payload()
    async with web.peer() as peer:
        await register(peer, "node-1", max_concurrent_jobs=16)
        jobs = [(await caller.dispatch(payload=payload)).job for _ in range(8)]
        small = (await caller.dispatch()).job
        assigns = [await peer.expect("job_assign", within_s=10) for _ in range(9)]
        assert [assign["job_id"] for assign in assigns] == [*jobs, small]
        indexes = [assign["utterance_index"] for assign in assigns]
        assert indexes == list(range(indexes[0], indexes[0] + 9))


async def test_a_flood_of_frames_is_answered_in_order(web, caller):
    async with web.peer() as peer:
        await register(peer, "node-1", max_concurrent_jobs=100)
        jobs = [(await caller.dispatch()).job for _ in range(50)]
        for _ in jobs:
            await peer.expect("job_assign")
        for job in jobs:
            await peer.send(heartbeat())
            await peer.send(result(job))
        for job in jobs:
            await caller.expect(Outcome, where=lambda m, job=job: m.job == job)
        ends = [m.job for m in caller.messages if isinstance(m, Outcome)]
        assert ends == jobs
