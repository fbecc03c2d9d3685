"""Base of both sockets' consumers: from a frame arriving to its handler without a detour.

Channels' own dispatch hops to a thread for every frame, to tidy up database connections that these
consumers never have. Here frames go straight from the server to :meth:`HotConsumer.frame`.
The next stop of an utterance is :mod:`jobs.consumers`, of a node's frame :mod:`nodes.consumers`.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import TYPE_CHECKING, Any

import structlog
from channels.consumer import AsyncConsumer

from jobs.outbox import Below, Outbox, Send, nowhere
from parley.codes import ErrorCode, advice
from parley.frames import Error, encode

if TYPE_CHECKING:
    from jobs.process import Process

log = structlog.get_logger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]

TOO_LARGE = 1009
AT_ONCE = 32


class HotConsumer(AsyncConsumer):  # type: ignore[misc]  # Channels has no types
    """One socket. Subclasses say what happens when it opens, on a frame, and once it is closed.

    Frames come to :meth:`frame` one by one, in their order. Work that waits for an answer runs in
    tasks of :meth:`start`: those take their first step in the order in which they were started,
    so that script calls are issued in the order of the frames.
    """

    process: "Process"
    lang = "en"  # in which the peer is advised

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.process = scope["parley"]
        self._send = send
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_free = False  # all frames are handled that came
        self._work: asyncio.Task[None] | None = None  # before the next frame is handled
        server = below(receive)
        self.outbox = Outbox(send, server, self.process.settings.socket)
        try:
            await receive()  # websocket.connect
            await self.opened()
            if server is not None:
                server.hear = self._hear
            await self._read(receive)
        finally:
            if server is not None:
                server.hear = None
            self.outbox.end()
            self._send = nowhere
            await self.closed()

    async def opened(self) -> None:
        """The peer has asked for the connection: :meth:`accept` or :meth:`refuse` it."""
        raise NotImplementedError

    def frame(self, data: str | bytes) -> "asyncio.Task[None] | None":
        """A frame of the peer. No further one is read until what is returned is done."""
        raise NotImplementedError

    async def closed(self) -> None:
        """The connection is gone, whoever ended it."""

    def send_error(self, error: Error) -> None:
        """Tell the peer what went wrong."""
        self.send_frame(encode(error))

    async def accept(self) -> None:
        """Complete the handshake."""
        await self._send({"type": "websocket.accept"})

    async def refuse(self, status: int) -> None:
        """Answer the handshake with an HTTP status: the connection is never made."""
        headers = [(b"content-type", b"text/plain"), (b"content-length", b"0")]
        start = {"type": "websocket.http.response.start", "status": status, "headers": headers}
        await self._send(start)
        await self._send({"type": "websocket.http.response.body", "body": b""})

    def send_frame(self, frame: bytes, *, urgent: bool = True) -> bool:
        """Queue a frame; False when the peer is gone."""
        return self.outbox.put(frame, urgent=urgent)

    def has_room(self, size: int) -> bool:
        """Whether the peer has read enough for a large frame, or is gone."""
        return self.outbox.has_room(size)

    async def room(self, size: int) -> None:
        """Wait until the peer has read enough for a large frame, or is gone."""
        await self.outbox.room(size)

    @property
    def is_writing(self) -> bool:
        """Whether a frame that was put is not on its way yet."""
        return self.outbox.is_busy

    def close(self, code: int, reason: str = "") -> None:
        """Close the connection when all frames are written."""
        self.outbox.close(code, reason)

    def start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Run a handler beside the others. One that fails is logged and told, nothing more."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def _read(self, receive: Receive) -> None:
        count = itertools.count(1)
        while (message := await self._next(receive))["type"] == "websocket.receive":
            data = message.get("text")
            self._handle_data(message["bytes"] if data is None else data)
            if not next(count) % AT_ONCE:
                await asyncio.sleep(0)  # many frames came at once: let their answers leave

    async def _next(self, receive: Receive) -> dict[str, Any]:
        await self._worked()
        self._is_free = True
        message = await receive()
        self._is_free = False
        await self._worked()
        return message

    async def _worked(self) -> None:
        if self._work is not None:
            await asyncio.wait((self._work,))
            self._work = None

    def _hear(self, data: str | bytes) -> bool:
        """A frame, while :meth:`_read` waits for one: waking it takes longer than most frames."""
        if not self._is_free:
            return False
        self._handle_data(data)
        self._is_free = self._work is None
        return True

    def _handle_data(self, data: str | bytes) -> None:
        largest = self.process.settings.socket.max_frame_bytes
        if not self.outbox.is_open:
            return
        if len(data) > largest:
            self.close(TOO_LARGE, f"frames may have {largest} bytes")
            return
        try:
            self._work = self.frame(data)
        except Exception as error:
            self._failed(error)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(error)

    def _failed(self, error: BaseException) -> None:
        log.error("a frame could not be handled", exc_info=error)
        code = ErrorCode.INTERNAL_ERROR
        self.send_error(Error(code=code, message=advice(code, self.lang)))


def below(receive: Receive) -> Below | None:
    """The server's side of the connection, whose method ``receive`` is, or what that says.

    None for a server that is not ours.
    """
    found: Any = getattr(receive, "__self__", receive)
    found = getattr(found, "below", found)
    return found if hasattr(found, "write_message") else None
