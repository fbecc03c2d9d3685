"""The floor: an ASGI application that only passes frames between a session and its node.

The node with the same number in its address gets the frames of a session, and the other way.
"""

from typing import Any
from urllib.parse import parse_qs

import msgspec

_sends: dict[tuple[str, str], Any] = {}


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """``/ws/session?n=N`` and ``/ws/node?n=N``."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    kind = scope["path"].rpartition("/")[2]
    number = parse_qs(scope["query_string"].decode())["n"][0]
    other = "node" if kind == "session" else "session"
    await receive()
    await send({"type": "websocket.accept"})
    await receive()  # the first message
    name = f"s-{int(number):08X}"
    greeting = msgspec.json.encode({"type": "ack", "session_id": name}).decode()
    await send({"type": "websocket.send", "text": greeting})
    _sends[kind, number] = send
    while (message := await receive())["type"] == "websocket.receive":
        text = _as_assign(message["text"]) if kind == "session" else _as_result(message["text"])
        await _sends[other, number]({"type": "websocket.send", "text": text})


def _as_assign(text: str) -> str:
    """Another head, the rest as it came."""
    return '{"type":"job_assign",' + text.removeprefix('{"type":"utterance",')


def _as_result(text: str) -> str:
    return '{"type":"translation_result",' + text.removeprefix('{"type":"job_result",')
