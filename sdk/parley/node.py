"""The node end: takes jobs, hands them to a coroutine, and sends back what it returns.

    node = Node("ws://localhost:5010", languages=["en", "zh"])

    @node.translate
    async def translate(job: Job) -> Result:
        text = await recognise(job.audio)
        return Result(text_asr=text, text_translated=await to_chinese(text))

    node.run()

It stays registered over every kind of disturbance: it connects again with a jittered back-off and
never gives up, keeps working on its jobs meanwhile, and sends again what may not have arrived.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Sequence
from types import TracebackType
from typing import Any, NoReturn, Self

from websockets.asyncio.client import ClientConnection

from parley.backoff import Backoff
from parley.codes import ErrorCode, advice
from parley.frames import (
    Error,
    FrameError,
    JobAssign,
    JobCancel,
    NodeControl,
    NodeHeartbeat,
    NodeRegisterAck,
    decode_to_node,
)
from parley.job import Job, Result
from parley.link import Wire, keep_connected, socket_url
from parley.profile import Profile
from parley.pulse import Pulse
from parley.signals import serve_until_signalled
from parley.worker import Handler, Worker

logger = logging.getLogger("parley.node")

PATH = "/ws/node"
DRAIN_S = 30.0
UNBOUNDED_SEATS = 1_000
"""For a node that queues for its own GPU."""


class Node:
    """One node. Give `languages`, or a `profile` that says more.

    `url` is the server's address; without one it is that in `PARLEY_URL`, or this machine's.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        languages: Sequence[str] = (),
        concurrency: int = 2,
        node_id: str | None = None,
        token: str | None = None,
        profile: Profile | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self.url = socket_url(url, PATH)
        self.node_id = node_id
        self.token = token
        self.profile = profile or Profile(languages, concurrency=concurrency)
        self.status = "offline"
        self.draining = False
        self.registered = asyncio.Event()
        self._backoff = backoff or Backoff()
        self._wire = Wire()
        self._worker = Worker(
            _no_handler, seats=self.profile.concurrency or UNBOUNDED_SEATS, wire=self._wire
        )
        self._pulse = Pulse(self._wire, self._heartbeat)
        self._stopped = asyncio.Event()
        self._background: set[asyncio.Task[None]] = set()

    def translate(self, handler: Handler) -> Handler:
        """Decorator: the coroutine that answers every job.

        It may raise `JobFailed`; any other exception fails the job with `PROCESSING_ERROR`. It is
        cancelled when the answer is no longer wanted.
        """
        self._worker.handler = handler
        return handler

    @property
    def running(self) -> list[str]:
        """Ids of the jobs being worked on."""
        return self._worker.running

    def run(self) -> None:
        """Serves until SIGTERM or Ctrl-C, then drains; a second signal stops at once."""
        asyncio.run(serve_until_signalled([self], DRAIN_S))

    async def serve(self) -> None:
        """Serves until `stop` is called."""
        connecting = asyncio.create_task(
            keep_connected(
                self.url, self.token, self._use, backoff=self._backoff, though_refused=True
            )
        )
        stopping = asyncio.create_task(self._stopped.wait())
        try:
            await asyncio.wait({connecting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._worker.abandon()
            stopping.cancel()
            connecting.cancel()
            await asyncio.wait({connecting})
        if not connecting.cancelled():
            connecting.result()

    async def stop(self, drain_s: float = DRAIN_S) -> None:
        """Asks for no more jobs, waits for those it has (`drain_s` seconds at most), and ends."""
        self.drain()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._worker.idle.wait(), drain_s)
        self._stopped.set()

    def drain(self) -> None:
        """Asks for no more jobs; goes on with those it has."""
        self.draining = True
        self.changed()

    def resume(self) -> None:
        """Takes jobs again."""
        self.draining = False
        self.changed()

    def changed(self) -> None:
        """Sends a heartbeat now: call it after a change of `profile`."""
        self._pulse.changed.set()

    async def __aenter__(self) -> Self:
        """Serves in the background; returns once registered."""
        serving = self._in_background(self.serve())
        waiting = asyncio.create_task(self.registered.wait())
        try:
            await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not waiting.done():
                waiting.cancel()
                self._stopped.set()
        if serving.done():
            await serving
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop(DRAIN_S if kind is None else 0)
        await asyncio.gather(*self._background)

    def _in_background(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(coroutine)
        self._background.add(task)
        return task

    async def _use(self, socket: ClientConnection) -> NoReturn:
        """Until the connection closes, which raises `ConnectionClosed`."""
        self._wire.socket = socket
        beating = asyncio.create_task(self._beat())
        try:
            await self._register()
            await self._worker.deliver_again()
            while True:
                await self._receive(await socket.recv())
        finally:
            self._wire.socket = None
            self.status = "offline"
            self.registered.clear()
            beating.cancel()
            await socket.close()

    async def _register(self) -> None:
        await self._wire.send(
            self.profile.register(self.node_id, self._worker.held, ready=not self.draining)
        )

    async def _receive(self, data: str | bytes) -> None:
        try:
            frame = decode_to_node(data)
        except FrameError as error:
            logger.warning("not understood: %s", error)
            return
        match frame:
            case JobAssign():
                await self._worker.take(frame, self.node_id or "")
            case JobCancel():
                self._worker.cancel(frame.job_id)
            case NodeControl():
                self._obey(frame.command)
            case NodeRegisterAck():
                self._welcome(frame)
            case Error():
                await self._complain(frame)

    def _welcome(self, ack: NodeRegisterAck) -> None:
        self.node_id = ack.node_id
        self.status = ack.status
        self.registered.set()
        logger.info("registered as %s (%s) %s", ack.node_id, ack.status, ack.message)

    async def _complain(self, error: Error) -> None:
        """An error that says that the server does not know this node leads to a registration."""
        logger.warning("%s: %s %s", error.code, error.message, advice(error.code))
        if error.code == ErrorCode.NODE_UNAVAILABLE and self.registered.is_set():
            self.registered.clear()
            await self._register()

    def _obey(self, command: str) -> None:
        match command:
            case "drain" | "resume" | "refresh":
                # The server itself gives no jobs to a node that it drains; what is ready stays so.
                self.changed()
            case "shutdown":
                self._in_background(self.stop())
            case _:
                logger.warning("unknown command %r", command)

    async def _beat(self) -> None:
        await self.registered.wait()
        await self._pulse.beat()

    def _heartbeat(self) -> NodeHeartbeat:
        running, ready = len(self.running), not self.draining
        return self.profile.heartbeat(self.node_id or "", running, ready=ready)


async def _no_handler(job: Job) -> Result:
    raise RuntimeError("this node has no handler: give it one with @node.translate")
