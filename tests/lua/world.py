"""Peers, sessions and processes as they know themselves, around cells that are watched."""

from collections.abc import Callable, Coroutine
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import msgspec

from lua import scripts
from lua.scripts import NewJob, Node
from lua.scripts.job import Missing, NoSession
from lua.states import TERMINAL
from tests.lua.driven import DrivenCells, Made, finished
from tests.lua.invariants import broken
from tests.lua.ledger import Ledger
from tests.lua.promises import broken_promises, unchanged
from tests.lua.snapshot import READ_CELL, Snapshot
from tests.lua.step import Step

TOLD_AGAIN = {"assign", "cancel", "control", "partial", "services"}
"""Messages that a repeated call may send once more: their readers know them again."""
GOES_ON = {"reap", "offer"}
"""Scripts that do a bounded part a call, and the next part when called again."""

Message = tuple[str, dict[str, str]]
Function = Callable[..., Coroutine[Any, Any, Any]]


@dataclass
class Peer:
    """A node's agent, and the process that holds its socket (or none)."""

    node: str
    cell: int
    about: Node
    conn: str = ""
    process: str = ""
    connections: int = 0
    sent: dict[str, int] = field(default_factory=dict)
    """Jobs whose frame it was sent and has not answered: their attempts."""
    assigned: list[dict[str, str]] = field(default_factory=list)
    """Messages of reservations that its process has not acted on."""


@dataclass
class Session:
    """A session as the process knows it that holds its socket."""

    name: str
    cell: int
    process: str
    open: bool = False
    proof: str = ""
    former: list[str] = field(default_factory=list)
    generation: int = 0
    unfinished: dict[str, NewJob] = field(default_factory=dict)


@dataclass(frozen=True)
class Called:
    """A call that may be repeated later."""

    made: Made
    given: dict[str, Any]


@dataclass(frozen=True)
class Copy:
    """A cell as a replica had it: every key as Redis dumps it, and the ledger of then."""

    keys: dict[Any, tuple[int, bytes]]
    ledger: Ledger


