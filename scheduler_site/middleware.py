"""Django's chain for HTTP, without a thread for what only waits."""

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware
from whitenoise.middleware import WhiteNoiseMiddleware

from jobs.api import problems
from jobs.principal import Principal
from scheduler_site.credentials import auth_is_off, everybody, identify, identify_blocking
from scheduler_site.models import TokenKind

Answer = Callable[[HttpRequest], Any]
PRIVATE = ("/api/", "/metrics")


@sync_and_async_middleware
def static_files(get_response: Answer) -> Answer:
    """WhiteNoise only knows threads: so only what it serves goes through it."""
    if not iscoroutinefunction(get_response):
        blocking: Answer = WhiteNoiseMiddleware(get_response)
        return blocking
    in_thread = sync_to_async(WhiteNoiseMiddleware(_nothing), thread_sensitive=False)

    async def serve(request: HttpRequest) -> Any:
        if request.path_info.startswith(settings.STATIC_URL):
            return await in_thread(request)
        return await get_response(request)

    return serve


def _nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=404)


@sync_and_async_middleware
def principals(get_response: Answer) -> Answer:
    """Sets ``request.principal`` on the private paths: by token, else by a login of the admin."""
    if iscoroutinefunction(get_response):

        async def find(request: HttpRequest) -> Any:
            if request.path_info.startswith(PRIVATE):
                try:
                    found = _by_setting(request) or await identify(_scope(request))
                except DatabaseError:
                    return problems.response(503)
                _introduce(request, found, None if found else await request.auser())
            return await get_response(request)

        return find

    def find_blocking(request: HttpRequest) -> Any:
        if request.path_info.startswith(PRIVATE):
            try:
                found = _by_setting(request) or identify_blocking(_scope(request))
            except DatabaseError:
                return problems.response(503)
            _introduce(request, found, None if found else request.user)
        return get_response(request)

    return find_blocking


def _scope(request: HttpRequest) -> dict[str, Any]:
    """What the credentials are read from, of whatever server."""
    shown = request.headers.get("Authorization", "").encode("latin-1", "replace")
    address = request.META.get("REMOTE_ADDR", "")
    return {"type": "http", "headers": [(b"authorization", shown)], "client": (address, 0)}


def _by_setting(request: HttpRequest) -> Principal | None:
    return everybody(TokenKind.OPERATOR, _scope(request)) if auth_is_off() else None


def _introduce(request: HttpRequest, found: Principal | None, user: Any) -> None:
    by_login = user is not None and user.is_active and user.is_staff
    if by_login:
        found = everybody(TokenKind.OPERATOR, _scope(request))
    request.principal, request.by_login = found, by_login  # type: ignore[attr-defined]
