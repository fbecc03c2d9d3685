"""From a token that a peer shows to who it is. Lookups are kept for a few seconds.

Used at handshakes and by REST, never between two frames.
"""

import time
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from jobs.principal import Principal
from scheduler_site.lifespan import Scope
from scheduler_site.models import ApiToken, TokenKind, digest

KEPT_S = 10.0
MOST_KEPT = 10_000
NOTED_EVERY = timedelta(minutes=1)
BEARER = "bearer"
# What Django raises when SQL is away; the second is not one of the first.
SQL_AWAY = (DatabaseError, InterfaceError)


@dataclass(frozen=True)
class Grant:
    """What a token is good for."""

    kind: str
    tenant: str


_kept: dict[str, tuple[float, Grant | None]] = {}


def auth_is_off() -> bool:
    """Whether everybody may connect, as what they claim to be."""
    return bool(settings.PARLEY_AUTH == "off")


def address_of(scope: Scope) -> str:
    """The peer's address; empty on a unix socket."""
    client = scope.get("client")
    return client[0] if client else ""


def token_of(scope: Scope) -> str | None:
    """The token in ``Authorization: Bearer``; of a WebSocket also in its address (``?token=``)
    or in the subprotocols ``bearer, TOKEN``. None without one.
    """
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, token = value.decode("latin-1").partition(" ")
            if scheme.lower() == BEARER:
                return str(token.strip()) or None
    if scope["type"] != "websocket":
        return None
    offered = scope.get("subprotocols") or []
    if len(offered) == 2 and offered[0].lower() == BEARER:
        return str(offered[1])
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    return query["token"][0] if "token" in query else None


async def identify(scope: Scope) -> Principal | None:
    """Who is at the other end of a connection; None without a valid token.

    Raises one of ``SQL_AWAY`` when SQL is and the token was never seen before.
    """
    token = token_of(scope)
    if token is None:
        return None
    credential = digest(token)
    fresh, grant = _remembered(credential)
    if not fresh:
        grant = await database_sync_to_async(_look_up, thread_sensitive=False)(credential)
    return _principal(grant, credential, scope)


def identify_blocking(scope: Scope) -> Principal | None:
    """The same in a thread that has a database connection."""
    token = token_of(scope)
    if token is None:
        return None
    credential = digest(token)
    fresh, grant = _remembered(credential)
    return _principal(grant if fresh else _look_up(credential), credential, scope)


def everybody(kind: str, scope: Scope) -> Principal:
    """Who a peer is while authentication is off."""
    return Principal(kind, "", "", address_of(scope))


def forget_lookups() -> None:
    """Ask SQL again for every token."""
    _kept.clear()


def _principal(grant: Grant | None, credential: str, scope: Scope) -> Principal | None:
    if grant is None:
        return None
    return Principal(grant.kind, grant.tenant, credential, address_of(scope))


def _remembered(credential: str) -> tuple[bool, Grant | None]:
    kept_s, grant = _kept.get(credential, (float("-inf"), None))
    return time.monotonic() - kept_s < KEPT_S, grant


def _look_up(credential: str) -> Grant | None:
    """Ask SQL. While it is away, what it said last counts."""
    try:
        grant = _ask_sql(credential)
    except SQL_AWAY:
        if credential not in _kept:
            raise
        grant = _kept[credential][1]
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    _kept[credential] = (time.monotonic(), grant)
    return grant


def _ask_sql(credential: str) -> Grant | None:
    token = ApiToken.objects.filter(sha256=credential, revoked_at=None).first()
    if token is None:
        return None
    now = timezone.now()
    if token.used_at is None or now - token.used_at > NOTED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(used_at=now)
    return Grant(TokenKind(token.kind), token.tenant)
