"""A node without a socket: what it says and asks over REST, at whichever process.

No process keeps anything of it between two requests: its description, its connection's token and
its jobs are in Redis. Its jobs go out through :mod:`nodes.polling`; its results take the way of all
others, :mod:`nodes.answers`.
"""

import asyncio

from jobs.keeping import Reply
from jobs.principal import Principal
from lua import ids, scripts, views
from lua.states import NodeState
from lua.views import Registered
from nodes.answers import Answers
from nodes.capabilities import Description
from nodes.connection import BAD_NODE_ID, NODE_ID, SCHEMA_VERSION
from nodes.held import Held
from nodes.outages import Outages
from nodes.polling import Poll, Work
from nodes.registry import Registry
from nodes.standing import Peer, Standing
from parley.codes import ErrorCode
from parley.frames import JobAck, JobResult, NodeHeartbeat, NodeRegister

NOBODY = ""  # the process of a node without a socket


class NotHere(Exception):
    """The node can't be served: ``code`` says why, and whether it is to register again."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code


def unregistered(node: str) -> NotHere:
    """It is unknown, was silent for too long, was sent away, or has another connection."""
    message = f"The node {node[:64]} is not registered here, or not any more: register it again."
    return NotHere(ErrorCode.NODE_UNAVAILABLE, message)


async def register(registry: Registry, frame: NodeRegister, who: Principal) -> Standing:
    """A new connection of the node. Raises NotHere, FrameError and StoreError."""
    if frame.capability_schema_version not in (None, SCHEMA_VERSION):
        message = f"Only version {SCHEMA_VERSION!r} is known."
        raise NotHere(ErrorCode.INVALID_CAPABILITY_SCHEMA, message)
    if frame.node_id and not NODE_ID.fullmatch(frame.node_id):
        raise BAD_NODE_ID
    peer = Peer(frame.node_id or ids.new_node(), NOBODY, who.credential, who.address)
    standing = Standing(
        registry.cells, registry.snapshot, registry.settings, peer, Description.of(frame)
    )
    reply = await standing.register(running=frame.running_job_ids)
    if not isinstance(reply, scripts.Ok):
        message = "Another live connection uses this node_id."
        raise NotHere(ErrorCode.NODE_ID_CONFLICT, message)
    if reply.more:
        registry.start(standing.offer())
    return standing


async def find(registry: Registry, node: str, who: Principal) -> "PolledNode":
    """A node that has registered over REST. Raises NotHere and StoreError."""
    known = await views.registered(registry.cells, node)
    if known is None or known.process != NOBODY:
        raise unregistered(node)
    if known.credential != who.credential:
        message = f"The node {node[:64]} was registered with another credential."
        raise NotHere(ErrorCode.NODE_ID_CONFLICT, message)
    return PolledNode(registry, _standing(registry, node, known))


def _standing(registry: Registry, node: str, known: Registered) -> Standing:
    return Standing(
        registry.cells,
        registry.snapshot,
        registry.settings,
        Peer(node, NOBODY, known.credential, known.address),
        Description.read(known.caps),
        conn=known.conn,
        hot=known.hot,
    )


class PolledNode:
    """The node as it is known for one request. All calls raise StoreError when Redis is away."""

    def __init__(self, registry: Registry, standing: Standing) -> None:
        self._registry = registry
        self._standing = standing
        held = Held(life_ms=registry.cells.limits.job_life_ms)
        self._answers = Answers(registry, standing, held, registry.start)

    def may_have(self, job: str) -> bool:
        """Whether a job is in the node's cell."""
        return self._answers.is_ours(job)

    async def beat(self, frame: NodeHeartbeat) -> NodeState:
        """A heartbeat; the node's state now. Raises NotHere."""
        reply = await self._standing.beat(frame)
        if not isinstance(reply, scripts.Ok):
            raise unregistered(self._standing.node)
        if reply.more:
            self._registry.start(self._standing.offer())
        return reply.state

    async def work(self, wait_s: float) -> Work:
        """What it is to do, as soon as there is something, or nothing after ``wait_s``."""
        poll = Poll(self._registry, self._standing)
        self._registry.attend(poll)
        try:
            work = await poll.run(asyncio.get_running_loop().time() + wait_s)
        finally:
            self._registry.leave(poll)
        if work is None:
            raise unregistered(self._standing.node)
        return work

    async def acked(self, frame: JobAck) -> bool:
        """It has accepted a job; False: the job is not its own any more."""
        return await self._answers.ack(frame.job_id)

    async def finished(self, frame: JobResult) -> Reply | None:
        """A result; None: it is kept until Redis takes it."""
        if frame.error:
            outages = Outages(self._registry, self._standing)
            outages.consider(frame.error.code, frame.error.details)
        return await self._answers.finish(frame)
