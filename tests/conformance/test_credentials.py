"""Who may connect, and what a credential binds together (1.3, 2.1, 3.10)."""

from __future__ import annotations

import pytest
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from tests.conformance.link import Link, link
from tests.conformance.peers import Service, assert_has, registration
from tests.conformance.session_frames import SESSION_INIT

SOCKETS = ("session", "node")
LANGUAGES = ("qaa", "qab")


async def refused(service: Service, socket: str, token: str) -> int:
    """The HTTP status of a handshake."""
    with pytest.raises(InvalidStatus) as status:
        async with link(service.address(socket, token)):
            pass
    return status.value.response.status_code


@pytest.mark.parametrize("socket", SOCKETS)
async def test_nobody_passes_without_a_token_that_is_known(service: Service, socket: str) -> None:
    service.token(socket)
    for token in ("", "x", f"parley_{socket}_" + 43 * "x", "%00", "%C3%A9"):
        assert await refused(service, socket, token) == 401


@pytest.mark.parametrize("socket", SOCKETS)
@pytest.mark.parametrize("who", [*SOCKETS, "operator"])
async def test_a_token_opens_one_kind_of_socket(service: Service, socket: str, who: str) -> None:
    token = service.token(who)
    if who == socket:
        async with link(service.address(socket, token)) as one:
            await one.answers()
    else:
        assert await refused(service, socket, token) in (401, 403)


@pytest.mark.parametrize("socket", SOCKETS)
async def test_a_token_may_come_in_three_ways(service: Service, socket: str) -> None:
    token, address = service.token(socket), service.address(socket)
    async with link(address, additional_headers={"Authorization": f"Bearer {token}"}) as one:
        await one.answers()
    async with link(address, subprotocols=[Subprotocol("bearer"), Subprotocol(token)]) as one:
        await one.answers()
        assert one.socket.subprotocol == "bearer"
    async with link(f"{address}?x=y&token={token}") as one:
        await one.answers()


async def test_a_node_id_belongs_to_who_registered_it(service: Service) -> None:
    other = service.address("node", service.token("other_node"))
    async with service.node(*LANGUAGES) as node, link(other) as stranger:
        await stranger.say(registration(node.id, LANGUAGES))
        assert_has(await stranger.next(), {"type": "error", "code": "NODE_ID_CONFLICT"})
        assert await stranger.closed() == 4400
        assert await node.link.answers() == []


async def test_a_session_is_resumed_by_the_credential_that_opened_it(service: Service) -> None:
    other = service.address("session", service.token("other_session"))
    init = {"accepts": ["resume", "errors"]}
    async with service.session(**init) as gone, link(other) as stranger:
        token = gone.ack["resume_token"]
        await stranger.say(SESSION_INIT.minimal(resume_token=token, **init))
        assert_has(await stranger.next(), {"type": "error", "code": "INVALID_SESSION"})
        assert await stranger.closed() == 4400
        await assert_goes_on(gone.link)
    async with service.session(**init, resume_token=token) as session:
        assert session.id == gone.id


async def assert_goes_on(one: Link) -> None:
    assert await one.answers() == []
