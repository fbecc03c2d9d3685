"""One node's standing with Redis through one connection: registration, heartbeats, pools.

Selection (``dispatch``) sees of a node what is written from here.
"""

import asyncio
import contextlib
from collections.abc import Collection
from dataclasses import dataclass

import msgspec

from lua import ids, scripts
from lua.client import Cells
from lua.errors import StoreError
from lua.scripts import Beat, Node, Registration
from lua.scripts.node import Unknown
from lua.states import NodeState
from nodes.capabilities import MOST_SLOTS, Description, is_hot
from nodes.held import Held
from nodes.settings import NodeSettings
from parley.frames import ABSENT, NodeHeartbeat, ResourceUsage
from pools.snapshot import Snapshot

LARGEST_METRICS = 16_384
Registered = scripts.Ok | scripts.Already | scripts.Stale | scripts.IdConflict
Beaten = scripts.Ok | scripts.Stale | Unknown
CATCH_UP_S = 0.05


@dataclass(frozen=True)
class Peer:
    """Who speaks: the node's id, a digest of the credential it showed, where it comes from."""

    node: str
    process: str
    credential: str
    address: str

    def is_again(self, other: "Peer") -> bool:
        """Whether the other is the same node with the same credential."""
        return (self.node, self.credential) == (other.node, other.credential)


class Metrics(msgspec.Struct, omit_defaults=True):
    """What a heartbeat reports for display."""

    timestamp: int
    resource_usage: ResourceUsage
    rerun_metrics: msgspec.Raw = ABSENT
    processing_metrics: msgspec.Raw = ABSENT
    asr_metrics: msgspec.Raw = ABSENT


