"""Every path of Parley, and what answers there. Start reading here.

``/ws/session``: people speak (``jobs.consumers``); ``/ws/node``: machines translate
(``nodes.consumers``); everything else is HTTP and goes on in ``urls``.
"""

from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path, re_path

from jobs.api.result import result
from jobs.consumers import SessionConsumer
from nodes.api.agents import PATHS as AGENTS
from nodes.consumers import NodeConsumer
from scheduler_site.auth import Handshake, Identified, refuse
from scheduler_site.lifespan import App, Receive, Scope, Send
from scheduler_site.models import TokenKind
from scheduler_site.origins import AllowedOrigins


async def unknown_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """A path without a socket: refused with 404 at the handshake."""
    await refuse(scope, receive, send, 404)


def router(django_application: App) -> App:
    """The application below the lifespan; ``django_application`` answers HTTP."""
    sockets = URLRouter(
        [
            path("ws/session", Handshake(SessionConsumer.as_asgi(), TokenKind.SESSION)),  # type: ignore[arg-type]
            path("ws/node", Handshake(NodeConsumer.as_asgi(), TokenKind.NODE)),  # type: ignore[arg-type]
            re_path("", unknown_socket),  # type: ignore[arg-type]
        ]
    )
    beside: dict[str, Any] = {
        "jobs/<str:job_id>/result/": Identified(result, TokenKind.OPERATOR),
        **{name: Identified(app, TokenKind.NODE) for name, app in AGENTS.items()},
    }
    http = URLRouter(
        [
            *(path(f"api/v1/{name}", app) for name, app in beside.items()),
            re_path("", django_application),  # type: ignore[arg-type]
        ]
    )
    routed: App = ProtocolTypeRouter({"http": http, "websocket": AllowedOrigins(sockets)})
    return routed
