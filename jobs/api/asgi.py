"""REST beside Django, whose every request keeps a thread: for requests that wait, and for nodes."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from django.http import HttpResponse, QueryDict

from jobs.api import problems

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


LONGEST_WAIT_S = 60.0


class TooLarge(Exception):
    """The body has more bytes than it may."""


class Left(Exception):
    """The client went away before its body was there."""


async def body_of(receive: Receive, *, limit: int) -> bytes:
    """The whole body of a request. Raises TooLarge and Left."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Left
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise TooLarge
        if not message.get("more_body"):
            return b"".join(parts)


def wait_of(scope: dict[str, Any]) -> float | None:
    """How many seconds a request may wait by its query; None: what it says is no such number."""
    try:
        wait_s = float(str(QueryDict(scope["query_string"]).get("wait", "0")))
    except ValueError:
        return None
    return min(wait_s, LONGEST_WAIT_S) if wait_s >= 0 else None


def bad_wait() -> HttpResponse:
    """What it is told then."""
    return problems.response(422, field="wait", detail="wait: a number of seconds, 0 to 60.")


async def serve(respond: Coroutine[Any, Any, HttpResponse], receive: Receive, send: Send) -> None:
    """Answer with what ``respond`` returns; it is cancelled when the client goes away."""
    answering = asyncio.ensure_future(respond)
    leaving = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if answering.done():
            await _send(answering.result(), send)
    finally:
        answering.cancel()
        leaving.cancel()


async def at_once(response: HttpResponse) -> HttpResponse:
    """For :func:`serve`: it is there already."""
    return response


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(response: HttpResponse, send: Send) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in response.items()]
    headers.append((b"content-length", str(len(response.content)).encode()))
    start = {"type": "http.response.start", "status": response.status_code, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": response.content})
