"""A registered node's connection: what each of its messages does, in one table.

What a node says of its jobs goes on to :mod:`nodes.answers`; jobs come the other way through
:mod:`nodes.delivery`.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import structlog

from jobs.pauses import pauses
from lua import scripts
from lua.errors import StoreError
from lua.scripts import Command
from lua.states import NodeState
from nodes.answers import Answers
from nodes.capabilities import Description
from nodes.delivery import Delivery, Way
from nodes.outages import Outages
from nodes.registry import Registry
from nodes.standing import Peer, Registered, Standing
from nodes.waiting import Waiting
from parley import frames
from parley.codes import ErrorCode
from parley.frames import Error, NodeFrame, NodeRegister, encode

log = structlog.get_logger(__name__)

REFUSED, KICKED, REPLACED = 4400, 4403, 4409
_STATES: dict[str, NodeState] = {
    Command.DRAIN: NodeState.DRAINING,
    Command.SHUTDOWN: NodeState.DRAINING,
    Command.RESUME: NodeState.READY,
}


class Socket(Way, Protocol):
    """What is needed of the socket."""

    def close(self, code: int) -> None: ...

    def start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]": ...


class Serving:
    """A node from its registration on. Frames wait while the registration is being answered."""

    def __init__(
        self, socket: Socket, registry: Registry, peer: Peer, description: Description
    ) -> None:
        self._socket = socket
        self._registry = registry
        self.standing = Standing(
            registry.cells, registry.snapshot, registry.settings, peer, description
        )
        self.outages = Outages(registry, self.standing)
        self._held = registry.holdings.of(peer.node)
        self.delivery = Delivery(
            registry.cells, self.standing, self._held, socket, start=registry.start
        )
        self.answers = Answers(registry, self.standing, self._held, socket.start)
        self.standing.resting = registry.resting
        self.standing.asking = registry.process.asking
        self._waiting = Waiting(registry.settings)
        self._open = True
        self._entered = False
        self._entering = False

    def enter(self, frame: NodeRegister) -> "asyncio.Task[None]":
        """Register; again when the node does so on the same connection."""
        if frame.running_job_ids is not None:
            self._held.keep_only(frame.running_job_ids)
        self._entering = True
        self._registry.add(self)
        return self._socket.start(self._enter(frame))

    def frame(self, frame: NodeFrame | Error, size: int) -> "asyncio.Task[None] | None":
        """A frame of the node, of ``size`` bytes. What is returned must be over before the next."""
        if self._entering:
            self._waiting.add(frame, size)
            return None
        return self._handle(frame)

    def misunderstood(self, answer: Error, size: int) -> "asyncio.Task[None] | None":
        """A frame that can't be understood has its place among the others."""
        return self.frame(answer, size)

    def closed(self) -> None:
        """The socket is gone. What the node has sent before is still finished."""
        self._open = False
        self._registry.remove(self)

    def gives_way_to(self, newer: Standing) -> bool:
        """Whether this is an earlier connection of the same peer that Redis has not answered."""
        return not self._entered and self.standing.peer.is_again(newer.peer)

    def replaced(self) -> None:
        """A newer connection of the node has taken over."""
        self._socket.close(REPLACED)

    def control(self, command: str, reason: str) -> None:
        """An operator's command: done already where it matters, and told to the agent."""
        if command == Command.KICK:
            self._socket.close(KICKED)
            return
        self.standing.state = _STATES.get(command, self.standing.state)
        self._send(frames.NodeControl(command=command, reason=reason or None))

    async def replay(self) -> None:
        """Register anew with all that the node holds. Raises StoreError.

        A registration that is not answered yet is repeated anyway.
        """
        if self._entered:
            left_ms = self.outages.left_ms()
            if self._is_in(await self.standing.register(held=self._held)):
                await self.outages.repeat(left_ms)

    async def reconsider(self) -> None:
        """After a change of configuration. Raises StoreError."""
        if self.standing.is_drained and self.standing.state is not NodeState.DRAINING:
            await self.replay()
        elif self._entered:
            await self.standing.change_pools()

    async def _enter(self, frame: NodeRegister) -> None:
        """Until Redis answers: a node is never sent away because Redis is."""
        reply = await self._registered(frame)
        if reply is None or not self._is_in(reply):
            return
        self._acknowledge(self.standing.state)
        while self._waiting:
            if task := self._handle(self._waiting.next()):
                await asyncio.wait((task,))
        self._entering = False

    async def _registered(self, frame: NodeRegister) -> Registered | None:
        pause_s = pauses()
        while self._open:
            try:
                return await self.standing.register(running=frame.running_job_ids)
            except StoreError as error:
                log.warning("registration waits", node=self.standing.node, why=str(error))
                await asyncio.sleep(next(pause_s))
        return None

    def _is_in(self, reply: Registered) -> bool:
        """Whether this is the node's connection; if not, it is closed."""
        match reply:
            case scripts.Ok() | scripts.Already():
                self._entered = True
                if reply.more:
                    self._registry.start(self.standing.offer())
                return True
            case scripts.IdConflict():
                message = "Another live connection uses this node_id."
                self._send(Error(code=ErrorCode.NODE_ID_CONFLICT, message=message))
                self._socket.close(REFUSED)
            case scripts.Stale():
                self.replaced()
        return False

    def _acknowledge(self, state: NodeState) -> None:
        node = self.standing.node
        self._send(frames.NodeRegisterAck(node_id=node, message="registered", status=state.value))

    def _handle(self, frame: NodeFrame | Error) -> "asyncio.Task[None] | None":
        return _HANDLERS[type(frame)](self, frame)

    def _register_again(self, frame: NodeRegister) -> "asyncio.Task[None] | None":
        if frame.node_id not in (None, "", self.standing.node):
            message = f"This connection is the node {self.standing.node}."
            self._send(Error(code=ErrorCode.NODE_ID_CONFLICT, message=message))
            return None
        description = Description.of(frame)
        description.gpu_seen |= self.standing.description.gpu_seen
        self.standing.description = description
        return self.enter(frame)

    def _heartbeat(self, frame: frames.NodeHeartbeat) -> None:
        self._socket.start(self._beat(frame))

    async def _beat(self, frame: frames.NodeHeartbeat) -> None:
        try:
            reply = await self.standing.beat(frame)
            if not isinstance(reply, scripts.Ok):
                await self.replay()
            elif reply.more:
                await self.standing.offer()
        except StoreError as error:
            log.info("heartbeat lost", node=self.standing.node, why=str(error))

    def _result(self, frame: frames.JobResult) -> "asyncio.Task[None] | None":
        if frame.error:  # first, so that the job is not tried again with what is out
            self.outages.consider(frame.error.code, frame.error.details)
        return self.answers.result(frame)

    def _send(self, frame: frames.Frame) -> None:
        self._socket.send_frame(encode(frame))


_HANDLERS: dict[type[Any], Callable[[Serving, Any], "asyncio.Task[None] | None"]] = {
    Error: lambda serving, answer: serving._send(answer),
    NodeRegister: Serving._register_again,
    frames.NodeHeartbeat: Serving._heartbeat,
    frames.JobAck: lambda serving, frame: serving.answers.acked(frame),
    frames.JobStarted: lambda serving, frame: serving.answers.started(frame),
    frames.NodeAsrPartial: lambda serving, frame: serving.answers.partial(frame),
    frames.JobResult: Serving._result,
    frames.NodeError: lambda serving, frame: serving.outages.reported(frame),
}
