"""The runtime of one web process: its connections to Redis, its lease, its mailboxes, the reaper.

Both sockets' consumers find it in ``scope["parley"]``. What the scripts tell this process arrives
through :mod:`jobs.mailroom`; what it holds is told again by :mod:`jobs.replay`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import structlog

from jobs.lease import Lease
from jobs.mailroom import Mailroom
from jobs.reaper import reap
from jobs.replay import Replay, Replayer
from jobs.results import Results
from jobs.sessions import Sessions
from jobs.settings import JobSettings
from jobs.streams.memory import Memory
from lua import ids, times
from lua.client import Cells, StoreSettings
from lua.errors import StateDiffers, StoreError
from lua.mailbox import Hello, Message, NewConfig
from lua.scripts import IN_ORDER, Dispatched, Taken
from pools.settings import PoolSettings
from pools.snapshot import Snapshot

if TYPE_CHECKING:
    from jobs.streams.stream import Stream

log = structlog.get_logger(__name__)

M = TypeVar("M", bound=Message)


class Bearer(Protocol):
    """Takes jobs to the nodes of this process."""

    def begin(self, cell: int, begun: Dispatched, taken: Taken) -> None:
        """Send a job that was dispatched to one of them."""

    def decline(self, cell: int, begun: Dispatched) -> None:
        """Give such a job back: it was not sent."""


FIRST_LEASE_S = 2.0
RESTART_S = 1.0
LOOK_S = 0.05


class Process:
    """One web process.

    ``replayers`` are called with a cell whenever Redis may have forgotten what this process
    holds. ``drainers`` are called when :meth:`drain` begins, and ``busy`` count the live jobs that
    it waits for; ``stoppers`` are awaited by :meth:`stop` before the connections close.
    ``starters`` are awaited first of all by :meth:`start`.
    ``callers``: session sockets that are accepted, whether their session is open yet or not.
    ``bearer`` takes jobs to nodes of this process at once; without it all go through the mailbox.
    ``speaking``: streams with an utterance that is not cut yet; ``streams``: their sound.
    ``asking``: jobs whose ``dispatch`` has not been answered yet; a replay must not lose them.
    """

    def __init__(
        self,
        store: StoreSettings,
        settings: JobSettings,
        pools: PoolSettings,
    ) -> None:
        self.id = f"web-{ids.new_token()}"
        self.settings = settings
        self.cells = Cells(store)
        self.snapshot = Snapshot(self.cells.count, pools)
        self.draining = False
        self.callers = 0
        self.mailroom = Mailroom(self.cells, self.id)
        self.results = Results(self.cells, limit_bytes=settings.results_at_hand_bytes)
        self.speaking: set[Stream] = set()
        self.streams = Memory(settings.streams.stream_memory_bytes)
        self.bearer: Bearer | None = None
        self.asking: set[str] = set()
        self.sessions = Sessions(self)
        self.replayers: list[Replayer] = [self._agree, self.sessions.replay]
        self.drainers: list[Callable[[], None]] = []
        self.busy: list[Callable[[], int]] = [self.sessions.unfinished]
        self.starters: list[Callable[[], Awaitable[None]]] = []
        self.stoppers: list[Callable[[], Awaitable[None]]] = [self.sessions.stop]
        self._replays = [Replay(cell, self.replayers) for cell in range(self.cells.count)]
        self._leases = [self._lease(cell) for cell in range(self.cells.count)]
        self._tasks: list[asyncio.Task[None]] = []
        self.handle(NewConfig, self._reload)
        self.handle(Hello, lambda cell, message: None)

    def handle(self, kind: type[M], handler: Callable[[int, M], None]) -> None:
        """Have messages of a kind, from the mailboxes, handed to ``handler(cell, message)``."""
        self.mailroom.handle(kind, handler)

    async def start(self) -> None:
        """Begin to run. Redis may be away: then this takes 2 s, and it goes on when it is back.

        Raises StateDiffers where other processes have another layout, or number of cells.
        """
        for starter in self.starters:
            await starter()
        await self.cells.start(IN_ORDER)
        self._run(partial(times.publish, self.cells, self.id, self.streams.figures))
        self.cells.on_reconnect(lambda cell: self._leases[cell].doubt())
        for cell in range(self.cells.count):
            self._run(self._leases[cell].keep)
            self._run(self._replays[cell].run)
            self._run(partial(self.mailroom.read, cell))
            self._run(partial(self._reap, cell))
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_LEASE_S):
                await asyncio.gather(*(lease.held.wait() for lease in self._leases))
        if self._leases[0].held.is_set():
            with suppress(StoreError):
                await self.cells.agree()

    async def _agree(self, cell: int) -> None:
        """A Redis that has lost everything does not know layout and number of cells any more."""
        try:
            if cell == 0:
                await self.cells.agree()
        except StateDiffers as error:
            log.error("this process finds nobody that others find", why=str(error))

    async def ready(self, cell: int) -> bool:
        """Whether a cell knows this process, so that it can be told of outcomes; waits a little."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_LEASE_S):
                await self._leases[cell].held.wait()
        return self._leases[cell].held.is_set()

    def suspect(self, cell: int) -> None:
        """Redis has lost a session: then it may have lost everything, and all is told again."""
        self.snapshot.doubt(cell)
        self._leases[cell].doubt()

    async def drain(self, timeout_s: float) -> None:
        """No new sessions and jobs; return when the live jobs are over, or after ``timeout_s``."""
        for stream in list(self.speaking):
            stream.cut_short()  # what is said so far is answered, too
        self.draining = True
        for drainer in self.drainers:
            drainer()
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while any(count() for count in self.busy):  # noqa: ASYNC110 - counts have no event
                    await asyncio.sleep(LOOK_S)

    async def stop(self) -> None:
        """End everything; the sockets are closed before. The lease is left to end by itself."""
        self.draining = True
        for stopper in self.stoppers:
            await stopper()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.cells.close()

    def _lease(self, cell: int) -> Lease:
        return Lease(
            self.cells,
            self.snapshot,
            cell=cell,
            process=self.id,
            pause_ms=self.settings.lease_pause_ms,
            on_loss=lambda cell: self._replays[cell].ask(),
        )

    def _reap(self, cell: int) -> Coroutine[Any, Any, None]:
        settings = self.settings
        return reap(self.cells, cell, pause_ms=settings.reap_pause_ms, limit=settings.reap_limit)

    def _reload(self, cell: int, message: NewConfig) -> None:
        self._leases[cell].look()

    def _run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._tasks.append(asyncio.create_task(_forever(work)))


async def _forever(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """A loop that fails is a defect; it must not end the process's service."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("a loop failed and is started again")
            await asyncio.sleep(RESTART_S)
