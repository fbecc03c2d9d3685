"""The first phase of a node's socket."""

import asyncio
import json
import re
import time
from contextlib import AsyncExitStack

import pytest

from lua.mailbox import Outcome
from lua.views import fleet, nodes
from nodes.capabilities import Description
from nodes.serving import Serving
from nodes.settings import NodeSettings
from nodes.standing import Peer
from tests.nodes.frames import heartbeat, read_registration, registration, result
from tests.nodes.web import Web
from tests.peers.until import until

NO_GPU = {"cpu_cores": 8, "memory_gb": 32}


async def test_a_node_registers_and_is_told_so(web: Web, store):
    async with web.peer("token=t1&from=10.0.0.7") as peer:
        await peer.send(registration("node-1"))
        ack = await peer.expect("node_register_ack")
        assert (ack["node_id"], ack["status"]) == ("node-1", "ready")
        view = nodes(store, ["node-1"])["node-1"]
        assert view.state == "ready"
        assert view.address == "10.0.0.7"


@pytest.mark.parametrize("node_id", [None, ""])
async def test_a_node_without_an_id_is_given_one(web: Web, node_id):
    async with web.peer() as peer:
        await peer.send(registration(node_id))
        ack = await peer.expect("node_register_ack")
        assert re.fullmatch(r"node-[0-9A-F]{8}", ack["node_id"])


async def test_a_node_that_does_not_register_in_time_is_closed(web: Web):
    async with web.peer() as peer:
        assert await peer.closed() == 4408


async def test_what_comes_before_the_registration_is_answered_once_and_forgiven(web: Web):
    async with web.peer() as peer:
        for _ in range(3):
            await peer.send(heartbeat())
        await peer.send(registration("node-1"))
        await peer.expect("node_register_ack")
        (error,) = peer.of_type("error")
        assert error["code"] == "NODE_UNAVAILABLE"


async def test_no_deadline_runs_after_the_registration(open_web):
    web = await open_web(NodeSettings(register_timeout_ms=100))
    async with web.peer() as peer:
        await peer.send(registration())
        await peer.expect("node_register_ack")
        with pytest.raises(TimeoutError):
            await peer.closed(within_s=0.3)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("hello", None),
        ("[1]", None),
        ("{}", "type"),
        (json.dumps({"type": "node_dance"}), "type"),
        (json.dumps({**registration(), "hardware": {"cpu_cores": "many"}}), "hardware.cpu_cores"),
        (json.dumps({**registration(), "accept_public_jobs": None}), "accept_public_jobs"),
        (json.dumps(registration("two words")), "node_id"),
        (json.dumps(registration("x" * 200)), "node_id"),
    ],
)
async def test_a_frame_that_is_not_understood_is_answered_and_nothing_more(web: Web, text, field):
    async with web.peer() as peer:
        await peer.send_text(text)
        error = await peer.expect("error", code="INVALID_MESSAGE")
        assert (error.get("details") or {}).get("field") == field
        await peer.send(registration("node-1"))
        await peer.expect("node_register_ack")


async def test_an_unknown_schema_is_refused_for_good(web: Web):
    async with web.peer() as peer:
        await peer.send(registration(capability_schema_version="3.0"))
        await peer.expect("error", code="INVALID_CAPABILITY_SCHEMA")
        assert await peer.closed() == 4400


async def test_a_node_that_is_not_ready_yet_says_so_and_becomes_ready_with_a_heartbeat(
    web: Web, store
):
    async with web.peer() as peer:
        await peer.send(registration("node-1", capability_by_type=[]))
        ack = await peer.expect("node_register_ack")
        assert ack["status"] == "registering"
        await peer.send(heartbeat())
        await peer.send(registration("node-1"))
        assert (await peer.expect("node_register_ack"))["status"] == "ready"
        assert nodes(store, ["node-1"])["node-1"].state == "ready"


async def test_a_node_without_a_gpu_is_registered_and_not_used_until_a_heartbeat_shows_one(
    open_web, caller
):
    web = await open_web(NodeSettings(require_gpu=True))
    async with web.peer() as peer:
        await peer.send(registration("node-1", hardware=NO_GPU))
        await peer.expect("node_register_ack")
        refused = await caller.dispatch(deadline_ms=0)
        assert (refused.code, refused.reason) == ("NO_AVAILABLE_NODE", "gpu_unavailable")
        await peer.send(heartbeat(usage={"gpu_mem_percent": 40}))
        await caller.dispatch()
        await peer.expect("job_assign")


async def test_a_newer_connection_with_the_same_credential_replaces_the_first(web: Web):
    async with web.peer("token=a") as first, web.peer("token=a") as second:
        for peer in (first, second):
            await peer.send(registration("node-1"))
            await peer.expect("node_register_ack")
        assert await first.closed() == 4409
        await second.send(heartbeat())
        await second.send(registration())
        await second.expect("node_register_ack")


