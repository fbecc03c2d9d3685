"""Calls that seldom come: too late, from nobody, by who knows too little, without their value.

They are rules of the machine in `test_machine.py`, which without them never sees some replies.
"""

from abc import abstractmethod
from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from lua import scripts
from lua.script import word_of
from lua.scripts import AckKind, Command, NewJob, Verdict, Wish
from tests.lua.driven import DrivenCells
from tests.lua.fleet import a_beat, a_job, a_node, a_refused_job, a_registration, an_outcome
from tests.lua.promises import UNSENT
from tests.lua.test_contract import SCRIPTS
from tests.lua.world import Peer, Session, World

NOBODY = "nobody"
EVERY_REPLY = {
    (script.name, word_of(reply)) for script in SCRIPTS.values() for reply in script.replies
}

index = st.integers(0, 2**30)


class OddRules(RuleBasedStateMachine):
    """What the machine of all scripts has, and the rules."""

    cells: DrivenCells
    world: World
    jobs: list[tuple[int, NewJob]]

    @abstractmethod
    def _peer(self, number: int) -> Peer: ...

    @abstractmethod
    def _session(self, number: int) -> Session: ...

    @abstractmethod
    def _dispatch(self, cell: int, *, session: str) -> None: ...

    @abstractmethod
    def assigned(self) -> list[tuple[Peer, dict[str, str]]]: ...

    @abstractmethod
    def _take(self, peer: Peer, message: dict[str, str]) -> None: ...

    @abstractmethod
    def _finish(self, peer: Peer, job: str, verdict: Verdict, code: str, result: bytes) -> None: ...

    @abstractmethod
    def _replay(self, number: int) -> None: ...

    def _at_work(self, number: int) -> list[tuple[Peer, str]]:
        """Nodes and jobs that they were sent, after one more was."""
        session = self._session(number)
        self._dispatch(session.cell, session=session.name)
        for peer, message in self.assigned():
            self._take(peer, message)
        return [(peer, job) for peer in self.world.peers.values() for job in sorted(peer.sent)]

    @rule(number=index)
    def speak_of_nobody(self, number: int) -> None:
        """Of a node, or a session, that was forgotten, or never was."""
        cell = number % self.cells.count
        name: Any = {"cell": cell, "node": NOBODY, "repeat": True}
        do = self.world.do
        do(scripts.change_pools, about=a_node(config=self.world.version), **name)
        do(scripts.control_node, command=Command.DRAIN, reason="", deadline_ms=0, **name)
        do(scripts.forget_node, offline_ms=0, **name)
        do(scripts.service_out, service="tts-1", code="", out_ms=1_000, **name)
        do(scripts.issue_code, code="000009", mark="nobody's", **name)
        do(scripts.attend_node, conn="", process="p1", **name)
        do(scripts.offer, **name)
        job = a_job("nobody's", session=NOBODY)
        self.world.dispatch(job, b"payload", cell, repeat=True)
        self._restore(cell, job)
        do(scripts.mend_queue, cell=cell, sig="nobody's", repeat=True)
        do(scripts.cancel, cell=cell, job="nobody's", code="CANCELLED", repeat=True)
        do(
            scripts.finish,
            cell=cell,
            outcome=an_outcome("nobody's", NOBODY),
            process="",
            result=b"",
        )
        refused = a_refused_job("nobody's", session=NOBODY)
        do(scripts.refuse_job, cell=cell, job=refused, process="p1", repeat=True)

    @rule(number=index)
    def speak_over_an_earlier_connection(self, number: int) -> None:
        """What it said was long on its way."""
        peer = self._peer(number)
        self.world.connect(peer, peer.process or "p1")
        conn, cell, do = f"{peer.node}-{peer.connections - 1}", peer.cell, self.world.do
        do(scripts.heartbeat, cell=cell, beat=a_beat(peer.node, conn=conn), repeat=True)
        do(scripts.attend_node, cell=cell, node=peer.node, conn=conn, process="p1", repeat=True)
        do(scripts.node_offline, cell=cell, node=peer.node, conn=conn, repeat=True)
        self.world.register(peer, conn, peer.process, repeat=True)

    @rule(number=index)
    def come_as_another(self, number: int) -> None:
        """Somebody else uses the id of a node that is there."""
        if (peer := self._peer(number)).conn:
            self.world.register(peer, f"thief-{number}", "p1", credential="thief", repeat=True)

    @rule(number=index)
    def know_too_little(self, number: int) -> None:
        """Its process has not heard of the newest configuration, or of a service that is out."""
        peer, do = self._peer(number), self.world.do
        cell, self.world.version = peer.cell, self.world.version + 1
        for one in range(self.cells.count):
            do(scripts.write_config, cell=one, version=self.world.version, content=b"{}")
        about = self.world.dated(peer, peer.about)
        behind: list[dict[str, Any]] = [
            {"out": [*about.out, "asr-9"]},
            {"config": about.config - 1},
        ]
        for less in behind:
            known = msgspec.structs.replace(about, **less)
            told = a_registration(peer.node, conn=peer.conn or "none", about=known)
            beat = a_beat(peer.node, conn=peer.conn, about=known)
            do(scripts.change_pools, cell=cell, node=peer.node, about=known, repeat=True)
            do(scripts.heartbeat, cell=cell, beat=beat, repeat=True)
            do(scripts.register_node, cell=cell, registration=told, repeat=True)

    @rule(number=index)
    def lose_values(self, number: int) -> None:
        """Redis has no room for payloads and results when they are laid down first."""
        busy, session = self._at_work(number), self._session(number)
        spec = a_job(f"restored-{len(self.jobs)}", session=session.name)
        self.cells.loses = True
        self._restore(session.cell, spec)
        for peer, job in busy[: 1 + number % 2]:
            self._finish(peer, job, Verdict.DONE, "", b"{}")
        self._dispatch(session.cell, session=session.name)
        self.cells.loses = False

    @rule(number=index)
    def lose_payloads(self, number: int) -> None:
        """They end before they are taken."""
        session = self._session(number)
        for _ in range(1 + number % 3):
            self._dispatch(session.cell, session=session.name)
        for peer, message in self.assigned():
            if f"payload:{message['job']}" in self.world.snapshots[peer.cell].keys:
                self.world.expire(peer.cell, f"payload:{message['job']}")
            self._take(peer, message)

    @rule(number=index)
    def lose_all_at_work(self, number: int) -> None:
        """Redis is empty: nodes say what they hold before the sessions say what they wait for."""
        self._at_work(number)
        self.world.lose()
        self._replay(0)

    @rule(number=index, which=index)
    def restore(self, number: int, which: int) -> None:
        """A replay of what is not lost."""
        session = self._session(number)
        known = self.world.snapshots[session.cell].jobs.keys() | session.unfinished.keys()
        mine = [spec for _, spec in self.jobs if spec.session == session.name and spec.job in known]
        if mine:
            self._restore(session.cell, mine[which % len(mine)])

    def _restore(self, cell: int, spec: NewJob) -> None:
        self.world.do(scripts.restore_job, cell=cell, job=spec, payload=b"again", repeat=True)

    @rule(number=index)
    def cancel_what_runs(self, number: int) -> None:
        """Its node answers all the same."""
        for peer, job in self._at_work(number)[:1]:
            at: Any = {"cell": peer.cell, "job": job, "repeat": True}
            self.world.do(scripts.ack, node=peer.node, conn=peer.conn, kind=AckKind.STARTED, **at)
            self.world.do(scripts.cancel, code="CANCELLED", only_idle=True, **at)
            self.world.do(scripts.cancel, code="CANCELLED", **at)
            self._finish(peer, job, Verdict.DONE, "", b"{}")

    @rule(number=index)
    def fail_for_good(self, number: int) -> None:
        """The input is at fault."""
        for peer, job in self._at_work(number)[:1]:
            self._finish(peer, job, Verdict.FAIL, "INTERNAL_ERROR", b"")

    @rule(number=index, code=st.sampled_from(UNSENT))
    def fail_to_write(self, number: int, code: str) -> None:
        """Its node was never sent it."""
        for peer, job in self._at_work(number)[:1]:
            attempt = peer.sent.pop(job)
            told: Any = {"job": job, "attempt": attempt, "node": peer.node, "code": code}
            self.world.do(scripts.release, cell=peer.cell, repeat=True, **told)

    @rule(number=index)
    def begin_with_a_name_in_use(self, number: int) -> None:
        """Another process draws the name of a session for a new one."""
        session = self._session(number)
        self.world.begin(session, "p3" if session.process == "p1" else "p1")

    @rule(number=index)
    def wake_up_late(self, number: int) -> None:
        """A process that slept while a client went elsewhere opens its session again."""
        session = self._session(number)
        slept, fresh = session.process, f"{session.name}-{session.generation + 1}"
        self.world.resume(session, "p3", session.proof, fresh, repeat=True)
        self.world.open(session, slept, known=True, slept=1)
        self.world.resume(session, slept, f"{session.name}-stolen", "thief's", repeat=True)

    @rule(number=index)
    def control_and_forget(self, number: int) -> None:
        """A node is drained, leaves, and is forgotten once it holds nothing."""
        peer, do = self._peer(number), self.world.do
        node: Any = {"cell": peer.cell, "node": peer.node, "repeat": True}
        do(scripts.control_node, command=Command.DRAIN, reason="why", deadline_ms=0, **node)
        do(scripts.control_node, command=Command.RESUME, reason="", deadline_ms=0, **node)
        do(scripts.change_pools, about=self.world.dated(peer, peer.about), **node)
        do(scripts.offer, **node)
        do(scripts.node_offline, conn=peer.conn, **node)
        peer.conn = ""
        do(scripts.forget_node, offline_ms=0, **node)

    @rule(number=index)
    def use_a_code_twice(self, number: int) -> None:
        """It is drawn a second time, too."""
        peer, do = self._peer(number), self.world.do
        code: Any = {"cell": peer.cell, "code": f"00001{number % 4}", "repeat": True}
        for mark in ("one", "two"):
            do(scripts.issue_code, node=peer.node, mark=f"{mark}-{number}", **code)
        for client in ("one", "two"):
            do(scripts.redeem_code, client=client, mark=f"{client}-{number}", **code)

    @rule(number=index)
    def guess(self, number: int) -> None:
        """More pairing codes that nobody was given than a client may try."""
        for turn in range(self.cells.limits.guesses_of_one + 1):
            guess: Any = {"code": "000003", "mark": f"guess-{number + turn}", "repeat": True}
            client = f"192.0.2.{number % 3}"
            self.world.do(scripts.redeem_code, cell=0, client=client, **guess)

    @rule(number=index, which=index)
    def simulate(self, number: int, which: int) -> None:
        """Where a job would go that is as others were."""
        if self.jobs:
            cell, spec = self.jobs[which % len(self.jobs)]
            fields = ("session", "need", "sig", "preferred", "avoid", "deadline_ms")
            wish = Wish(**{name: getattr(spec, name) for name in fields})
            told: Any = {"wish": wish, "most": number % 3, "passed": "", "repeat": True}
            self.world.do(scripts.simulate, cell=cell, **told)
