"""The nodes whose sockets this process holds: where the mailbox's words for them arrive.

A job comes from ``dispatch`` through the mailbox to :meth:`Registry.assign`, or from a session of
this process to :meth:`Registry.begin`; its next stop is :mod:`nodes.delivery`. After a loss of
Redis the registrations of all these nodes are told again.
"""

import asyncio
import contextlib
from itertools import islice
from weakref import WeakKeyDictionary

from jobs.chores import Chores
from jobs.keeping import Keeper
from jobs.notes import Notes
from jobs.pauses import pauses
from jobs.process import Process
from lua import scripts
from lua.errors import StoreError
from lua.mailbox import Assign, CancelJob, Control, Replaced, Services
from nodes.connected import Connected
from nodes.giving_back import Placing, give_back
from nodes.holdings import Holdings
from nodes.settings import NodeSettings
from nodes.standing import Standing
from parley.codes import ErrorCode

AT_ONCE = 256  # registrations of a replay that are under way together


class Registry:
    """One a process. What it starts outlives the sockets: a result is finished all the same."""

    def __init__(self, process: Process, settings: NodeSettings) -> None:
        self.process = process
        self.cells = process.cells
        self.snapshot = process.snapshot
        self.settings = settings
        self.notes = Notes(self.cells)
        self.keeper = Keeper(
            self.cells,
            process.id,
            self.notes,
            limit_bytes=settings.kept_results_bytes,
            again_ms=settings.finish_again_ms,
        )
        self.holdings = Holdings(life_ms=self.cells.limits.job_life_ms)
        self._chores = Chores()
        self.start = self._chores.start  # what no socket's end stops
        self.resting = False
        self._connections: dict[str, Connected] = {}
        self._of_node: dict[str, list[Connected]] = {}

    def __len__(self) -> int:
        return len(self._connections)

    @property
    def busy(self) -> int:
        """How many jobs the nodes here are expected to answer."""
        return sum(self.holdings[node].wanted for node in self._of_node)

    def add(self, connection: Connected) -> None:
        """Before the registration, because a job may follow it at once.

        An earlier connection of the node that still waits for its registration gives way: it
        must not be answered after this one.
        """
        node = connection.standing.node
        self.holdings.came(node)
        of_node = self._of_node.setdefault(node, [])
        for earlier in of_node:
            if earlier is not connection and earlier.gives_way_to(connection.standing):
                earlier.replaced()
        if connection not in of_node:
            of_node.append(connection)
        self._connections[connection.standing.conn] = connection

    def attend(self, connection: Connected) -> None:
        """A node without a socket asks for its jobs; an earlier request of it ends."""
        if earlier := self._connections.get(connection.standing.conn):
            earlier.replaced()
        self._connections[connection.standing.conn] = connection

    def leave(self, connection: Connected) -> None:
        """It is answered. The node lives on: nobody's socket has closed."""
        if self._connections.get(connection.standing.conn) is connection:
            del self._connections[connection.standing.conn]

    def remove(self, connection: Connected) -> None:
        """The socket is gone: tell Redis, however long that takes."""
        standing, node = connection.standing, connection.standing.node
        if self._connections.pop(standing.conn, None) is None:
            return
        self.start(self._leave(standing))
        self._of_node[node].remove(connection)
        if not self._of_node[node]:
            del self._of_node[node]
            self.holdings.left(node)

    def assign(self, cell: int, message: Assign) -> None:
        """A reservation. For a connection that is gone the grace of its node gives it back."""
        if connection := self._connections.get(message.conn):
            connection.delivery.assign(message.job, message.attempt)

    def begin(self, cell: int, begun: scripts.Dispatched, taken: scripts.Taken) -> None:
        """A job that a session of this process has placed here."""
        if connection := self._connections.get(begun.conn):
            connection.delivery.send(begun.job, begun.attempt, taken)
        else:
            self.decline(cell, begun)

    def decline(self, cell: int, begun: scripts.Dispatched) -> None:
        """A job that was placed here and is not to be sent, unless it was before."""
        held = self.holdings.get(begun.node)
        if held is None or held.get(begun.job) is None:
            self.start(self._give_back(cell, begun))

    def cancel(self, cell: int, message: CancelJob) -> None:
        """A job that its node need not work on any more."""
        if connection := self._connections.get(message.conn):
            connection.delivery.cancel(message.job, message.code)

    def replaced(self, cell: int, message: Replaced) -> None:
        """A newer connection of the node, here or elsewhere."""
        if connection := self._connections.get(message.conn):
            connection.replaced()

    def control(self, cell: int, message: Control) -> None:
        """An operator's command."""
        if connection := self._connections.get(message.conn):
            connection.control(message.command, message.reason)

    def services(self, cell: int, message: Services) -> None:
        """Other services of a node are out than before."""
        if connection := self._connections.get(message.conn):
            connection.standing.out = frozenset(message.out)
            self.start(self._reconsider([connection]))

    async def replay(self, cell: int) -> None:
        """Tell a cell again who is here and what each of them holds. Raises StoreError."""
        connections = iter(self._in(cell))
        while some := list(islice(connections, AT_ONCE)):
            replays = [one.replay() for one in some]
            for outcome in await asyncio.gather(*replays, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    raise outcome

    def configuration_changed(self, cell: int) -> None:
        """Judge the nodes of a cell anew, one after the other."""
        self.start(self._reconsider(self._in(cell)))

    def rest(self) -> None:
        """This process is about to end: its nodes finish what they have and get no more here."""
        self.resting = True
        for connection in self._connections.values():
            connection.standing.resting = True
        self.start(self._reconsider(list(self._connections.values())))

    async def stop(self) -> None:
        """End what still runs, after the sockets."""
        await self.keeper.stop()
        await self.notes.stop()
        await self._chores.stop()

    async def _reconsider(self, connections: list[Connected]) -> None:
        for connection in connections:
            with contextlib.suppress(StoreError):  # its next heartbeat tells the same
                await connection.reconsider()
            await asyncio.sleep(0)

    async def _give_back(self, cell: int, begun: scripts.Dispatched) -> None:
        """Nobody else would find out before the job's timeout."""
        placing = Placing(cell, begun.node, begun.job, begun.attempt)
        if await give_back(self.cells, placing, ErrorCode.WS_DISCONNECTED):
            for newer in self._of_node.get(begun.node, ()):
                await newer.standing.offer()

    async def _leave(self, standing: Standing) -> None:
        pause_s = pauses()
        while True:
            try:
                await standing.leave()
            except StoreError:
                await asyncio.sleep(next(pause_s))
            else:
                return

    def _in(self, cell: int) -> list[Connected]:
        return [one for one in self._connections.values() if one.standing.cell == cell]


_registries: WeakKeyDictionary[Process, Registry] = WeakKeyDictionary()


def registry_of(process: Process) -> Registry:
    """The registry that was attached to a process."""
    return _registries[process]


def attach(process: Process, settings: NodeSettings) -> Registry:
    """Make the registry of a process, told of its mailbox's messages and every loss of Redis."""
    registry = _registries[process] = Registry(process, settings)
    process.handle(Assign, registry.assign)
    process.handle(CancelJob, registry.cancel)
    process.handle(Replaced, registry.replaced)
    process.handle(Control, registry.control)
    process.handle(Services, registry.services)
    process.bearer = registry
    process.replayers.append(registry.replay)
    process.drainers.append(registry.rest)
    process.busy.append(lambda: registry.busy)
    process.stoppers.append(registry.stop)
    process.snapshot.watchers.append(registry.configuration_changed)
    return registry
