"""The handshake of a socket: who may connect. Refusals are HTTP answers, never an accept and close,
because deployed web clients try the latter again every second for ever.

What passes has ``scope["principal"]``; the next stop is the path's consumer.
"""

import asyncio
import json
from typing import Any

import structlog

from jobs.api import problems
from jobs.api.asgi import at_once, serve
from jobs.pauses import pauses
from jobs.principal import Principal
from jobs.socket import below
from parley.codes import ErrorCode, advice
from scheduler_site.credentials import BEARER, SQL_AWAY, auth_is_off, everybody, identify
from scheduler_site.lifespan import App, Receive, Scope, Send
from scheduler_site.models import TokenKind

log = structlog.get_logger(__name__)

CODES = {
    401: ErrorCode.UNAUTHORIZED,
    403: ErrorCode.UNAUTHORIZED,
    404: ErrorCode.INVALID_MESSAGE,
    503: ErrorCode.SCHEDULER_DEPENDENCY_DOWN,
}
TITLES = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 503: "Service Unavailable"}


class Refused(Exception):
    """The handshake ends with this HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Left(Exception):
    """The peer went away before it was answered."""


class Handshake:
    """Lets a peer through to ``app`` when its token is of ``kind``.

    Sessions are refused with 503 while their process drains or SQL is away. Nodes never are: a
    refused agent does not come back, so its handshake is held until SQL answers.
    """

    def __init__(self, app: App, kind: TokenKind) -> None:
        self._app = app
        self._kind = kind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._check_open(scope)
            if self._kind is TokenKind.NODE:
                receive = _Connecting(receive)
                scope["principal"] = await self._admit_patiently(scope, receive)
            else:
                scope["principal"] = await self._admit(scope)
        except Left:
            pass
        except Refused as refused:
            await refuse(scope, receive, send, refused.status)
        else:
            await self._app(scope, receive, _with_subprotocol(scope, send))

    def _check_open(self, scope: Scope) -> None:
        process = scope.get("parley")
        if self._kind is TokenKind.SESSION and process is not None and process.draining:
            raise Refused(503)

    async def _admit_patiently(self, scope: Scope, peer: "_Connecting") -> Principal:
        pause_s = pauses()
        while True:
            try:
                return await self._admit(scope)
            except Refused as refused:
                if refused.status != 503:
                    raise
            await peer.stays(next(pause_s))

    async def _admit(self, scope: Scope) -> Principal:
        if auth_is_off():
            return everybody(self._kind, scope)
        try:
            principal = await identify(scope)
        except SQL_AWAY as error:
            log.error("tokens cannot be looked up", error=str(error))
            raise Refused(503) from error
        if principal is None:
            raise Refused(401)
        if principal.kind != self._kind:
            raise Refused(403)
        return principal


class _Connecting:
    """What a peer sends, kept for the application while its handshake is held.

    ``below`` is the server's side of the connection, by which the application reaches past ASGI.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.below = below(receive)
        self._first: Any = None
        self._next: asyncio.Future[Any] | None = None

    async def __call__(self) -> Any:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        if self._next is not None:
            following, self._next = self._next, None
            return await following
        return await self._receive()

    async def stays(self, pause_s: float) -> None:
        """Return after a pause. Raises Left as soon as the peer goes."""
        if self._first is None:
            self._first = await self._receive()
        if self._next is None:  # before it is accepted a peer can only go
            self._next = asyncio.ensure_future(self._receive())
        done, _ = await asyncio.wait({self._next}, timeout=pause_s)
        if done:
            raise Left


class Identified:
    """HTTP beside Django: ``scope["principal"]`` says who asks; None without a valid token.

    ``kind``: what everybody is while authentication is off.
    """

    def __init__(self, app: App, kind: TokenKind) -> None:
        self._app = app
        self._kind = kind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if auth_is_off():
            scope["principal"] = everybody(self._kind, scope)
        else:
            try:
                scope["principal"] = await identify(scope)
            except SQL_AWAY as error:
                log.error("tokens cannot be looked up", error=str(error))
                await serve(at_once(problems.response(503)), receive, send)
                return
        await self._app(scope, receive, send)


async def refuse(scope: Scope, receive: Receive, send: Send, status: int) -> None:
    """Answer the handshake with an HTTP error (403 where the server knows no other)."""
    await receive()
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close"})
        return
    code = CODES[status]
    problem = {"title": TITLES[status], "status": status, "code": code, "detail": advice(code)}
    headers = [(b"content-type", b"application/problem+json")]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": json.dumps(problem).encode()})


def _with_subprotocol(scope: Scope, send: Send) -> Send:
    """A browser that offered ``bearer`` ends the connection unless it is chosen."""
    offered = scope.get("subprotocols") or []
    if not offered or offered[0].lower() != BEARER:
        return send

    async def choosing(message: Scope) -> None:
        if message["type"] == "websocket.accept":
            message = {**message, "subprotocol": offered[0]}
        await send(message)

    return choosing
