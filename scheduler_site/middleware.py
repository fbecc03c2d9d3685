"""Who asks, for every HTTP request on a private path."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from jobs.api import problems
from jobs.principal import Principal
from scheduler_site.credentials import SQL_AWAY, auth_is_off, everybody, identify_blocking
from scheduler_site.models import TokenKind

Answer = Callable[[HttpRequest], HttpResponse]
PRIVATE = ("/api/", "/metrics")


def principals(get_response: Answer) -> Answer:
    """Sets ``request.principal``: by token, else by a login of the admin, else None."""

    def find(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(PRIVATE):
            try:
                _introduce(request)
            except SQL_AWAY:
                return problems.response(503)
        return get_response(request)

    return find


def _introduce(request: Any) -> None:
    """``by_login``: a browser sends the login along by itself, so changes need a CSRF token."""
    scope = _scope(request)
    if auth_is_off():
        found: Principal | None = everybody(TokenKind.OPERATOR, scope)
    else:
        found = identify_blocking(scope)
    request.by_login = found is None and request.user.is_active and request.user.is_staff
    request.principal = everybody(TokenKind.OPERATOR, scope) if request.by_login else found


def _scope(request: HttpRequest) -> dict[str, Any]:
    """What the credentials are read from, of whatever server."""
    shown = request.headers.get("Authorization", "").encode("latin-1", "replace")
    address = request.META.get("REMOTE_ADDR", "")
    return {"type": "http", "headers": [(b"authorization", shown)], "client": (address, 0)}
