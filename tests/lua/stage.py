"""Short sentences for tests of one thing: every call is checked as the machine's are."""

from typing import Any

from lua import scripts
from lua.records import Record
from lua.scripts import AckKind, Command, Need, Verdict
from tests.lua.driven import DrivenCells
from tests.lua.fleet import (
    NEED,
    PAYLOAD,
    a_beat,
    a_job,
    a_node,
    a_refused_job,
    a_registration,
    a_session,
    an_outcome,
)
from tests.lua.world import World

STEP_MS = 1_000


class Stage(World):
    """One cell with process ``p1`` and its session ``s-1``. A node's connection is ``NODE-1``."""

    def __init__(self, cells: DrivenCells) -> None:
        super().__init__(cells)
        self.alive: set[str] = set()
        """Nodes that send heartbeats while time passes."""
        self.processes = ["p1"]
        self.renew("p1")
        self.open_session()

    # --- nodes ---

    def node(self, name: str, **differences: Any) -> Any:
        """Register a node; what ``a_registration`` and ``a_node`` know may differ."""
        about = {
            k: differences.pop(k) for k in list(differences) if k in a_node().__struct_fields__
        }
        told = a_registration(name, about=a_node(**about), **differences)
        reply = self.do(scripts.register_node, cell=0, registration=told)
        if isinstance(reply, scripts.Ok | scripts.Already):
            self.alive.add(name)
        return reply

    def beat(self, name: str, **differences: Any) -> Any:
        """A heartbeat; by default the node runs all that it holds."""
        running = {"running": len(self.cell.held_by(name))} | differences
        return self.do(scripts.heartbeat, cell=0, beat=a_beat(name, **running))

    def offline(self, name: str, conn: str = "") -> Any:
        """Its socket is gone."""
        self.alive.discard(name)
        return self.do(scripts.node_offline, cell=0, node=name, conn=conn or f"{name}-1")

    def attend(self, name: str, conn: str = "", process: str = "p1") -> Any:
        """It asks for its jobs."""
        given: Any = {"node": name, "conn": conn or f"{name}-1", "process": process}
        return self.do(scripts.attend_node, cell=0, repeat=True, **given)

    def control(self, name: str, command: Command, reason: str = "", **more: Any) -> Any:
        """An operator's command."""
        told = {"node": name, "command": command, "reason": reason} | more
        return self.do(scripts.control_node, cell=0, **told)

    # --- jobs ---

    def send(
        self,
        job: str,
        *,
        need: Need = NEED,
        payload: bytes = PAYLOAD,
        process: str = "",
        asker: str = "p1",
        repeat: bool = False,
        **wishes: Any,
    ) -> Any:
        """Dispatch a job."""
        spec = a_job(job, need=need, **{"size": len(payload)} | wishes)
        return self.dispatch(spec, payload, 0, process=process, asker=asker, repeat=repeat)

    def simulate(self, *, need: Need = NEED, most: int = 20, **wishes: Any) -> Any:
        """Ask where a job would go."""
        given: dict[str, Any] = {"session": "s-1", "preferred": "", "avoid": [], "deadline_ms": -1}
        wish = scripts.Wish(need=need.text, sig=need.sig, **given | wishes)
        return self.do(scripts.simulate, cell=0, wish=wish, most=most, passed=need.passed)

    def take(self, job: str, node: str, attempt: int = 1, conn: str = "") -> Any:
        """Its process takes it and would write the frame."""
        conn = conn or f"{node}-1"
        return self.do(scripts.take, cell=0, job=job, attempt=attempt, node=node, conn=conn)

    def running(self, job: str, node: str) -> None:
        """Dispatch a job, and the node it is reserved on takes it."""
        assert self.send(job).node == node
        assert isinstance(self.take(job, node), scripts.Taken)

    def ack(
        self,
        job: str,
        node: str,
        kind: AckKind = AckKind.ACK,
        conn: str = "",
        process: str = "",
    ) -> Any:
        """The node gives a sign of work."""
        partial = b'{"text":""}' if kind is AckKind.PARTIAL else b""
        conn = conn or f"{node}-1"
        given: dict[str, Any] = {"job": job, "node": node, "conn": conn, "partial": partial}
        return self.do(scripts.ack, cell=0, kind=kind, process=process, **given)

    def finish(
        self,
        job: str,
        node: str,
        verdict: Verdict = Verdict.DONE,
        code: str = "",
        result: bytes = b"",
        process: str = "",
        **differences: Any,
    ) -> Any:
        """The node's result."""
        outcome = an_outcome(job, node, verdict=verdict, code=code, size=len(result), **differences)
        return self.do(scripts.finish, cell=0, outcome=outcome, result=result, process=process)

    def fail(self, job: str, node: str, code: str = "INTERNAL_ERROR", blame: str = "*") -> Any:
        """A failure that another node may not have."""
        return self.finish(job, node, Verdict.RETRY, code, blame=blame)

    def release(self, job: str, node: str, attempt: int = 1, code: str = "NODE_UNAVAILABLE") -> Any:
        """Its process could not write the frame."""
        return self.do(scripts.release, cell=0, job=job, attempt=attempt, node=node, code=code)

    def refuse(self, job: str, process: str = "p1", **differences: Any) -> Any:
        """Its process makes no job of an utterance."""
        told = a_refused_job(job, **differences)
        return self.do(scripts.refuse_job, cell=0, job=told, process=process)

    def cancel(self, job: str) -> Any:
        """Nobody wants it any more."""
        return self.do(scripts.cancel, cell=0, job=job, code="CANCELLED")

    # --- processes and time ---

    def renew(self, process: str) -> Any:
        """Its lease."""
        return self.do(scripts.renew_lease, cell=0, process=process)

    def open_session(self, session: str = "s-1", process: str = "p1", **known: Any) -> Any:
        """Make a session or take it over."""
        told = a_session(session=session, process=process, **known)
        return self.do(scripts.open_session, cell=0, session=told)

    def resume_session(self, proof: str, fresh: str, process: str = "p2", **told: Any) -> Any:
        """Its client is back, at a process."""
        given = {"session": "s-1", "tenant": "t", "credential": ""} | told
        back = scripts.Return(process=process, proof=proof, next_proof=fresh, **given)
        return self.do(scripts.resume_session, cell=0, back=back)

    def issue(self, code: str = "000042", node: str = "n1", mark: str = "m1") -> Any:
        """Give out a pairing code."""
        return self.do(scripts.issue_code, cell=0, code=code, node=node, mark=mark, repeat=True)

    def redeem(self, code: str = "000042", mark: str = "try-1", client: str = "192.0.2.1") -> Any:
        """Show a pairing code."""
        given: Any = {"code": code, "mark": mark, "client": client}
        return self.do(scripts.redeem_code, cell=0, repeat=True, **given)

    def reap(self, limit: int = 16) -> Any:
        """Whatever is due."""
        while (reply := self.do(scripts.reap, cell=0, limit=limit)).more:
            pass
        return reply

    def pass_ms(self, ms: int) -> None:
        """Let time pass as it does: reaped, leases renewed, heartbeats of those alive."""
        while ms > 0:
            step = min(ms, STEP_MS)
            self.cells.advance(step)
            ms -= step
            for process in self.processes:
                self.renew(process)
            for name in sorted(self.alive):
                self.beat(name, conn=self.cell.nodes[name]["conn"])
            self.reap()

    # --- what is there now ---

    @property
    def cell(self) -> Any:
        """The cell after the last call."""
        return self.snapshots[0]

    @property
    def events(self) -> list[dict[str, str]]:
        """What the last call has added."""
        return self.ledgers[0].fresh

    def state(self, job: str) -> str:
        """Of a job."""
        return str(self.cell.jobs[job]["state"])

    def field(self, job: str, name: str) -> str:
        """Of a job's hash."""
        return str(self.cell.jobs[job].get(name, ""))

    def due_ms(self, job: str) -> int:
        """How long a job may stay as it is."""
        return int(self.field(job, "due")) - self.cells.now_ms

    def record(self, node: str) -> Record:
        """What selection reads of a node."""
        return self.cell.fleet[node]  # type: ignore[no-any-return]

    def told(self, kind: str, process: str = "p1") -> list[dict[str, str]]:
        """All messages of a kind to a process so far."""
        return [m for _, m in self.cell.mailbox(process) if m["kind"] == kind]
