"""What a node says of its jobs: that it has them, how far it is, and the results.

A sign of progress goes to :func:`lua.scripts.ack`, a result to :mod:`jobs.outcome` and from there,
by the process's keeper, to :func:`lua.scripts.finish`.
"""

import asyncio
from functools import partial

import structlog

from jobs.ended import outcome_of
from jobs.keeping import Reply
from jobs.outcome import Ready, prepare
from lua import ids, scripts
from lua.errors import StoreError
from lua.mailbox import Accepted, Partial
from lua.scripts import AckKind, Sight
from nodes.delivery import Start
from nodes.held import Held
from nodes.registry import Registry
from nodes.standing import Standing
from parley.frames import JobAck, JobResult, JobStarted, NodeAsrPartial, encode

log = structlog.get_logger(__name__)


class Answers:
    """Of one connection, in the order of its frames."""

    def __init__(self, registry: Registry, standing: Standing, held: Held, start: Start) -> None:
        self._registry = registry
        self._cells = registry.cells
        self._standing = standing
        self._held = held
        self._start = start

    def acked(self, frame: JobAck) -> None:
        """The node has accepted a job."""
        if holding := self._held.get(frame.job_id):
            holding.acked()
        self._progress(frame.job_id, AckKind.ACK)

    def started(self, frame: JobStarted) -> None:
        """Work has begun."""
        self._progress(frame.job_id, AckKind.STARTED)

    def partial(self, frame: NodeAsrPartial) -> None:
        """A partial text, for the session; one of absurd length is only a sign of work."""
        body = encode(frame)
        small = len(body) <= self._cells.limits.inline_bytes
        self._progress(frame.job_id, AckKind.PARTIAL, body if small else b"")

    def result(self, frame: JobResult) -> "asyncio.Task[None] | None":
        """A result. Nothing may overtake a large one: its task is to be waited for."""
        if not self.is_ours(frame.job_id):
            return None
        ready = self._ready(frame)
        settled = partial(self._settled, ready)
        task = self._start(self._registry.keeper.finish(self._standing.cell, ready, settled))
        return task if len(ready.body) > self._cells.limits.inline_bytes else None

    async def finish(self, frame: JobResult) -> Reply | None:
        """The same for who waits for what comes of it; None: it is kept, to be finished later."""
        replies: list[Reply] = []
        ready = self._ready(frame)

        def settled(reply: Reply) -> None:
            replies.append(reply)
            self._settled(ready, reply)

        await self._registry.keeper.finish(self._standing.cell, ready, settled)
        return replies[0] if replies else None

    def _ready(self, frame: JobResult) -> Ready:
        holding = self._held.get(frame.job_id)
        return prepare(
            frame,
            node=self._standing.node,
            trace=self._held.trace(frame.job_id),
            acked_in_ms=holding.acked_in_ms if holding else None,
            services=self._standing.services if frame.error else (),
        )

    def _progress(self, job: str, kind: AckKind, body: bytes = b"") -> None:
        if self.is_ours(job):
            self._start(self._tell(job, kind, body))

    async def _tell(self, job: str, kind: AckKind, body: bytes) -> None:
        try:
            await self.ack(job, kind, body)
        except StoreError as error:
            log.info("ack lost", job=job, node=self._standing.node, why=str(error))

    async def ack(self, job: str, kind: AckKind = AckKind.ACK, body: bytes = b"") -> bool:
        """A sign of work; False: the job is not the node's any more. Raises StoreError."""
        standing, process = self._standing, self._registry.process
        reply = await scripts.ack(
            self._cells,
            cell=standing.cell,
            job=job,
            node=standing.node,
            conn=standing.conn,
            kind=kind,
            partial=body,
            process=process.id,
        )
        if isinstance(reply, scripts.Acked) and reply.session:
            process.sessions.accepted(Accepted(job, reply.session, standing.node))
            if kind is AckKind.PARTIAL and len(body) <= self._cells.limits.partial_bytes:
                process.sessions.partial(Partial(job, reply.session, body))
        return isinstance(reply, scripts.Acked)

    def _settled(self, ready: Ready, reply: Reply) -> None:
        self._held.remove(ready.outcome.job)
        if isinstance(reply, scripts.Done | scripts.Failed) and reply.session:
            outcome = outcome_of(ready, reply)
            self._registry.process.sessions.answered(reply.session, outcome, ready.body)
        if not isinstance(reply, scripts.Late) and reply.more:
            self._registry.start(self._standing.offer())

    def is_ours(self, job: str) -> bool:
        """Whether the job can be in this node's cell; one that can't be is nobody's."""
        try:
            ours = ids.cell_of(job, self._cells.count) == self._standing.cell
        except ValueError:
            ours = False
        if not ours:
            here = self._standing
            self._registry.notes.tell(Sight.FOREIGN_JOB, cell=here.cell, node=here.node, job=job)
        return ours
