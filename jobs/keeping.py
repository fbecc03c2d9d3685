"""Finishes results, and keeps those that Redis can't take or does not know, to finish them again.

While Redis is away nodes go on working; after it lost its state a result may come before its job is
there again. Either way the answer is not thrown away.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from jobs.notes import Notes
from jobs.outcome import Ready
from lua import scripts
from lua.client import Cells
from lua.errors import ScriptFailed, StoreError, StoreFull, StoreUnavailable
from lua.scripts import Sight

log = structlog.get_logger(__name__)

Reply = scripts.Done | scripts.Retried | scripts.Failed | scripts.Dropped | scripts.Late
ROUND_S = 0.25
OVERHEAD_BYTES = 1_024  # of a kept result beside its body


@dataclass(eq=False)
class _Kept:
    cell: int
    ready: Ready
    settled: Callable[[Reply], None]
    kept_at_s: float
    unknown_since_s: float | None = None

    @property
    def bytes(self) -> int:
        return len(self.ready.body) + OVERHEAD_BYTES


class Keeper:
    """One a ``process``, its id. ``limit_bytes``: most that is kept; the oldest gives way.

    ``again_ms``: how long a result is finished again after Redis said that it does not know the
    job. While Redis does not answer, a result is kept as long as its job may live.
    """

    def __init__(
        self, cells: Cells, process: str, notes: Notes, *, limit_bytes: int, again_ms: int
    ) -> None:
        self._cells = cells
        self._process = process
        self._notes = notes
        self._limit_bytes = limit_bytes
        self._again_s = again_ms / 1000
        self._kept: dict[str, _Kept] = {}
        self._bytes = 0
        self._rounds: dict[int, asyncio.Task[None]] = {}  # by cell

    def __len__(self) -> int:
        return len(self._kept)

    async def finish(self, cell: int, ready: Ready, settled: Callable[[Reply], None]) -> None:
        """Finish a result; ``settled`` gets the reply, now or later, or never if it is given up.

        The script call is issued before the first suspension, unless the body is a large one.
        """
        result = _Kept(cell, ready, settled, time.monotonic())
        try:
            if await self._try(result):
                return
        except StoreError as error:
            log.warning("a result is kept", job=ready.outcome.job, why=str(error))
        self._keep(result)

    async def stop(self) -> None:
        """Give up what is kept."""
        for rounds in self._rounds.values():
            rounds.cancel()
        await asyncio.gather(*self._rounds.values(), return_exceptions=True)

    async def _try(self, result: _Kept) -> bool:
        """Whether it was answered. Raises StoreError when Redis could not be asked."""
        outcome, body = result.ready.outcome, result.ready.body
        try:
            reply = await scripts.finish(
                self._cells,
                cell=result.cell,
                outcome=outcome,
                result=body,
                process=self._process,
            )
        except ScriptFailed:
            log.exception("finish failed", job=outcome.job)
        else:
            if isinstance(reply, scripts.Late):
                attempt = result.ready.attempt
                self._note(result, Sight.LATE_RESULT, f"{reply.state}, attempt {attempt}")
            if not isinstance(reply, scripts.Unknown):
                self._settle(result, reply)
                return True
        result.unknown_since_s = result.unknown_since_s or time.monotonic()
        return False

    def _settle(self, result: _Kept, reply: Reply) -> None:
        """Whatever comes of it, Redis has the answer, and other results wait."""
        try:
            result.settled(reply)
        except Exception:
            log.exception("a finished result could not be told", job=result.ready.outcome.job)

    def _keep(self, result: _Kept) -> None:
        self._kept[result.ready.outcome.token] = result
        self._bytes += result.bytes
        while self._bytes > self._limit_bytes:
            self._drop(next(iter(self._kept.values())), "too much is kept")
        cell = result.cell
        if self._of(cell) and (cell not in self._rounds or self._rounds[cell].done()):
            self._rounds[cell] = asyncio.create_task(self._finish_again(cell))

    def _of(self, cell: int) -> list[_Kept]:
        return [result for result in self._kept.values() if result.cell == cell]

    async def _finish_again(self, cell: int) -> None:
        while self._of(cell):
            await asyncio.sleep(ROUND_S)
            try:
                for result in self._of(cell):
                    await self._try_again(result)
            except StoreUnavailable:
                # Who was not asked has not said that the job is unknown.
                for result in self._of(cell):
                    result.unknown_since_s = None
            for result in self._of(cell):
                if self._is_over(result):
                    self._drop(result, "nobody knows its job")

    async def _try_again(self, result: _Kept) -> None:
        """Raises StoreUnavailable, which the others of the cell would only wait for, too."""
        if result.ready.outcome.token not in self._kept:
            return
        try:
            if await self._try(result):
                self._remove(result)
        except StoreFull as error:
            log.debug("a result is still kept", job=result.ready.outcome.job, why=str(error))

    def _is_over(self, result: _Kept) -> bool:
        now_s = time.monotonic()
        if result.unknown_since_s is not None and now_s - result.unknown_since_s > self._again_s:
            return True
        return now_s - result.kept_at_s > self._cells.limits.job_life_ms / 1000

    def _drop(self, result: _Kept, why: str) -> None:
        log.warning("a result is given up", job=result.ready.outcome.job, why=why)
        self._note(result, Sight.UNKNOWN_RESULT, why)
        self._remove(result)

    def _note(self, result: _Kept, what: Sight, text: str) -> None:
        outcome = result.ready.outcome
        self._notes.tell(what, cell=result.cell, node=outcome.node, job=outcome.job, text=text)

    def _remove(self, result: _Kept) -> None:
        if self._kept.pop(result.ready.outcome.token, None):
            self._bytes -= result.bytes
