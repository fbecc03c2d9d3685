"""Brings jobs to a node: takes each reservation and writes its frame, once an attempt.

Frames leave in the order of the takes, because an agent wants the utterances of a session index by
index. The node's answer comes back through :mod:`nodes.answers`.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import structlog

from lua import scripts
from lua.client import Cells
from lua.errors import StoreError
from nodes.held import Held
from nodes.standing import Standing
from parley.codes import ErrorCode
from parley.frames import JobCancel, JobHead, encode, splice

log = structlog.get_logger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0
Start = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


class Way(Protocol):
    """What is needed of the socket."""

    async def room(self, size: int) -> None:
        """Return when a frame of ``size`` bytes may be sent, or the peer is gone."""

    def send_frame(self, frame: bytes) -> bool:
        """False when the peer is gone."""


class Delivery:
    """The way out of one connection. ``start`` runs tasks that outlive it, so that what was taken
    and can't be sent is given back.
    """

    def __init__(
        self, cells: Cells, standing: Standing, held: Held, way: Way, *, start: Start
    ) -> None:
        self._cells = cells
        self._standing = standing
        self._held = held
        self._way = way
        self._start = start
        self._turn = asyncio.Lock()  # is fair: what was taken first is written first
        self._pending: dict[str, int] = {}  # job → attempt
        self._unwanted: dict[str, str] = {}  # pending job → code

    def assign(self, job: str, attempt: int) -> None:
        """A reservation for this node: take it and send it, unless that has been done."""
        if self._held.add(job, attempt):
            self._pending[job] = attempt
            self._start(self._deliver(job, attempt))

    def cancel(self, job: str, code: str) -> None:
        """A job is not wanted any more: tell the node, unless it can still be kept from it."""
        if job in self._pending:
            self._unwanted[job] = code
        else:
            trace = self._held.trace(job) or None
            self._way.send_frame(encode(JobCancel(job_id=job, trace_id=trace, reason=code)))

    async def _deliver(self, job: str, attempt: int) -> None:
        try:
            if code := await self._bring(job, attempt):
                await self._give_back(job, attempt, code)
        finally:
            if self._pending.get(job) == attempt:
                del self._pending[job]
                self._unwanted.pop(job, None)

    async def _bring(self, job: str, attempt: int) -> str:
        """Empty when there is no more to do, else why the job was not sent."""
        try:
            taken = await self._take(job, attempt)
            if taken is None:
                return ""
            async with self._turn:
                written = await self._write(job, attempt, taken)
        except StoreError as error:
            log.warning("a job is not sent", job=job, node=self._standing.node, why=str(error))
            return error.code
        return "" if written else ErrorCode.WS_DISCONNECTED

    async def _take(self, job: str, attempt: int) -> scripts.Taken | None:
        """None when the job is somebody else's now, or lost."""
        standing = self._standing
        reply = await scripts.take(
            self._cells,
            cell=standing.cell,
            job=job,
            attempt=attempt,
            node=standing.node,
            conn=standing.conn,
        )
        if isinstance(reply, scripts.Taken):
            return reply
        self._held.remove(job, attempt)
        if isinstance(reply, scripts.Lost) and reply.more:
            await standing.offer()
        return None

    async def _write(self, job: str, attempt: int, taken: scripts.Taken) -> bool:
        payload: bytes | None = taken.payload
        if taken.big:
            await self._way.room(self._cells.limits.inline_bytes)
            payload = await self._cells.payload(self._standing.cell, job)
        if not payload:
            return False
        frame = self._frame(job, attempt, taken, payload)
        await self._way.room(len(frame))
        # Until here nothing has suspended, unless the payload is large or the peer slow.
        return job not in self._unwanted and self._way.send_frame(frame)

    def _frame(self, job: str, attempt: int, taken: scripts.Taken, payload: bytes) -> bytes:
        if holding := self._held.get(job):
            holding.taken, holding.trace = True, taken.trace
        src, tgt = self._standing.description.codes(taken.src, taken.tgt)
        head = JobHead(
            job_id=job, attempt_id=attempt, utterance_index=taken.index, src_lang=src, tgt_lang=tgt
        )
        return splice(head, payload)

    async def _give_back(self, job: str, attempt: int, code: str) -> None:
        """The frame was not written: the slot is free, and no try is used up.

        Told until Redis answers: a ``take`` without an answer may have run, or run later, and
        after this it finds nothing. Meanwhile the job stays held, so that nobody here takes it
        again.
        """
        holding = self._held.get(job)
        if holding is not None:
            holding.taken = False
        over_s = time.monotonic() + self._cells.limits.job_life_ms / 1000
        pause_s = FIRST_PAUSE_S
        while not await self._is_released(job, attempt, code) and time.monotonic() < over_s:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            if self._held.get(job) not in (None, holding):
                return
        self._held.remove(job, attempt)

    async def _is_released(self, job: str, attempt: int, code: str) -> bool:
        """False when Redis did not answer."""
        standing = self._standing
        try:
            reply = await scripts.release(
                self._cells,
                cell=standing.cell,
                job=job,
                attempt=attempt,
                node=standing.node,
                code=code,
            )
        except StoreError:
            return False
        if isinstance(reply, scripts.Released) and reply.more:
            self._start(standing.offer())
        return True
