"""Who may open a socket: real handshakes with uvicorn and a websockets client."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from django.db import DatabaseError
from django.urls import path
from pytest_django import Settings
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from scheduler_site import credentials
from scheduler_site.auth import Handshake
from scheduler_site.models import ApiToken, TokenKind, create_token, revoke_token

pytestmark = pytest.mark.django_db(transaction=True)


async def echo_principal(scope: Any, receive: Any, send: Any) -> None:
    """Accepts and says who the handshake found."""
    await receive()
    await send({"type": "websocket.accept"})
    who = scope["principal"]
    await send({"type": "websocket.send", "text": f"{who.kind} {who.tenant} {who.credential[:4]}"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


@dataclass
class Server:
    """The sockets behind their handshake; ``process`` is what the scope calls ``parley``."""

    port: int
    process: SimpleNamespace

    def connect(self, path: str, **options: Any) -> connect:
        return connect(f"ws://127.0.0.1:{self.port}{path}", **options)

    async def status(self, path: str, **options: Any) -> int:
        """Status of a handshake that must be refused."""
        with pytest.raises(InvalidStatus) as refused:
            await self.connect(path, **options)
        return refused.value.response.status_code


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    process = SimpleNamespace(draining=False)
    router = URLRouter(
        [
            path("ws/session", Handshake(echo_principal, TokenKind.SESSION)),  # type: ignore[arg-type]
            path("ws/node", Handshake(echo_principal, TokenKind.NODE)),  # type: ignore[arg-type]
        ]
    )

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await router({**scope, "parley": process}, receive, send)

    config = uvicorn.Config(app, port=0, ws="websockets-sansio", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
        await asyncio.sleep(0.01)
    try:
        yield Server(server.servers[0].sockets[0].getsockname()[1], process)
    finally:
        server.should_exit = True
        await running


@pytest.fixture(autouse=True)
def _auth_is_required(settings: Settings) -> None:
    settings.PARLEY_AUTH = "required"
    credentials.forget_lookups()


@pytest.fixture
def session_token() -> str:
    return create_token(kind="session", tenant="acme")[1]


@pytest.fixture
def node_token() -> str:
    return create_token(kind="node")[1]


async def said_by(connection: ClientConnection) -> str:
    return str(await connection.recv())


async def said_to(server: Server, path: str) -> str:
    async with server.connect(path) as connection:
        return await said_by(connection)


async def test_a_token_is_taken_from_header_address_and_subprotocol(session_token: str) -> None:
    header = {"additional_headers": {"Authorization": f"Bearer {session_token}"}}
    offered = {"subprotocols": [Subprotocol("bearer"), Subprotocol(session_token)]}
    async with serving() as server:
        async with server.connect("/ws/session", **header) as one:
            assert (await said_by(one)).startswith("session acme ")
        async with server.connect(f"/ws/session?token={session_token}") as two:
            assert (await said_by(two)).startswith("session acme ")
        async with server.connect("/ws/session", **offered) as three:
            assert (await said_by(three)).startswith("session acme ")
            assert three.subprotocol == "bearer"


async def test_nobody_passes_without_a_valid_token(
    session_token: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving() as server:
        assert await server.status("/ws/session") == 401
        assert await server.status("/ws/node") == 401
        assert await server.status("/ws/session?token=") == 401
        assert await server.status("/ws/session?token=parley_session_guessed") == 401
    assert [one.message for one in caplog.records if one.levelname != "INFO"] == []


async def test_a_refusal_says_what_to_do(session_token: str) -> None:
    async with serving() as server:
        with pytest.raises(InvalidStatus) as refused:
            await server.connect("/ws/session")
    response = refused.value.response
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["www-authenticate"] == "Bearer"
    assert b"UNAUTHORIZED" in (response.body or b"")


async def test_a_token_opens_only_its_kind_of_socket(session_token: str, node_token: str) -> None:
    async with serving() as server:
        assert await server.status(f"/ws/node?token={session_token}") == 403
        assert await server.status(f"/ws/session?token={node_token}") == 403
        async with server.connect(f"/ws/node?token={node_token}") as node:
            assert (await said_by(node)).startswith("node  ")


async def test_a_revoked_token_is_refused(session_token: str) -> None:
    async with serving() as server:
        await (await server.connect(f"/ws/session?token={session_token}")).close()
        await sync_to_async(lambda: revoke_token(ApiToken.objects.get()))()
        credentials.forget_lookups()
        assert await server.status(f"/ws/session?token={session_token}") == 401


async def test_its_use_is_noted(session_token: str) -> None:
    async with serving() as server:
        await (await server.connect(f"/ws/session?token={session_token}")).close()
    token = await ApiToken.objects.aget()
    assert token.used_at is not None


async def test_a_draining_process_takes_no_sessions_but_nodes(
    session_token: str, node_token: str
) -> None:
    async with serving() as server:
        server.process.draining = True
        assert await server.status(f"/ws/session?token={session_token}") == 503
        await (await server.connect(f"/ws/node?token={node_token}")).close()


async def test_everybody_passes_while_authentication_is_off(settings: Settings) -> None:
    settings.PARLEY_AUTH = "off"
    async with serving() as server:
        async with server.connect("/ws/session") as session:
            assert await said_by(session) == "session  "
        async with server.connect("/ws/node?token=whatever") as node:
            assert await said_by(node) == "node  "


async def test_a_known_token_passes_while_sql_is_away(
    session_token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await sync_to_async(lambda: create_token(kind="session", tenant="globex")[1])()

    def away(credential: str) -> None:
        raise DatabaseError("away")

    async with serving() as server:
        await (await server.connect(f"/ws/session?token={session_token}")).close()
        monkeypatch.setattr(credentials, "_ask_sql", away)
        monkeypatch.setattr(credentials, "KEPT_S", 0)
        await (await server.connect(f"/ws/session?token={session_token}")).close()
        assert await server.status(f"/ws/session?token={other}") == 503


async def test_a_node_waits_at_the_door_while_sql_is_away(
    node_token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused agent stays away for ever."""
    asked = asyncio.Event()
    ask_sql, loop = credentials._ask_sql, asyncio.get_running_loop()

    def away(credential: str) -> None:
        loop.call_soon_threadsafe(asked.set)
        raise DatabaseError("away")

    monkeypatch.setattr(credentials, "_ask_sql", away)
    async with serving() as server:
        known = asyncio.ensure_future(said_to(server, f"/ws/node?token={node_token}"))
        await asked.wait()
        unknown = asyncio.ensure_future(server.status("/ws/node?token=parley_node_guessed"))
        gone = asyncio.ensure_future(said_to(server, f"/ws/node?token={node_token}"))
        await asyncio.sleep(0.3)
        gone.cancel()
        assert not known.done()
        assert not unknown.done()

        monkeypatch.setattr(credentials, "_ask_sql", ask_sql)
        assert (await asyncio.wait_for(known, 10)).startswith("node  ")
        assert await asyncio.wait_for(unknown, 10) == 401


async def test_a_server_that_cannot_answer_closes() -> None:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "websocket", "headers": [], "client": None}
    await Handshake(echo_principal, TokenKind.NODE)(scope, receive, send)

    assert sent == [{"type": "websocket.close"}]
