"""Every error of REST is a problem document (RFC 9457) with the ``code`` of the sockets."""

from math import ceil
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from redis.exceptions import RedisError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.status import HTTP_503_SERVICE_UNAVAILABLE

from lua.errors import StoreError
from parley.codes import ErrorCode, advice

CONTENT_TYPE = "application/problem+json"
NO_TOKEN = "This needs a token: Authorization: Bearer TOKEN."
BAD_TOKEN = "This token is not known, or was revoked."
_BY_STATUS = {
    401: ErrorCode.UNAUTHORIZED,
    403: ErrorCode.UNAUTHORIZED,
    429: ErrorCode.RATE_LIMITED,
    500: ErrorCode.INTERNAL_ERROR,
    503: ErrorCode.SCHEDULER_DEPENDENCY_DOWN,
}
_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    503: "Service Unavailable",
}


class Problem(exceptions.APIException):
    """An error with a ``code`` of its own; ``members`` are further fields of the document.

    ``retry_after_ms`` among them is told in whole seconds as ``Retry-After``, too.
    """

    def __init__(self, status: int, code: str, detail: str = "", **members: Any) -> None:
        super().__init__(detail or advice(code))
        self.status_code = status
        self.code = code
        self.members = members


def document(status: int, *, code: str = "", detail: str = "", **members: Any) -> dict[str, Any]:
    """The body of an error. ``advice`` says what the person can do now."""
    code = code or _BY_STATUS.get(status, ErrorCode.INVALID_MESSAGE)
    return {
        "type": "about:blank",
        "title": _TITLES.get(status, "Error"),
        "status": status,
        "code": code,
        "detail": detail or advice(code),
        "advice": advice(code),
        **members,
    }


def response(status: int, *, code: str = "", detail: str = "", **members: Any) -> JsonResponse:
    """An error of a plain Django view."""
    body = document(status, code=code, detail=detail, **members)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JsonResponse(body, status=status, content_type=CONTENT_TYPE, headers=headers)


def unauthorized(*, shown: bool) -> JsonResponse:
    """401; ``shown``: they did show a token."""
    return response(401, detail=_of_token(shown))


def _of_token(shown: bool) -> str:
    return BAD_TOKEN if shown else NO_TOKEN


@csrf_exempt
def not_found(request: HttpRequest, *_: Any, **__: Any) -> JsonResponse:
    """For every path under the API that is none."""
    return response(404, detail=f"There is nothing at {request.path}.")


def handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """What DRF answers to an exception; None: not expected, so a 500 and a log entry."""
    found = _document_of(error)
    if isinstance(error, exceptions.NotAuthenticated):
        found = document(401, detail=_of_token("Authorization" in context["request"].headers))
    if found is None:
        return None
    headers = {}
    if header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = header
    if retry_ms := found.get("retry_after_ms"):
        headers["Retry-After"] = str(ceil(retry_ms / 1000))
    answer = Response(found, status=found["status"], headers=headers)
    answer.content_type = CONTENT_TYPE
    return answer


def _document_of(error: Exception) -> dict[str, Any] | None:
    match error:
        case Problem():
            detail = str(error.detail)
            return document(error.status_code, code=error.code, detail=detail, **error.members)
        case StoreError():
            return document(HTTP_503_SERVICE_UNAVAILABLE, code=error.code)
        case RedisError() | OperationalError() | InterfaceError():
            return document(HTTP_503_SERVICE_UNAVAILABLE)
        case exceptions.ValidationError():
            return _invalid(error)
        case exceptions.APIException():
            return document(error.status_code, detail=str(error.detail))
        case Http404():
            return document(404, detail="There is no such thing.")
        case PermissionDenied():
            return document(403)
    return None


def _invalid(error: exceptions.ValidationError) -> dict[str, Any]:
    """The first field at fault, as the sockets say it, and all of them as ``errors``."""
    errors = [{"field": field, "message": text} for field, text in _flat(error.detail)]
    first = errors[0]
    detail = f"{first['field']}: {first['message']}" if first["field"] else first["message"]
    members = {"field": first["field"], "errors": errors}
    return document(422, code=ErrorCode.INVALID_MESSAGE, detail=detail, **members)


def _flat(detail: Any, path: str = "") -> list[tuple[str, str]]:
    if isinstance(detail, dict):
        pairs = [_flat(value, _join(path, key)) for key, value in detail.items()]
    elif isinstance(detail, list):
        pairs = [_flat(value, path) for value in detail]
    else:
        return [(path, str(detail))]
    return [pair for some in pairs for pair in some]


def _join(path: str, key: Any) -> str:
    if key == "non_field_errors":
        return path
    return f"{path}.{key}" if path else str(key)
