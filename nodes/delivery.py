"""Brings jobs to a node: takes each reservation and writes its frame, once an attempt.

Frames leave in the order of the takes, because an agent wants the utterances of a session index by
index: one whose payload takes longer to fetch holds back those after it. The node's answer comes
back through :mod:`nodes.connection`.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import structlog

from lua import scripts
from lua.client import Cells
from lua.errors import StoreError
from nodes.held import Held
from nodes.standing import Standing
from parley.codes import ErrorCode
from parley.frames import JobCancel, JobHead, encode, splice

Start = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]

log = structlog.get_logger(__name__)


@dataclass(eq=False)
class _Place:
    """A frame's place in the order of writing; None until it is known, empty for none.

    ``attempt``: job and attempt that it brings, to be given back if it can't be written.
    """

    frame: bytes | None = None
    attempt: tuple[str, int] | None = None


class Delivery:
    """The way out of one connection. ``write(frame)`` answers False when the socket is gone.

    ``start`` runs tasks that outlive the connection, so that nothing taken stays unsent.
    """

    def __init__(
        self,
        cells: Cells,
        standing: Standing,
        held: Held,
        *,
        start: Start,
        write: Callable[[bytes], bool],
    ) -> None:
        self._cells = cells
        self._standing = standing
        self._held = held
        self._start = start
        self._write = write
        self._places: deque[_Place] = deque()
        self._open = True

    def assign(self, job: str, attempt: int) -> None:
        """A reservation for this node: take it and send it, unless that has been done."""
        if self._held.add(job, attempt):
            place = self._place((job, attempt))
            self._start(self._deliver(job, attempt, place))

    def cancel(self, job: str, code: str) -> None:
        """Tell the node that a job is not wanted any more, after the job itself."""
        frame = encode(JobCancel(job_id=job, trace_id=self._held.trace(job) or None, reason=code))
        self._fill(self._place(), frame)

    def close(self) -> None:
        """The socket is gone: what is being fetched is given back instead of written."""
        self._open = False

    async def _deliver(self, job: str, attempt: int, place: _Place) -> None:
        frame = b""
        try:
            frame = await self._take(job, attempt)
        except StoreError as error:
            # Taken or not, it is not written: the reservation's or the job's own timer moves it.
            self._held.remove(job, attempt)
            log.warning(
                "a job could not be taken", job=job, node=self._standing.node, why=str(error)
            )
        finally:
            self._fill(place, frame)

    async def _take(self, job: str, attempt: int) -> bytes:
        """The job's frame; empty when the job is somebody else's now, or lost."""
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
            payload = await self._payload(job, attempt, reply)
            return self._frame(job, attempt, reply, payload) if payload else b""
        self._held.remove(job, attempt)
        if isinstance(reply, scripts.Lost) and reply.more:
            await standing.offer()
        return b""

    async def _payload(self, job: str, attempt: int, taken: scripts.Taken) -> bytes:
        if not taken.big:
            return taken.payload
        try:
            payload = await self._cells.payload(self._standing.cell, job)
        except StoreError:
            payload = None
        if not payload:
            await self._give_back(job, attempt)
        return payload or b""

    def _frame(self, job: str, attempt: int, taken: scripts.Taken, payload: bytes) -> bytes:
        if holding := self._held.get(job):
            holding.taken, holding.trace = True, taken.trace
        src, tgt = self._standing.description.codes(taken.src, taken.tgt)
        head = JobHead(
            job_id=job, attempt_id=attempt, utterance_index=taken.index, src_lang=src, tgt_lang=tgt
        )
        return splice(head, payload)

    async def _give_back(self, job: str, attempt: int) -> None:
        """The frame was not written: the slot is free, and no try is used up."""
        self._held.remove(job, attempt)
        standing = self._standing
        reply = await scripts.release(
            self._cells,
            cell=standing.cell,
            job=job,
            attempt=attempt,
            node=standing.node,
            code=ErrorCode.WS_DISCONNECTED,
        )
        if isinstance(reply, scripts.Released) and reply.more:
            await standing.offer()

    def _place(self, attempt: tuple[str, int] | None = None) -> _Place:
        place = _Place(attempt=attempt)
        self._places.append(place)
        return place

    def _fill(self, place: _Place, frame: bytes) -> None:
        """Write all frames whose turn it is."""
        place.frame = frame
        while self._places and self._places[0].frame is not None:
            first = self._places.popleft()
            if not first.frame:
                continue
            self._open = self._open and self._write(first.frame)
            if not self._open and first.attempt:
                self._start(self._give_back(*first.attempt))
