"""Which web pages may open a socket, where ``PARLEY_ORIGINS`` lists them."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from scheduler_site.lifespan import App, Receive, Scope, Send


class AllowedOrigins:
    """Refuses, with 403, the handshake of a page from an origin that is not listed.

    An empty list allows all. What sends no ``Origin`` is no web page and always passes, and so does
    a page of this service itself, under a host name that it answers to.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._allowed = frozenset(origin.lower() for origin in settings.PARLEY_ORIGINS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._allowed and not self._passes(scope):
            await receive()
            await send({"type": "websocket.close"})
            return
        await self._app(scope, receive, send)

    def _passes(self, scope: Scope) -> bool:
        headers = [(name, value.decode("latin-1").lower()) for name, value in scope["headers"]]
        host = next((value for name, value in headers if name == b"host"), "")
        origins = [value for name, value in headers if name == b"origin"]
        return all(origin in self._allowed or _is_ours(origin, host) for origin in origins)


def _is_ours(origin: str, host: str) -> bool:
    """A name that somebody else has pointed at this service is none of ours."""
    domain, _ = split_domain_port(host)
    return urlsplit(origin).netloc == host and validate_host(domain, settings.ALLOWED_HOSTS)
