"""A node that loses its connection, is told to stop, or is killed with work in its hands."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from http import HTTPStatus
from pathlib import Path

from tests.peers.raw import RawPeer
from tests.peers.server import FakeServer
from tests.peers.until import until
from tests.sdk.nodes import Gate, assignment, make_node, serving, welcome

ROOT = Path(__file__).parent.parent.parent


async def test_shutdown_finishes_what_is_running_and_ends(server: FakeServer) -> None:
    node, gate = make_node(server), Gate()
    node.translate(gate)
    serving_node = asyncio.create_task(node.serve())
    peer = await welcome(server)
    await peer.send(assignment())
    await gate.entered.get()
    await peer.send({"type": "node_control", "command": "shutdown"})
    await peer.expect("node_heartbeat")
    assert not serving_node.done()
    gate.open.set()
    assert (await peer.expect("job_result"))["success"] is True
    await asyncio.wait_for(serving_node, 5)
    assert await peer.closed() == 1000


async def test_after_a_lost_connection_it_names_its_jobs_and_delivers_them(
    server: FakeServer,
) -> None:
    node, gate = make_node(server), Gate()
    node.translate(gate)
    async with serving(node, server) as peer:
        await peer.send(assignment())
        await gate.entered.get()
        peer.vanish()
        peer = await server.accept()
        register = await peer.expect("node_register")
        assert (register["node_id"], register["running_job_ids"]) == ("node-1", ["job-1"])
        gate.open.set()
        assert (await peer.expect("job_result"))["job_id"] == "job-1"


async def test_a_result_made_while_disconnected_is_delivered_afterwards(
    server: FakeServer,
) -> None:
    node, gate = make_node(server), Gate()
    node.translate(gate)
    async with serving(node, server) as peer:
        await peer.send(assignment())
        await gate.entered.get()
        await server.stop()
        gate.open.set()
        await until(lambda: not node.running)
        await server.start()
        peer = await server.accept()
        assert (await peer.expect("node_register"))["running_job_ids"] == ["job-1"]
        assert (await peer.expect("job_result"))["success"] is True


async def test_a_result_that_arrived_is_not_sent_again(server: FakeServer) -> None:
    node, gate = make_node(server), Gate()
    gate.open.set()
    node.translate(gate)
    async with serving(node, server) as peer:
        await peer.send(assignment())
        await peer.expect("job_result")
        await until(lambda: not node._worker.held)
        peer.vanish()
        peer = await welcome(server)
        await peer.send({"type": "node_control", "command": "refresh"})
        await peer.expect("node_heartbeat")
        assert peer.of_type("node_register")[0]["running_job_ids"] == []
        assert not peer.of_type("job_result")


async def test_it_never_gives_up(server: FakeServer) -> None:
    node = make_node(server)
    async with serving(node, server) as peer:
        await peer.close(1012)
        server.refuse = HTTPStatus.SERVICE_UNAVAILABLE
        await until(lambda: len(server.requests) >= 4)
        server.refuse = HTTPStatus.UNAUTHORIZED
        seen = len(server.requests)
        await until(lambda: len(server.requests) >= seen + 2)
        assert not node.registered.is_set()
        server.refuse = None
        for code in (4409, 4400, 1011):
            peer = await server.accept()
            await peer.close(code)
        await welcome(server)
        await asyncio.wait_for(node.registered.wait(), 5)


async def test_a_server_that_forgot_it_is_told_again(server: FakeServer) -> None:
    async with serving(make_node(server), server) as peer:
        error = {"type": "error", "code": "NODE_UNAVAILABLE", "message": "who are you?"}
        await peer.send(error)
        register = await peer.expect("node_register")
        assert register["node_id"] == "node-1"


PROGRAM = """
import asyncio, sys
from parley import Node, Result

node = Node(sys.argv[1], languages=["en"])

@node.translate
async def translate(job):
    await asyncio.sleep(float(sys.argv[2]))
    return Result(text_asr="done")

node.run()
"""


async def start(server: FakeServer, job_s: float) -> tuple[Process, RawPeer]:
    """A node as a process, in the middle of a job."""
    words = [sys.executable, "-c", PROGRAM, server.url, str(job_s)]
    process = await asyncio.create_subprocess_exec(*words, cwd=ROOT / "sdk", stderr=DEVNULL)
    peer = await welcome(server)
    await peer.send(assignment())
    await peer.expect("job_started")
    return process, peer


async def test_sigterm_drains_and_ends_the_process(server: FakeServer) -> None:
    process, peer = await start(server, job_s=0.2)
    process.send_signal(signal.SIGTERM)
    beat = await peer.expect("node_heartbeat")
    assert {kind["reason"] for kind in beat["capability_by_type"]} == {"draining"}
    assert (await peer.expect("job_result"))["text_asr"] == "done"
    assert await asyncio.wait_for(process.wait(), 10) == 0


async def test_a_second_signal_ends_it_at_once(server: FakeServer) -> None:
    process, peer = await start(server, job_s=3600)
    process.send_signal(signal.SIGTERM)
    await peer.expect("node_heartbeat")
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 10) == 0
    assert not peer.of_type("job_result")
