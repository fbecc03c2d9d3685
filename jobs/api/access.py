"""Who may see and do what in REST.

``request.principal`` is there for every request under ``/api/``: who showed a valid token, or an
operator who is logged in, or anybody while authentication is off; else None.
"""

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from jobs.principal import Principal

if TYPE_CHECKING:  # DRF's views import this module by the settings' names
    from rest_framework.views import APIView

OPERATOR, SESSION = "operator", "session"


def principal_of(request: Request | HttpRequest) -> Principal | None:
    """Who asks; None: nobody we know."""
    plain = request._request if isinstance(request, Request) else request
    return getattr(plain, "principal", None)


def tenant_seen(principal: Principal) -> str | None:
    """The only tenant whose jobs they see; None: all."""
    return None if principal.kind == OPERATOR else principal.tenant


class PrincipalAuthentication(BaseAuthentication):
    """DRF's view of ``request.principal``; one who came by the login of the admin needs a CSRF
    token for what changes anything.
    """

    def authenticate(self, request: Request) -> tuple[Any, Principal] | None:
        principal = principal_of(request)
        if principal is None:
            return None
        if getattr(request._request, "by_login", False):
            SessionAuthentication().enforce_csrf(request)
            return request._request.user, principal
        return AnonymousUser(), principal

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class IsOperator(BasePermission):
    """Operators only."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        principal = principal_of(request)
        return principal is not None and principal.kind == OPERATOR


class MayUseJobs(BasePermission):
    """Operators, and sessions for the jobs of their tenant."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        principal = principal_of(request)
        return principal is not None and principal.kind in (OPERATOR, SESSION)
