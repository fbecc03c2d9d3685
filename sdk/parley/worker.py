"""The jobs that a node holds: from `job_assign` to a `job_result` that has arrived."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from parley.codes import ErrorCode
from parley.frames import JobAck, JobAssign, JobResult, JobStarted, encode
from parley.job import Job, JobFailed, Result
from parley.link import Wire

logger = logging.getLogger("parley.node")

Handler: TypeAlias = Callable[[Job], Awaitable[Result]]


class Worker:
    """Runs `handler` for each job, `seats` at once, and keeps each result until it has arrived.

    Parts of one turn are answered in their order: with the last one the server takes those before
    it for answered.
    """

    def __init__(self, handler: Handler, *, seats: int, wire: Wire) -> None:
        self.idle = asyncio.Event()
        self.idle.set()
        self.handler = handler
        self._wire = wire
        self._seats = asyncio.Semaphore(seats)
        self._jobs: dict[str, tuple[Job, asyncio.Task[Result]]] = {}
        self._results: dict[str, bytes] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self._turns: dict[str, asyncio.Task[None]] = {}

    @property
    def running(self) -> list[str]:
        """Ids of the jobs without a result yet."""
        return list(self._jobs)

    @property
    def held(self) -> list[str]:
        """Ids of the jobs running, and of those whose result may not have arrived."""
        return [*self._jobs, *self._results]

    async def take(self, assign: JobAssign, node_id: str) -> None:
        """Accepts a job. One that is here already is only acknowledged, with its new attempt."""
        about = assign.job_id, assign.attempt_id, node_id, assign.session_id, assign.trace_id
        await self._wire.send(JobAck(*about))
        if assign.job_id in self._jobs:
            self._jobs[assign.job_id][0].assign = assign
            return
        if assign.job_id in self._results:
            await self._deliver(assign.job_id)
            return
        self.idle.clear()
        job = Job(assign, node_id, self._wire.send)
        handling = asyncio.create_task(self._handle(job))
        self._jobs[job.job_id] = job, handling
        turn = assign.turn_id or job.job_id
        answering = asyncio.create_task(self._answer(job, handling, self._turns.get(turn)))
        self._turns[turn] = answering
        self._answering.add(answering)
        answering.add_done_callback(lambda task: self._answered(turn, task))

    def cancel(self, job_id: str) -> None:
        """Stops a job whose answer is no longer wanted; it is answered with `CANCELLED`."""
        if job_id in self._jobs:
            job, handling = self._jobs[job_id]
            job.cancelled = True
            handling.cancel()

    async def deliver_again(self) -> None:
        """After a reconnect: the results that may not have arrived."""
        for job_id in list(self._results):
            await self._deliver(job_id)

    def abandon(self) -> None:
        """Stops everything without an answer."""
        for task in self._answering:
            task.cancel()
        for _, handling in self._jobs.values():
            handling.cancel()
        self.idle.set()

    async def _handle(self, job: Job) -> Result:
        async with self._seats:
            about = job.assign
            started = JobStarted(
                about.job_id, about.attempt_id, job.node_id, about.session_id, about.trace_id
            )
            await self._wire.send(started)
            return await self.handler(job)

    async def _answer(
        self, job: Job, handling: asyncio.Task[Result], before: asyncio.Task[None] | None
    ) -> None:
        began = time.monotonic()
        await asyncio.wait({handling})
        took_ms = 1000 * (time.monotonic() - began)
        if before is not None:
            await asyncio.wait({before})
        result = _result(job, handling, took_ms)
        self._results[job.job_id] = encode(result)
        del self._jobs[job.job_id]
        await self._deliver(job.job_id)

    def _answered(self, turn: str, task: asyncio.Task[None]) -> None:
        self._answering.discard(task)
        if self._turns.get(turn) is task:
            del self._turns[turn]

    async def _deliver(self, job_id: str) -> None:
        data = self._results[job_id]
        await self._wire.send_encoded(data, on_arrival=lambda: self._arrived(job_id))

    def _arrived(self, job_id: str) -> None:
        self._results.pop(job_id, None)
        if not self._jobs and not self._results:
            self.idle.set()


def _result(job: Job, handling: asyncio.Task[Result], took_ms: float) -> JobResult:
    error = None if handling.cancelled() else handling.exception()
    if handling.cancelled() or (error and job.cancelled):
        return job.failed(JobFailed(ErrorCode.CANCELLED, "cancelled as asked"), took_ms)
    if error is None:
        return job.succeeded(handling.result(), took_ms)
    if not isinstance(error, JobFailed):
        logger.error("job %s failed", job.job_id, exc_info=error)
    return job.failed(error, took_ms)
