"""Calls of a node's life. ``more`` in a reply: jobs wait for its free slots; call ``offer``."""

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from lua import ids
from lua.client import Cells
from lua.script import Script, Spec
from lua.states import NodeState


class Node(Spec, frozen=True, kw_only=True):
    """What selection must know of a node; part of a registration and of a heartbeat.

    ``capacity``: slots; ``arbitrates``: it queues on its own GPU. ``core``: the core types are
    ready. ``gpu``: a GPU is reported or none is required. ``hot``: CPU, GPU or memory is over the
    threshold. ``pools`` (the auto pool first) and ``has`` are names; ``config`` is the version they
    were computed with, ``out`` the services left out (sorted). ``definition``: JSON of the auto
    pool, kept while it has members. ``reasons``: JSON, pool → why it is in it or not; what changes
    goes into the history. ``caps``: JSON for people, never read by a script.
    """

    capacity: int
    arbitrates: bool
    public: bool
    enabled: bool
    core: bool
    gpu: bool
    hot: bool
    config: int
    pools: list[str]
    has: list[str]
    out: list[str]
    definition: str
    reasons: str
    caps: str


class Registration(Spec, frozen=True, kw_only=True):
    """``conn``: unguessable token of this connection. ``process`` is empty for a node without a
    socket, which lives as long as it asks for jobs or sends heartbeats. ``credential``: digest of
    the token the peer showed, or empty. ``running``: jobs the agent says it still works on; None:
    unknown. ``held``: on a replay after a loss of Redis, ``[job, attempt]`` of all it was sent;
    ``running`` are then those that are just being taken, and ``sent`` is the last index of each
    session. ``mark``: of this call, by which a replay is recognised where its reply was lost and it
    comes again: it knows nothing of what the node was sent after it.
    """

    node: str
    conn: str
    process: str
    credential: str
    address: str
    draining: bool
    about: Node
    running: list[str] | None
    held: list[tuple[str, int]] | None
    sent: list[tuple[str, int]] | None = None
    mark: str = msgspec.field(default_factory=ids.new_token)


@dataclass(frozen=True)
class Ok:
    """Done; ``state`` of the node now."""

    state: NodeState
    more: bool


@dataclass(frozen=True)
class Already:
    """This connection is the present one; only what it holds was compared."""

    state: NodeState
    more: bool


@dataclass(frozen=True)
class Stale:
    """A later connection of the node has taken over (or ended this one). Nothing changed."""


@dataclass(frozen=True)
class Outdated:
    """Computed with an older configuration than ``version``: reload and repeat."""

    version: int


@dataclass(frozen=True)
class Services:
    """Computed without knowing that these services are out: leave them out and repeat."""

    out: list[str]


@dataclass(frozen=True)
class IdConflict:
    """Another live peer with another credential uses this id, or it is fought over."""


@dataclass(frozen=True)
class Unknown:
    """Redis does not know the node."""


REGISTER_NODE = Script(
    "register_node", (Ok, Already, Stale, Outdated, Services, IdConflict), Registration
)


async def register_node(
    cells: Cells, *, cell: int, registration: Registration
) -> Ok | Already | Stale | Outdated | Services | IdConflict:
    """Make a connection the node's present one and put the node in its pools."""
    return await cells.run(REGISTER_NODE, cell, registration.packed())


class Beat(Spec, frozen=True, kw_only=True):
    """``running`` and ``queue`` as the node reports them; ``about`` None: nothing has changed
    but ``hot``. ``metrics``: JSON for people.
    """

    node: str
    conn: str
    running: int
    queue: int
    hot: bool
    about: Node | None
    metrics: str


HEARTBEAT = Script("heartbeat", (Ok, Stale, Outdated, Services, Unknown), Beat)


async def heartbeat(
    cells: Cells, *, cell: int, beat: Beat
) -> Ok | Stale | Outdated | Services | Unknown:
    """Keep a node alive and judge anew whether it is usable. UNKNOWN: replay its registration."""
    return await cells.run(HEARTBEAT, cell, beat.packed())


NODE_OFFLINE = Script("node_offline", (Ok, Stale))


async def node_offline(cells: Cells, *, cell: int, node: str, conn: str) -> Ok | Stale:
    """The node's socket is gone: no new jobs at once; after the grace its jobs go elsewhere."""
    return await cells.run(NODE_OFFLINE, cell, node, conn)


@dataclass(frozen=True)
class Moved:
    """Memberships are as asked; how many pools it joined and left."""

    joined: int
    left: int
    more: bool


CHANGE_POOLS = Script("change_pools", (Moved, Outdated, Services, Unknown), Node)


async def change_pools(
    cells: Cells, *, cell: int, node: str, about: Node
) -> Moved | Outdated | Services | Unknown:
    """Bring a node's memberships to a new configuration, writing only differences."""
    return await cells.run(CHANGE_POOLS, cell, node, about.packed())


@dataclass(frozen=True)
class Work:
    """Jobs that the node is to take, each with its attempt (``ID=N``; ``ID=N=again`` when it was
    given to it before), and those that are no longer wanted of it.
    """

    state: NodeState
    jobs: list[str]
    unwanted: list[str]


ATTEND_NODE = Script("attend_node", (Work, Stale, Unknown))


async def attend_node(
    cells: Cells, *, cell: int, node: str, conn: str, process: str
) -> Work | Stale | Unknown:
    """A node without a socket asks for jobs; from now on ``process`` is told of new ones."""
    return await cells.run(ATTEND_NODE, cell, node, conn, process)


class Command(StrEnum):
    """What an operator tells a node; passed on to agents that understand ``node_control``."""

    DRAIN = "drain"
    RESUME = "resume"
    SHUTDOWN = "shutdown"  # drain, and leave when empty
    REFRESH = "refresh"  # send a heartbeat now
    KICK = "kick"  # close its connection now
    CLEAR = "clear"  # close its breaker, take its services in again
    DISABLE = "disable"  # recorded; the configuration does it


CONTROL_NODE = Script("control_node", (Ok, Unknown))


async def control_node(
    cells: Cells, *, cell: int, node: str, command: Command, reason: str, deadline_ms: int = -1
) -> Ok | Unknown:
    """Drain, resume, shut down, refresh, kick or clear a node, or record that it was disabled.

    ``deadline_ms`` from now what still runs on a node that drains is given to others; -1: never.
    """
    return await cells.run(CONTROL_NODE, cell, node, command, reason, deadline_ms)


@dataclass(frozen=True)
class Out:
    """The service is out, or was for longer."""


SERVICE_OUT = Script("service_out", (Out, Unknown))


async def service_out(
    cells: Cells, *, cell: int, node: str, service: str, code: str, out_ms: int
) -> Out | Unknown:
    """Leave a service out of what its node offers for ``out_ms``; its process is told."""
    return await cells.run(SERVICE_OUT, cell, node, service, code, out_ms)


@dataclass(frozen=True)
class Live:
    """The node is not offline, or still holds jobs: it stays."""


FORGET_NODE = Script("forget_node", (Ok, Live, Unknown))


async def forget_node(
    cells: Cells, *, cell: int, node: str, offline_ms: int
) -> Ok | Live | Unknown:
    """Remove every trace of a node that has been offline for ``offline_ms``."""
    return await cells.run(FORGET_NODE, cell, node, offline_ms)


OFFER = Script("offer", (Ok, Unknown))


async def offer(cells: Cells, *, cell: int, node: str) -> Ok | Unknown:
    """Give free slots of a node to waiting jobs; at most 8 a call, ``more`` says go on."""
    return await cells.run(OFFER, cell, node)
