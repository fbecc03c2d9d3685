"""The page and its two questions. Its scripts lie in ``static/talk/``; from there it goes on over
``/ws/session``, like any client.
"""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static

from jobs.api import problems
from jobs.process import Process
from lua.errors import StoreUnavailable
from parley.codes import ErrorCode, advice
from pools.languages import AUTO, primary
from pools.store import process_of
from scheduler_site.credentials import auth_is_off
from scheduler_site.talk.choices import choices

# Only its own files: no inline script or style, no other host, in nobody's frame.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PERMISSIONS = "microphone=(self), camera=(), geolocation=()"
ADVICE_KEPT_S = 3600
ANY_OTHER = "ANY_OTHER"


def icon(request: HttpRequest) -> HttpResponse:
    """Of all pages."""
    return redirect(static("talk/icon.svg"))


def page(request: HttpRequest) -> HttpResponse:
    """The same for everybody."""
    headers = {
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "Permissions-Policy": PERMISSIONS,
        "Cache-Control": "no-cache",
    }
    response = render(request, "talk/index.html")
    for name, value in headers.items():
        response[name] = value
    return response


def advices(request: HttpRequest) -> JsonResponse:
    """What to do about each error code, in English and Chinese; ``ANY_OTHER``: a node's own."""
    said = {
        code: {lang: advice(code, lang) for lang in ("en", "zh")}
        for code in (*ErrorCode, ANY_OTHER)
    }
    return JsonResponse(said, headers={"Cache-Control": f"max-age={ADVICE_KEPT_S}"})


async def languages(request: HttpRequest) -> HttpResponse:
    """``?from=en``: :func:`choices`, and whether a token is wanted. 503 while Redis is away."""
    process: Process | None = process_of(request)
    if process is None:
        return problems.response(503)
    try:
        found = await choices(process, primary(request.GET.get("from", "")) or AUTO)
    except StoreUnavailable:
        return problems.response(503)
    answer = {"authentication": not auth_is_off(), **found}
    return JsonResponse(answer, headers={"Cache-Control": "no-store"})