class Standing:
    """``conn`` is this connection's token, a new one unless it is given; ``out``: services (ids)
    that are left out, as far as known here: Redis says so when others are. All calls raise
    StoreError when Redis is away.
    """

    def __init__(
        self,
        cells: Cells,
        snapshot: Snapshot,
        settings: NodeSettings,
        peer: Peer,
        description: Description,
        *,
        conn: str = "",
        hot: bool = False,
    ) -> None:
        self._cells = cells
        self._snapshot = snapshot
        self._settings = settings
        self.peer = peer
        self.node = peer.node
        self.conn = conn or ids.new_token()
        self.cell = ids.cell_of_node(peer.node, cells.count)
        self.description = description
        self.state = NodeState.REGISTERING
        self.out: frozenset[str] = frozenset()
        self.asking: Collection[str] = ()  # jobs whose dispatch is not answered yet
        self.resting = False  # this process is about to end: no new jobs through it
        self._told: Node | None = None  # None: not sure what Redis knows
        self._hot = hot

    @property
    def services(self) -> frozenset[str]:
        """Ids of the services that the node has said it has."""
        return frozenset(one.service_id for one in self.description.installed_services)

    @property
    def is_withheld(self) -> bool:
        """Whether it is to take no new jobs, drained or disabled, by what operators decided."""
        known = self._snapshot.configuration(self.cell)
        return self.node in known.drained or self.node in known.disabled

    async def is_withheld_still(self) -> bool:
        """As ``is_withheld``, after a look at what Redis knows: it may have been resumed."""
        with contextlib.suppress(StoreError):
            await self._snapshot.reload(self._cells, self.cell)
        return self.is_withheld

    @property
    def is_drained(self) -> bool:
        """Whether an operator wants it to take no new jobs, by what SQL says."""
        return self.node in self._snapshot.configuration(self.cell).drained

    def about(self) -> Node:
        """The node as it is now by the configuration that this process knows."""
        configuration = self._snapshot.configuration(self.cell)
        about = self.description.node(self.node, configuration, self._settings, out=self.out)
        return msgspec.structs.replace(about, enabled=False) if self.resting else about

    async def register(
        self, *, running: list[str] | None = None, held: Held | None = None
    ) -> Registered:
        """Make this connection the node's present one; for a replay with all that it holds."""
        while True:
            self._told, about = None, self.about()
            registration = Registration(
                node=self.node,
                conn=self.conn,
                process=self.peer.process,
                credential=self.peer.credential,
                address=self.peer.address,
                draining=self.state is NodeState.DRAINING or self.is_drained,
                about=msgspec.structs.replace(about, hot=self._hot),
                running=running if held is None else [*held.coming(), *self.asking],
                held=None if held is None else held.pairs(),
                sent=None if held is None else held.numbers(),
            )
            reply = await scripts.register_node(
                self._cells, cell=self.cell, registration=registration
            )
            if not isinstance(reply, scripts.Services | scripts.Outdated):
                break
            await self._learn(reply)
        if isinstance(reply, scripts.Ok | scripts.Already):
            self._told, self.state = about, reply.state
        return reply

    async def beat(self, frame: NodeHeartbeat) -> Beaten:
        """A heartbeat; only what has changed since the last one goes along."""
        self.description.update(frame)
        usage = frame.resource_usage
        self._hot = is_hot(frame, self._settings)
        while True:
            about = self.about()
            told, self._told = self._told, None
            beat = Beat(
                node=self.node,
                conn=self.conn,
                running=min(usage.running_jobs, MOST_SLOTS),
                queue=min(usage.gpu_queue_length or 0, MOST_SLOTS),
                hot=self._hot,
                about=None if told == about else about,
                metrics=_metrics(frame),
            )
            reply = await scripts.heartbeat(self._cells, cell=self.cell, beat=beat)
            if not isinstance(reply, scripts.Services | scripts.Outdated):
                break
            await self._learn(reply)
        if isinstance(reply, scripts.Ok):
            self._told, self.state = about, reply.state
        return reply

    async def change_pools(self) -> None:
        """After a change on our side, of the configuration or of what the node is left out of:
        move differences, if there are any. No heartbeat: it says nothing of the node's work.
        """
        while True:
            about = self.about()
            if self._told is not None and _same_but_version(self._told, about):
                return
            self._told = None
            reply = await scripts.change_pools(
                self._cells,
                cell=self.cell,
                node=self.node,
                about=msgspec.structs.replace(about, hot=self._hot),
            )
            if not isinstance(reply, scripts.Services | scripts.Outdated):
                break
            await self._learn(reply)
        if isinstance(reply, scripts.Moved):
            self._told = about
            if reply.more:
                await self.offer()

    async def leave(self) -> None:
        """The connection is gone."""
        await scripts.node_offline(self._cells, cell=self.cell, node=self.node, conn=self.conn)

    async def offer(self) -> None:
        """Give the node's free slots to jobs that wait, until there is no more to give.

        Raises nothing: what is left out here the reaper's sweep does.
        """
        with contextlib.suppress(StoreError):
            while True:
                reply = await scripts.offer(self._cells, cell=self.cell, node=self.node)
                if not isinstance(reply, scripts.Ok) or not reply.more:
                    return

    async def _learn(self, missed: scripts.Services | scripts.Outdated) -> None:
        """What a call did not know, before it is made again."""
        if isinstance(missed, scripts.Services):
            self.out = frozenset(missed.out)
        else:
            await self._catch_up(missed.version)

    async def _catch_up(self, version: int) -> None:
        """Read the configuration anew, after a call that was made with an older one."""
        await self._snapshot.reload(self._cells, self.cell)
        if self._snapshot.configuration(self.cell).version < version:
            await asyncio.sleep(CATCH_UP_S)


def _same_but_version(one: Node, other: Node) -> bool:
    return msgspec.structs.replace(one, config=other.config) == other


def _metrics(frame: NodeHeartbeat) -> str:
    free = (frame.rerun_metrics, frame.processing_metrics, frame.asr_metrics)
    whole = sum(len(memoryview(raw)) for raw in free) <= LARGEST_METRICS
    metrics = Metrics(frame.timestamp, frame.resource_usage, *(free if whole else ()))
    return msgspec.json.encode(metrics).decode()
