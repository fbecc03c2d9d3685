"""Brings jobs to a node: takes each reservation and writes its frame, once an attempt.

Frames leave in the order in which the jobs were taken, because an agent wants the utterances of a
session index by index. The node's answer comes back through :mod:`nodes.answers`.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import msgspec
import structlog

from lua import scripts
from lua.client import Cells
from lua.errors import StoreError
from nodes.giving_back import Placing, give_back
from nodes.held import Held
from nodes.standing import Standing
from parley.codes import ErrorCode
from parley.frames import JobCancel, JobHead, encode, splice

log = structlog.get_logger(__name__)

Start = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


class Way(Protocol):
    """What is needed of the socket."""

    def has_room(self, size: int) -> bool:
        """Whether a frame of ``size`` bytes may be sent, or the peer is gone."""

    async def room(self, size: int) -> None:
        """Return when a frame of ``size`` bytes may be sent, or the peer is gone."""

    def send_frame(self, frame: bytes) -> bool:
        """False when the peer is gone."""


def job_frame(
    job: str, attempt: int, taken: scripts.Taken, payload: bytes, *, index: int, to: Standing
) -> bytes:
    """The ``job_assign``, with the languages in the node's own codes."""
    src, tgt = to.description.codes(taken.src, taken.tgt)
    head = JobHead(
        job_id=job, attempt_id=attempt, utterance_index=index, src_lang=src, tgt_lang=tgt
    )
    return splice(head, payload)


class _Parcel(msgspec.Struct, frozen=True):
    job: str
    attempt: int
    taken: scripts.Taken


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
        self._line: deque[_Parcel] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._pending: dict[str, int] = {}  # job → attempt
        self._unwanted: dict[str, str] = {}  # pending job → code

    def assign(self, job: str, attempt: int) -> None:
        """A reservation for this node: take it and send it, unless that has been done."""
        if self._held.add(job, attempt):
            self._pending[job] = attempt
            withheld = self._standing.is_withheld
            self._start(self._decline(job, attempt) if withheld else self._take(job, attempt))

    def send(self, job: str, attempt: int, taken: scripts.Taken) -> None:
        """A job that was taken when it was placed: send it, unless that has been done."""
        if self._held.add(job, attempt):
            self._pending[job] = attempt
            if self._standing.is_withheld:
                self._start(self._decline(job, attempt, taken))
            else:
                self._line_up(_Parcel(job, attempt, taken))

    def cancel(self, job: str, code: str) -> None:
        """A job is not wanted any more: tell the node, unless it can still be kept from it."""
        if job in self._pending:
            self._unwanted[job] = code
        else:
            self._held.call_off(job)
            trace = self._held.trace(job) or None
            self._way.send_frame(encode(JobCancel(job_id=job, trace_id=trace, reason=code)))

    async def _decline(self, job: str, attempt: int, taken: scripts.Taken | None = None) -> None:
        """Operators want no jobs here. Redis does not know it, as an older copy of it does not."""
        if await self._standing.is_withheld_still():
            await self._give_back(job, attempt, ErrorCode.NODE_UNAVAILABLE)
        elif taken is not None:
            self._line_up(_Parcel(job, attempt, taken))
        else:
            await self._take(job, attempt)

    async def _take(self, job: str, attempt: int) -> None:
        standing = self._standing
        try:
            reply = await scripts.take(
                self._cells,
                cell=standing.cell,
                job=job,
                attempt=attempt,
                node=standing.node,
                conn=standing.conn,
            )
        except StoreError as error:
            await self._give_back(job, attempt, error.code)
            return
        if isinstance(reply, scripts.Taken):
            self._line_up(_Parcel(job, attempt, reply))
            return
        self._held.remove(job, attempt)  # it is somebody else's now, or lost
        self._is_over(job, attempt)
        if isinstance(reply, scripts.Lost) and reply.more:
            await standing.offer()

    def _line_up(self, parcel: _Parcel) -> None:
        payload = parcel.taken.payload
        if self._writer is None and not parcel.taken.big and self._way.has_room(len(payload)):
            self._settle(parcel, self._send(parcel, payload))
            return
        self._line.append(parcel)
        if self._writer is None:
            self._writer = self._start(self._write_all())

    async def _write_all(self) -> None:
        try:
            while self._line:
                parcel = self._line.popleft()
                self._settle(parcel, await self._written(parcel))
        finally:
            self._writer = None

    def _settle(self, parcel: _Parcel, code: str) -> None:
        if code:
            self._start(self._give_back(parcel.job, parcel.attempt, code))
        else:
            self._is_over(parcel.job, parcel.attempt)

    async def _written(self, parcel: _Parcel) -> str:
        """Empty, or why the job was not sent."""
        payload: bytes | None = parcel.taken.payload
        try:
            if parcel.taken.big:
                await self._way.room(self._cells.limits.inline_bytes)
                payload = await self._cells.payload(self._standing.cell, parcel.job)
        except StoreError as error:
            return error.code
        if payload:
            await self._way.room(len(payload))
        return self._send(parcel, payload)

    def _send(self, parcel: _Parcel, payload: bytes | None) -> str:
        """Empty, or why the job was not sent."""
        if not payload or parcel.job in self._unwanted:
            return ErrorCode.WS_DISCONNECTED
        try:
            frame = self._frame(parcel.job, parcel.attempt, parcel.taken, payload)
        except Exception:  # a defect must not hold back the jobs behind it
            log.exception("a job could not be written", job=parcel.job)
            return ErrorCode.INTERNAL_ERROR
        return "" if self._way.send_frame(frame) else ErrorCode.WS_DISCONNECTED

    def _frame(self, job: str, attempt: int, taken: scripts.Taken, payload: bytes) -> bytes:
        if holding := self._held.get(job):
            holding.sent(taken.trace)
        index = self._held.number(taken.session, taken.index)
        return job_frame(job, attempt, taken, payload, index=index, to=self._standing)

    async def _give_back(self, job: str, attempt: int, code: str) -> None:
        """Meanwhile the job stays held, so that nobody here takes it again."""
        standing, holding = self._standing, self._held.get(job)
        log.info("a job is not sent", job=job, node=standing.node, code=code)
        if holding is not None:
            holding.taken = False
        try:
            placing = Placing(standing.cell, standing.node, job, attempt)
            if await give_back(
                self._cells,
                placing,
                code,
                is_wanted=lambda: self._held.get(job) in (None, holding),
            ):
                self._start(standing.offer())
        finally:
            self._held.remove(job, attempt)
            self._is_over(job, attempt)

    def _is_over(self, job: str, attempt: int) -> None:
        if self._pending.get(job) == attempt:
            del self._pending[job]
            self._unwanted.pop(job, None)
