"""One request of a node without a socket for its jobs: it waits until there are some.

What there is to do is read in Redis each time (:func:`lua.scripts.attend_node`); what the mailbox
says meanwhile only wakes the request. A job is given again until the node acknowledges it.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from lua import scripts, views
from lua.errors import StoreError
from lua.states import NodeState
from nodes.capabilities import Description
from nodes.delivery import job_frame
from nodes.giving_back import Placing, give_back
from nodes.registry import Registry
from nodes.standing import Standing
from parley.codes import ErrorCode

LOOK_AGAIN_S = 2.0
"""Also without news: who was told of a job may have been another process."""


@dataclass(frozen=True)
class Work:
    """``jobs``: encoded ``job_assign`` frames; ``unwanted``: jobs that it need not work on."""

    state: NodeState
    jobs: list[bytes]
    unwanted: list[str]


class Poll:
    """In the registry it is the node's connection, while it waits."""

    def __init__(self, registry: Registry, standing: Standing) -> None:
        self.standing = standing
        self.delivery = self
        self._registry = registry
        self._cells = registry.cells
        self._news = asyncio.Event()
        self._over = registry.resting

    async def run(self, until_s: float) -> Work | None:
        """Until there is a job or other news, or the time of the loop; None: it is not registered.

        Raises StoreError.
        """
        loop = asyncio.get_running_loop()
        while True:
            self._news.clear()
            seen = await self._look()
            if not isinstance(seen, scripts.Work):
                return None
            frames = [await self._take(*placing.split("=")) for placing in seen.jobs]
            jobs = [frame for frame in frames if frame]
            left_s = until_s - loop.time()
            if jobs or self._over or left_s <= 0:
                return Work(seen.state, jobs, seen.unwanted)
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left_s, LOOK_AGAIN_S)):
                    await self._news.wait()

    def assign(self, job: str, attempt: int) -> None:
        """A job is reserved for the node."""
        self._news.set()

    def send(self, job: str, attempt: int, taken: scripts.Taken) -> None:
        """A job was taken for it: it will be found so."""
        self._news.set()

    def cancel(self, job: str, code: str) -> None:
        """A job is not wanted any more."""
        self._end()

    def gives_way_to(self, newer: Standing) -> bool:
        return False

    def replaced(self) -> None:
        """The node asks anew, or is connected otherwise."""
        self._end()

    def control(self, command: str, reason: str) -> None:
        """An operator's command: its state says the rest."""
        self._end()

    async def replay(self) -> None:
        """After a loss of Redis it is told to register again."""

    async def reconsider(self) -> None:
        """The configuration, or what it is left out of, has changed. Raises StoreError."""
        if self.standing.resting:
            self._end()
            return
        known = await views.registered(self._cells, self.standing.node)
        if known is not None and known.conn == self.standing.conn:
            self.standing.description = Description.read(known.caps)
            await self.standing.change_pools()

    def _end(self) -> None:
        self._over = True
        self._news.set()

    async def _look(self) -> scripts.Work | scripts.Stale | scripts.node.Unknown:
        standing = self.standing
        return await scripts.attend_node(
            self._cells,
            cell=standing.cell,
            node=standing.node,
            conn=standing.conn,
            process=self._registry.process.id,
        )

    async def _take(self, job: str, number: str, again: str = "") -> bytes | None:
        """The frame; None: it is somebody else's now, or lost. What it was given before ``again``
        is the node's, also when it is to take no new jobs.
        """
        standing, attempt = self.standing, int(number)
        if not again and standing.is_withheld and await standing.is_withheld_still():
            self._registry.start(self._give_back(job, attempt, ErrorCode.NODE_UNAVAILABLE))
            return None
        reply = await scripts.take(
            self._cells,
            cell=standing.cell,
            job=job,
            attempt=attempt,
            node=standing.node,
            conn=standing.conn,
        )
        if isinstance(reply, scripts.Lost) and reply.more:
            self._registry.start(standing.offer())
        if not isinstance(reply, scripts.Taken):
            return None
        payload: bytes | None = reply.payload
        if reply.big:
            payload = await self._cells.payload(standing.cell, job)
        if not payload:
            self._registry.start(self._give_back(job, attempt, ErrorCode.STATE_LOST))
            return None
        return job_frame(job, attempt, reply, payload, index=reply.index, to=standing)

    async def _give_back(self, job: str, attempt: int, code: ErrorCode) -> None:
        placing = Placing(self.standing.cell, self.standing.node, job, attempt)
        with suppress(StoreError):
            if await give_back(self._cells, placing, code):
                await self.standing.offer()