async def test_a_newer_connection_in_another_process_replaces_the_first(open_web):
    one, other = await open_web(), await open_web()
    async with one.peer("token=a") as first, other.peer("token=a") as second:
        for peer in (first, second):
            await peer.send(registration("node-1"))
            await peer.expect("node_register_ack")
        assert await first.closed() == 4409


async def test_another_credential_does_not_get_a_node_id_that_lives(web: Web):
    async with web.peer("token=a") as first, web.peer("token=b") as second:
        await first.send(registration("node-1"))
        await first.expect("node_register_ack")
        await second.send(registration("node-1"))
        await second.expect("error", code="NODE_ID_CONFLICT")
        assert await second.closed() == 4400
        await first.send(registration("node-1"))
        await first.expect("node_register_ack")


async def test_another_credential_does_not_get_the_jobs_of_a_node_that_is_away(
    web: Web, caller, store
):
    async with web.peer("token=a") as first:
        await first.send(registration("node-1"))
        await first.expect("node_register_ack")
        reserved = await caller.dispatch()
        await first.expect("job_assign")
    await until(lambda: nodes(store, ["node-1"])["node-1"].state == "offline")
    async with web.peer("token=b") as other:
        await other.send(registration("node-1"))
        await other.expect("error", code="NODE_ID_CONFLICT")
        assert await other.closed() == 4400
    async with web.peer("token=a") as again:
        await again.send(registration("node-1"))
        await again.expect("node_register_ack")
        await again.send(result(reserved.job))
        outcome = await caller.expect(Outcome)
        assert (outcome.state, outcome.attempt) == ("DONE", 1)


async def test_a_node_that_left_with_nothing_to_do_may_come_with_another_credential(
    web: Web, store
):
    async with web.peer("token=a") as first:
        await first.send(registration("node-1"))
        await first.expect("node_register_ack")
    await until(lambda: nodes(store, ["node-1"])["node-1"].state == "offline")
    async with web.peer("token=b") as other:
        await other.send(registration("node-1"))
        await other.expect("node_register_ack")


async def test_a_connection_stays_the_node_that_it_is(web: Web):
    async with web.peer() as peer:
        await peer.send(registration("node-1"))
        await peer.expect("node_register_ack")
        await peer.send(registration("node-2"))
        await peer.expect("error", code="NODE_ID_CONFLICT")
        await peer.send(registration("node-1"))
        await peer.expect("node_register_ack")


async def test_what_a_node_is_may_change_when_it_registers_again(web: Web, store):
    async with web.peer() as peer:
        await peer.send(registration("node-1"))
        await peer.expect("node_register_ack")
        await peer.send(
            registration("node-1", language_capabilities={"semantic_languages": ["de"]})
        )
        await peer.expect("node_register_ack")
        assert nodes(store, ["node-1"])["node-1"].pools == ("auto:de",)


async def test_a_node_id_that_is_fought_over_stays_with_the_last_and_operators_are_told(
    web: Web, caller
):
    addresses = [f"token=a&from=10.0.0.{number}" for number in range(5)]
    async with AsyncExitStack() as stack:
        peers = [await stack.enter_async_context(web.peer(address)) for address in addresses]
        for peer in peers[:4]:
            await peer.send(registration("node-1"))
            await peer.expect("node_register_ack")
        await peers[4].send(registration("node-1"))
        await peers[4].expect("error", code="NODE_ID_CONFLICT")
        assert await peers[4].closed() == 4400
        events = await caller.cells.plain.xrange(f"{caller.cells.prefixes[0]}events")
        assert [fields[b"what"] for _, fields in events if fields[b"e"] == b"alert"] == [
            b"id_fought_over"
        ]


async def test_a_thousand_registrations_of_one_process_are_replayed_in_time(web: Web, store):
    """Not their sockets: those cost the same as ever."""
    connections = []
    for number in range(1_000):
        frame = read_registration(registration(f"node-{number}"))
        peer = Peer(f"node-{number}", web.process.id, "", "127.0.0.1")
        connection = Serving(NoSocket(), web.registry, peer, Description.of(frame))
        await connection.enter(frame)
        connections.append(connection)
    began_s = time.monotonic()
    await web.registry.replay(0)
    assert time.monotonic() - began_s < 2
    for connection in connections:
        connection.closed()
    await until(lambda: all(view.reason == "offline" for view in fleet(store).values()))


class NoSocket:
    """Takes frames and tells nobody."""

    def has_room(self, size: int) -> bool:
        return True

    async def room(self, size: int) -> None: ...

    def send_frame(self, frame: bytes) -> bool:
        return True

    def close(self, code: int) -> None: ...

    def start(self, work):
        return asyncio.ensure_future(work)