class World:
    """Makes calls and checks all invariants and promises after each."""

    def __init__(self, cells: DrivenCells) -> None:
        self.cells = cells
        self.peers: dict[str, Peer] = {}
        self.sessions: dict[str, Session] = {}
        self.made: list[Called] = []
        self.frames: set[tuple[str, str]] = set()
        """(job, node) of the frames written in this life of Redis."""
        self.overfull: set[str] = set()
        self.reasons: set[str] = set()
        """Why jobs were refused, or failed, so far."""
        self.version = 0
        self.checks = True
        """Off while the cell is damaged on purpose."""
        self.ledgers = [Ledger() for _ in cells.prefixes]
        self.snapshots = [self._read(cell) for cell in range(cells.count)]

    def do(self, function: Function, *, cell: int, repeat: bool = False, **given: Any) -> Any:
        """Make a call, perhaps twice with the same arguments; returns its first reply."""
        reply = finished(function(self.cells, cell=cell, **given))
        if not self.checks:
            return reply
        called = Called(self.cells.last, given)
        self._check(called, reply)
        self.made = [*self.made[-30:], called]
        if repeat:
            self._again(called, reply)
        return reply

    def later(self, called: Called) -> None:
        """An earlier call arrives a second time, after others."""
        reply = self.cells.repeat(called.made)
        name, given = called.made.script.name, called.given
        if name == "take" and isinstance(reply, scripts.Taken):
            self._has_written(given["job"], given["node"]) or self._writes(**given)
        if name == "dispatch" and isinstance(reply, scripts.Dispatched):
            self._has_written(reply.job, reply.node) or self._writes(**vars(reply))
        self._check(called, reply)

    def frame(self, **given: Any) -> Any:
        """Take a job for a node and write its frame."""
        reply = self.do(scripts.take, **given)
        if isinstance(reply, scripts.Taken):
            self._writes(**given)
        return reply

    def _has_written(self, job: str, node: str) -> bool:
        return (job, node) in self.frames

    def _writes(self, *, job: str, node: str, attempt: int, **_: Any) -> bool:
        assert not self._has_written(job, node), f"{node} is sent {job} again"
        self.frames.add((job, node))
        if peer := self.peers.get(node):
            peer.sent[job] = attempt
        return True

    def _check(self, called: Called, reply: Any) -> None:
        cell, before = called.made.cell, self.snapshots[called.made.cell]
        after = self.look(cell)
        step = Step(
            script=called.made.script.name,
            given=called.given,
            reply=reply,
            now_ms=self.cells.now_ms,
            limits=self.cells.limits,
            before=before,
            after=after,
            events=self.ledgers[cell].fresh,
            told=self._deliver(before, after),
        )
        self.reasons |= {event.get("reason", "") for event in step.events}
        self.wrong([f"{step.script}: {text}" for text in broken_promises(step)], called, reply)

    def look(self, cell: int) -> Snapshot:
        after = self._read(cell)
        for node, record in after.fleet.items():
            earlier = self.snapshots[cell].fleet.get(node)
            if record.used <= record.capacity:
                self.overfull.discard(node)
            elif self._claimed(cell, after) or (earlier and earlier.capacity > record.capacity):
                self.overfull.add(node)
        self.wrong([*broken(after, overfull=self.overfull), *self.ledgers[cell].read(after)])
        self.snapshots[cell] = after
        return after

    def _claimed(self, cell: int, after: Snapshot) -> bool:
        """A node that returns may hold more than we would have given it."""
        fresh = after.events()[len(self.snapshots[cell].events()) :]
        return any(fields.get("code") == "STATE_LOST" for _, fields in fresh)

    def _again(self, called: Called, reply: Any) -> None:
        cell, before = called.made.cell, self.snapshots[called.made.cell]
        second = self.cells.repeat(called.made)
        after = self.look(cell)
        told = self._deliver(before, after)
        name = called.made.script.name
        if name in GOES_ON or getattr(reply, "more", False) or isinstance(reply, Missing):
            return
        same = unchanged(_without_mail(before), _without_mail(after))
        again = {message["kind"] for _, message in told} - TOLD_AGAIN
        self.wrong([f"{name} twice: {second}, told {again}"] if again or not same else [])

    def _deliver(self, before: Snapshot, after: Snapshot) -> list[Message]:
        """New messages, after the processes have acted on them."""
        told = []
        for process in after.named("mailbox"):
            read = {id_ for id_, _ in before.mailbox(process)}
            told += [(process, body) for id_, body in after.mailbox(process) if id_ not in read]
        for _, message in told:
            self._act(message)
        return told

    def _act(self, message: dict[str, str]) -> None:
        peer = self.peers.get(message.get("node", ""))
        session = self.sessions.get(message.get("session", ""))
        if message["kind"] == "assign" and peer:
            peer.assigned.append(message)
        elif message["kind"] == "outcome" and session:
            assert message["state"] in TERMINAL
            session.unfinished.pop(message["job"], None)

    def wrong(self, texts: list[str], called: Called | None = None, reply: Any = None) -> None:
        """Fail with all that is wrong."""
        assert not texts, "\n".join([*texts, f"after {called} → {reply}"])

    def _read(self, cell: int) -> Snapshot:
        return Snapshot(self.cells.blocking.eval(READ_CELL, 0, self.cells.prefixes[cell]))

    # --- what takes several calls ---

    def dispatch(
        self,
        spec: NewJob,
        payload: bytes,
        cell: int,
        *,
        process: str = "",
        asker: str = "",
        repeat: bool = False,
    ) -> Any:
        """A session sends an utterance (or somebody without a session does)."""
        session = self.sessions.get(spec.session)
        given = {"job": spec, "payload": payload, "process": process, "asker": asker}
        reply = self.do(scripts.dispatch, cell=cell, repeat=repeat, **given)
        if isinstance(reply, scripts.Dispatched):
            self._writes(**vars(reply))
        if session and isinstance(reply, scripts.Dispatched | scripts.Reserved | scripts.Waiting):
            state = self.ledgers[cell].states[spec.job]
            if state not in TERMINAL:
                session.unfinished[spec.job] = spec
        return reply

    def connect(self, peer: Peer, process: str, **differences: Any) -> Any:
        """An agent connects anew and registers."""
        peer.connections += 1
        conn = f"{peer.node}-{peer.connections}"
        reply = self.register(peer, conn, process, **differences)
        if isinstance(reply, scripts.Ok):
            peer.conn, peer.process = conn, process
        return reply

    def register(self, peer: Peer, conn: str, process: str, **differences: Any) -> Any:
        """Register a connection of an agent."""
        repeat = differences.pop("repeat", False)
        given: dict[str, Any] = {
            "node": peer.node,
            "conn": conn,
            "process": process,
            "credential": "",
            "address": process,
            "draining": False,
            "about": self.dated(peer, peer.about),
            "running": None,
            "held": None,
        }
        told = scripts.Registration(**given | differences)
        reply = self.do(scripts.register_node, cell=peer.cell, registration=told, repeat=repeat)
        if isinstance(reply, scripts.Ok) and told.running is not None:
            peer.sent = {job: n for job, n in peer.sent.items() if job in told.running}
        return reply

    def dated(self, peer: Peer, about: Node) -> Node:
        """With the version of the configuration, and the services out, that all processes know."""
        fields = self.snapshots[peer.cell].nodes.get(peer.node, {})
        out = fields.get("out", "").split()
        return msgspec.structs.replace(about, config=self.version, out=out)

    def open(
        self, session: Session, process: str, *, known: bool, away: bool = False, slept: int = 0
    ) -> None:
        """A process takes a session, with what it knows to be unfinished. One that ``slept`` while
        its client resumed it elsewhere does not get it.
        """
        told = scripts.NewSession(
            session=session.name,
            process=process,
            tenant="t",
            proof=session.proof,
            former=session.former,
            generation=max(0, session.generation - slept),
            away=away,
            known=sorted(session.unfinished) if known else None,
        )
        reply = self.do(scripts.open_session, cell=session.cell, session=told)
        if isinstance(reply, scripts.Opened):
            session.process, session.open = process, True

    def begin(self, session: Session, process: str) -> None:
        """A process gives a new session the name of one that there may be."""
        told = scripts.NewSession(session=session.name, process=process, tenant="t", begins=True)
        self.do(scripts.open_session, cell=session.cell, session=told, repeat=True)

    def resume(self, session: Session, process: str, proof: str, fresh: str, repeat: bool) -> None:
        """Its client is back, with a token."""
        back = scripts.Return(
            session=session.name,
            process=process,
            tenant="t",
            credential="",
            proof=proof,
            next_proof=fresh,
        )
        reply = self.do(scripts.resume_session, cell=session.cell, back=back, repeat=repeat)
        if isinstance(reply, scripts.Resumed):
            session.process, session.open = process, True
            session.proof, session.generation = fresh, reply.generation
            session.former = reply.former

    def replay(self, session: Session) -> None:
        """After a loss of Redis a session and its unfinished jobs are made again."""
        self.open(session, session.process, known=True)
        for job in sorted(session.unfinished):
            spec = session.unfinished.get(job)
            if spec is not None:
                reply = self.do(scripts.restore_job, cell=session.cell, job=spec, payload=b"again")
                assert not isinstance(reply, NoSession)

    def expire(self, cell: int, key: str) -> None:
        """Redis ends a key."""
        self.cells.blocking.delete(f"{self.cells.prefixes[cell]}{key}")
        if key.startswith("job:"):
            self.ledgers[cell].states.pop(key.removeprefix("job:"))
        self.look(cell)

    # --- losses of Redis ---

    def lose(self) -> None:
        """Everything is gone."""
        self.cells.wipe()
        self._new_life([Ledger() for _ in self.cells.prefixes])

    def copy(self) -> list[Copy]:
        """What a replica has, if this is the last it was sent."""
        copies = []
        for prefix, ledger in zip(self.cells.prefixes, self.ledgers, strict=True):
            keys = self.cells.blocking.keys(f"{prefix}*")
            pipe = self.cells.blocking.pipeline()
            for key in keys:
                pipe.pttl(key)
                pipe.dump(key)
            values = pipe.execute()
            both = zip(values[::2], values[1::2], strict=True)
            copies.append(Copy(dict(zip(keys, both, strict=True)), deepcopy(ledger)))
        return copies

    def fail_over(self, copies: list[Copy]) -> None:
        """The replica serves now."""
        self.cells.wipe()
        pipe = self.cells.blocking.pipeline()
        for copy in copies:
            for key, (ttl, value) in copy.keys.items():
                pipe.restore(key, max(ttl, 0), value)
        pipe.execute()
        self._new_life([deepcopy(copy.ledger) for copy in copies])

    def _new_life(self, ledgers: list[Ledger]) -> None:
        self.ledgers = ledgers
        self.made, self.frames = [], set()
        self.snapshots = [self._read(cell) for cell in range(self.cells.count)]
        fleets = [snapshot.fleet.items() for snapshot in self.snapshots]
        self.overfull = {node for fleet in fleets for node, one in fleet if one.used > one.capacity}
        for peer in self.peers.values():
            peer.assigned = []


def _without_mail(cell: Snapshot) -> Snapshot:
    bare = Snapshot([])
    bare.keys = {k: v for k, v in cell.keys.items() if not k.startswith("mailbox:")}
    return bare
