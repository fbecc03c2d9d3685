"""Which web pages may open a socket, where ``PARLEY_ORIGINS`` lists them."""

from django.conf import settings

from scheduler_site.lifespan import App, Receive, Scope, Send


class AllowedOrigins:
    """Refuses, with 403, the handshake of a page from an origin that is not listed.

    An empty list allows all. What sends no ``Origin`` is no web page and always passes.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._allowed = frozenset(origin.lower().encode() for origin in settings.PARLEY_ORIGINS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._allowed and not self._passes(scope):
            await receive()
            await send({"type": "websocket.close"})
            return
        await self._app(scope, receive, send)

    def _passes(self, scope: Scope) -> bool:
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        return all(origin.lower() in self._allowed for origin in origins)
