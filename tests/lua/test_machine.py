"""Random sequences of every script, with repeats, late copies and losses of Redis.

After each call the whole cell is read: the invariants hold, the events tell every move, and the
script did what it promises. ``HYPOTHESIS_PROFILE=soak`` runs for long, and differently each time.
"""

import os
from collections import Counter
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule, run_state_machine_as_test

from lua import scripts
from lua.client import StoreSettings
from lua.given_time import at_given_time
from lua.ids import new_token
from lua.limits import Limits
from lua.scripts import AckKind, Command, Need, NewJob, Node, Sight, Verdict
from lua.states import Overload
from tests.lua.budgets import RETRY_BUDGET
from tests.lua.driven import DrivenCells
from tests.lua.fleet import PAYLOAD, a_beat, a_job, a_node, a_refused_job, an_outcome
from tests.lua.odd_rules import EVERY_REPLY, OddRules
from tests.lua.promises import UNSENT
from tests.lua.selection import idle
from tests.lua.world import Copy, Peer, Session, World

SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
STEPS = 100 if SOAK else 50
ENOUGH = 5_000  # script calls for each number of cells

POOLS = ("auto:a", "auto:b", "own:c")
VALUES = ("tts:zh", "type:tone")
PROCESSES = ("p1", "p2", "p3")
OWNERS = (*PROCESSES, "")  # of a node's connection; it may have no socket
STEP_MS = 1_900  # reaped so often, Redis is not taken to have stood still

UNHURRIED_MS = 600_000  # the machine may be held up, and replays what it did before

# Small enough to be reached often.
LIMITS = Limits(
    queue_jobs=5,
    session_jobs=3,
    queues=4,
    most_live_bytes=30 * len(PAYLOAD),
    budget_retries=2,
    idle_k=20,  # all of them, else Redis draws by a lot that is another one the next time
    guesses_of_one=3,
    # By Redis' own clock, which goes on when the machine does not.
    brake_ttl_ms=UNHURRIED_MS,
    pace_ttl_ms=UNHURRIED_MS,
    guess_window_ms=UNHURRIED_MS,
)
PLAIN = Need(POOLS[:2])
RELEASED = ("NODE_UNAVAILABLE", *UNSENT)

index = st.integers(0, 2**30)
odds = st.integers(0, 9)
yes = st.booleans()
some_pools = st.lists(st.sampled_from(POOLS), min_size=1, max_size=3, unique=True)
some_values = st.lists(st.sampled_from(VALUES), max_size=2, unique=True)
abouts = st.builds(
    lambda capacity, pools, has, odd: a_node(
        capacity=capacity,
        pools=pools,
        has=has,
        arbitrates=odd == 0,
        public=odd != 1,
        enabled=odd != 2,
        core=odd != 3,
        gpu=odd != 4,
        hot=odd == 5,
    ),
    st.sampled_from([1, 1, 2, 2, 3, 0]),
    some_pools,
    some_values,
    st.integers(0, 30),
)
BLAME = {"INTERNAL_ERROR": "*", "TTS_TIMEOUT": "tts-1", "MODEL_NOT_AVAILABLE": ""}
codes = st.sampled_from(sorted(BLAME))


def pick(items: Any, number: int) -> Any:
    """One of some items, by a number of any size."""
    ordered = sorted(items, key=str)
    return ordered[number % len(ordered)]


def unhurried(text: str) -> str:
    """Counts of a window of time, too, end by the clock of Redis."""
    return at_given_time(text.replace("2 * budget_ms", str(UNHURRIED_MS)))


class Scripts(OddRules):
    """Every script, in any order."""

    CELLS: ClassVar[int] = 1
    ARGUMENT_BYTES: ClassVar[int] = 0  # so that values lie in the inbox
    NODES: ClassVar[int] = 4  # in each cell
    url: ClassVar[str] = ""
    EXAMPLES: ClassVar[int] = 80
    calls: ClassVar[int] = 0
    reasons: ClassVar[set[str]] = set()
    replies: ClassVar[Counter[tuple[str, str]]] = Counter()
    REACHES: ClassVar[set[str]] = {Overload.QUEUE_FULL, Overload.SESSION_FULL, RETRY_BUDGET}
    REPLIES: ClassVar[set[tuple[str, str]]] = EVERY_REPLY

    def __init__(self) -> None:
        super().__init__()
        limits = replace(LIMITS, argument_bytes=self.ARGUMENT_BYTES)
        store = StoreSettings(
            url=self.url, prefix=f"m{new_token()}:", cells=self.CELLS, limits=limits
        )
        self.cells = DrivenCells(store, unhurried)
        self.world = World(self.cells)
        self.jobs: list[tuple[int, NewJob]] = []
        self.copies: list[Copy] = []

    def teardown(self) -> None:
        type(self).calls += self.cells.calls
        type(self).reasons |= self.world.reasons
        type(self).replies += self.cells.replies
        self.cells.end()

    @initialize(descriptions=st.lists(abouts, min_size=NODES, max_size=NODES))
    def start(self, descriptions: list[Node]) -> None:
        self.renew()
        for number in range(self.NODES * self.CELLS):
            cell, name = number % self.CELLS, f"n{number}"
            peer = Peer(name, cell, descriptions[number // self.CELLS])
            self.world.peers[name] = peer
            self.world.connect(peer, pick(PROCESSES[:2], number))
        for number in range(2 * self.CELLS):
            cell, name = number % self.CELLS, f"s-{number}"
            self.world.sessions[name] = Session(name, cell, "", proof=f"{name}-0")
            self.world.open(self.world.sessions[name], pick(PROCESSES[:2], number), known=False)

    # --- jobs ---

    @rule(number=index, repeat=yes, times=st.integers(1, 4))
    def dispatch(self, number: int, repeat: bool, times: int) -> None:
        session = self._session(number)
        for _ in range(times):
            self._dispatch(session.cell, session=session.name, repeat=repeat)

    def _session(self, number: int) -> Session:
        session: Session = pick(self.world.sessions.values(), number)
        if not session.open and number % 3:
            self.world.open(session, PROCESSES[number % 2], known=False)
        return session

    @rule(number=index)
    def dispatch_for_all(self, number: int) -> None:
        """One more than there are free slots."""
        session = self._session(number)
        records = self.world.snapshots[session.cell].fleet.values()
        for _ in range(1 + sum(one.capacity - one.used for one in records if one.ready)):
            self._dispatch(session.cell, session=session.name)

    @rule(
        number=index,
        pools=some_pools,
        starts=st.sets(st.sampled_from(POOLS), max_size=2),
        has=some_values,
        wishes=st.sampled_from([(), (), ("tts:zh",), ("type:tone",)]),
        odd=odds,
        wait=st.sampled_from([-1, -1, 0, 500, 3_000, 90_000]),
        avoid=st.lists(index, max_size=3),
        retries=st.integers(0, 2),
        priority=st.integers(1, 5),
    )
    def dispatch_with_wishes(
        self,
        number: int,
        pools: list[str],
        starts: set[str],
        has: list[str],
        wishes: tuple[str, ...],
        odd: int,
        wait: int,
        avoid: list[int],
        retries: int,
        priority: int,
    ) -> None:
        cell = number % self.CELLS
        nodes = [peer.node for peer in self.world.peers.values() if peer.cell == cell]
        pin = pick(nodes, number) if odd == 0 else ""
        groups: Any = {"starts": frozenset(starts), "wishes": wishes}
        given = {} if pin else groups
        self._dispatch(
            cell,
            need=Need(() if pin else tuple(pools), tuple(has), pin, **given),
            session="",
            preferred=pick(nodes, number) if odd in (1, 2) else "",
            avoid=[pick(nodes, one) for one in avoid],
            deadline_ms=wait,
            retries=retries,
            priority=priority,
        )

    @rule(number=index, key=st.integers(0, 3), body=st.integers(0, 3))
    def dispatch_a_request(self, number: int, key: int, body: int) -> None:
        cell = number % self.CELLS
        for digest in [("one", "another", "one"), ("one",), ("one", "one"), ("another",)][body]:
            self._dispatch(cell, session="", request=f"t/{cell}/{key}", digest=digest)

    @rule(number=index, count=st.integers(2, 4), ends=yes)
    def dispatch_a_turn(self, number: int, count: int, ends: bool) -> None:
        """Parts that follow each other to one node, which takes them; the last one may be done."""
        session = self._session(number)
        nodes = [peer.node for peer in self.world.peers.values() if peer.cell == session.cell]
        turn, node = f"t{len(self.jobs)}", pick(nodes, number)
        for part in range(count):
            last = "." * (ends and part == count - 1)
            wishes = {"session": session.name, "preferred": node, "turn": turn + last}
            self._dispatch(session.cell, **wishes)
        for peer, message in self.assigned():
            self._take(peer, message)
        _, spec = self.jobs[-1]
        for peer in self.world.peers.values():
            if spec.job in peer.sent and number % 3:
                self._finish(peer, spec.job, Verdict.DONE, "", b"{}")

    def _dispatch(
        self, cell: int, *, need: Need = PLAIN, repeat: bool = False, **wishes: Any
    ) -> None:
        number = len(self.jobs)
        spec = a_job(f"job-{number}", need=need, index=number, **wishes)
        self.jobs.append((cell, spec))
        asker = PROCESSES[number % 2]
        process = asker if number % 3 else ""
        self.world.dispatch(spec, b"payload", cell, process=process, asker=asker, repeat=repeat)

    @precondition(lambda self: self.assigned())
    @rule(number=index, times=st.integers(1, 3), repeat=yes)
    def take(self, number: int, times: int, repeat: bool) -> None:
        for _ in range(times):
            if self.assigned():
                peer, message = pick(self.assigned(), number)
                self._take(peer, message, repeat)

    def _take(self, peer: Peer, message: dict[str, str], repeat: bool = False) -> None:
        peer.assigned.remove(message)
        if (message["job"], peer.node) in self.world.frames:
            return  # told twice
        self.world.frame(
            cell=peer.cell,
            job=message["job"],
            attempt=int(message["attempt"]),
            node=peer.node,
            conn=message["conn"],
            repeat=repeat,
        )

    @rule(number=index, verdict=st.sampled_from(Verdict), acks=yes, times=st.integers(1, 3))
    def work(self, number: int, verdict: Verdict, acks: bool, times: int) -> None:
        """The nodes take all they are given, and some end what they have."""
        for peer, message in self.assigned():
            self._take(peer, message)
        working = [(peer, job) for peer in self.world.peers.values() for job in sorted(peer.sent)]
        for peer, job in working[number % 3 :][:times]:
            if acks:
                self._ack(peer, job, AckKind.STARTED)
            self._finish(peer, job, verdict, "INTERNAL_ERROR", b"{}")

    @rule(number=index)
    def work_off(self, number: int) -> None:
        """Everything that is assigned is done."""
        for peer, message in self.assigned():
            self._take(peer, message)
        for peer in self.world.peers.values():
            for job in sorted(peer.sent):
                self._finish(peer, job, Verdict.DONE, "", b"{}" if number % 2 else b"")

    @rule(times=st.integers(1, 3))
    def be_sick(self, times: int) -> None:
        """Whatever the nodes are given fails."""
        for _ in range(times):
            for peer, message in self.assigned():
                self._take(peer, message)
            for peer in self.world.peers.values():
                for job in sorted(peer.sent):
                    self._finish(peer, job, Verdict.RETRY, "INTERNAL_ERROR", b"")

    def assigned(self) -> list[tuple[Peer, dict[str, str]]]:
        return [(peer, one) for peer in self.world.peers.values() for one in peer.assigned]

    @rule(number=index, which=index, kind=st.sampled_from(AckKind), repeat=yes)
    def ack(self, number: int, which: int, kind: AckKind, repeat: bool) -> None:
        self._ack(*self._job_of(number, which), kind, repeat)

    def _ack(self, peer: Peer, job: str, kind: AckKind, repeat: bool = False) -> None:
        partial = b"{}" if kind is AckKind.PARTIAL else b""
        self.world.do(
            scripts.ack,
            cell=peer.cell,
            job=job,
            node=peer.node,
            conn=peer.conn,
            kind=kind,
            partial=partial,
            repeat=repeat,
        )

    @rule(
        number=index,
        which=index,
        verdict=st.sampled_from([Verdict.DONE, *Verdict]),
        code=codes,
        result=st.sampled_from([b"", b"{}"]),
        repeat=yes,
    )
    def finish(
        self, number: int, which: int, verdict: Verdict, code: str, result: bytes, repeat: bool
    ) -> None:
        self._finish(*self._job_of(number, which), verdict, code, result, repeat)

    def _finish(
        self,
        peer: Peer,
        job: str,
        verdict: Verdict,
        code: str,
        result: bytes,
        repeat: bool = False,
    ) -> None:
        peer.sent.pop(job, None)
        outcome = an_outcome(
            job,
            peer.node,
            verdict=verdict,
            blame=BLAME[code] if verdict is Verdict.RETRY else "",
            code="" if verdict is Verdict.DONE else code,
            size=len(result),
            token=f"{job}-{peer.node}-{self.cells.calls}",
        )
        reply = self.world.do(
            scripts.finish,
            cell=peer.cell,
            outcome=outcome,
            result=result,
            process=peer.process,
            repeat=repeat,
        )
        if isinstance(reply, scripts.Done | scripts.Failed) and reply.session:
            self.world.sessions[reply.session].unfinished.pop(job, None)

    @rule(number=index, which=index, odd=odds, repeat=yes, code=st.sampled_from(RELEASED))
    def release(self, number: int, which: int, odd: int, repeat: bool, code: str) -> None:
        peer, job = self._job_of(number, which)
        attempt = self.world.snapshots[peer.cell].jobs.get(job, {}).get("attempt", "1")
        self.world.do(
            scripts.release,
            cell=peer.cell,
            job=job,
            attempt=int(attempt) - (odd == 0),
            node=peer.node,
            code=code,
            repeat=repeat,
        )
        peer.sent.pop(job, None)

    def _job_of(self, number: int, which: int) -> tuple[Peer, str]:
        """Mostly a node and a job that it was sent, or holds; else a node and any job."""
        peers = self.world.peers.values()
        for odd, jobs_of in ((3, lambda peer: peer.sent), (5, self._held_by)):
            busy = [(peer, job) for peer in peers for job in jobs_of(peer)]
            if busy and number % odd:
                return pick(busy, which)  # type: ignore[no-any-return]
        peer = pick(peers, number)
        known = [spec.job for cell, spec in self.jobs if cell == peer.cell]
        return peer, pick([*known, "unknown"], which)

    def _held_by(self, peer: Peer) -> frozenset[str]:
        return self.world.snapshots[peer.cell].held_by(peer.node)

    @rule(number=index, repeat=yes, idle=yes)
    def cancel(self, number: int, repeat: bool, idle: bool) -> None:
        cell, spec = pick(self.jobs[-8:] or [(0, a_job("unknown"))], number)
        given = {"cell": cell, "job": spec.job, "code": "CANCELLED", "only_idle": idle}
        self.world.do(scripts.cancel, **given, repeat=repeat)

    @rule(number=index, which=index)
    def dispatch_without_a_reply(self, number: int, which: int) -> None:
        """The job is called off; what was placed by the lost call was never sent."""
        session = self._session(number)
        spec = a_job(f"job-{len(self.jobs)}", index=len(self.jobs), session=session.name)
        self.jobs.append((session.cell, spec))
        process = PROCESSES[which % 2]
        do, cell = self.world.do, session.cell
        told: Any = {"cell": cell, "process": process}
        do(scripts.dispatch, job=spec, payload=b"payload", asker=process, **told)
        if number % 2:
            refused = a_refused_job(spec.job, index=spec.index, session=session.name)
            do(scripts.refuse_job, job=refused, **told)
        do(scripts.cancel, cell=cell, job=spec.job, code="CANCELLED", process=process)

    @rule(number=index, which=index, repeat=yes)
    def refuse_job(self, number: int, which: int, repeat: bool) -> None:
        """An utterance that makes no job, or that may have been dispatched in a call before."""
        session = self._session(number)
        known = [spec for cell, spec in self.jobs if cell == session.cell and spec.index >= 0]
        spec = a_job(f"job-{len(self.jobs)}", index=len(self.jobs), session=session.name)
        if known and which % 3 == 0:
            spec = pick(known, which)
        else:
            self.jobs.append((session.cell, spec))
        told = a_refused_job(spec.job, index=spec.index, session=session.name)
        if which % 5 == 0:  # a request by REST
            told = a_refused_job(spec.job, index=scripts.NO_UTTERANCE, session="")
        process = session.process if which % 4 else PROCESSES[which % 2]
        given: Any = {"job": told, "process": process, "repeat": repeat}
        self.world.do(scripts.refuse_job, cell=session.cell, **given)

    # --- nodes ---

    @rule(number=index, process=st.sampled_from(OWNERS), about=abouts, odd=odds, repeat=yes)
    def connect(self, number: int, process: str, about: Node, odd: int, repeat: bool) -> None:
        peer = self._peer(number)
        peer.about = about
        running = sorted(peer.sent)[odd % 2 :] if odd < 6 else None
        draining, credential = odd == 9, "other" if odd == 8 else ""
        self.world.connect(
            peer,
            process,
            running=running,
            draining=draining,
            credential=credential,
            repeat=repeat,
        )

    @rule(number=index, repeat=yes)
    def register_again(self, number: int, repeat: bool) -> None:
        """The process lost its connection to Redis, and tells what it holds."""
        self._register_again(self._peer(number), repeat)

    def _register_again(self, peer: Peer, repeat: bool = False) -> None:
        if peer.conn:
            held = sorted(peer.sent.items())
            self.world.register(peer, peer.conn, peer.process, held=held, repeat=repeat)

    @rule(
        number=index,
        running=st.integers(0, 3),
        queue=st.integers(0, 1),
        hot=yes,
        about=st.none() | abouts,
        odd=odds,
        repeat=yes,
    )
    def heartbeat(
        self,
        number: int,
        running: int,
        queue: int,
        hot: bool,
        about: Node | None,
        odd: int,
        repeat: bool,
    ) -> None:
        peer = self._peer(number)
        known = peer.about if odd else about
        if known is not None:
            peer.about = known
            known = self.world.dated(peer, known)
        # What it runs beyond ours is reckoned anew at each heartbeat, so one may hide the next.
        repeat = repeat and running <= len(self._held_by(peer))
        self._beat(peer, running, queue, hot and odd > 7, known, repeat)

    @rule()
    def all_beat(self) -> None:
        self._all_beat()

    def _all_beat(self) -> None:
        for peer in self.world.peers.values():
            if peer.conn:
                self._beat(peer, len(self._held_by(peer)))

    def _beat(
        self,
        peer: Peer,
        running: int,
        queue: int = 0,
        hot: bool = False,
        about: Node | None = None,
        repeat: bool = False,
    ) -> None:
        beat = a_beat(peer.node, conn=peer.conn, running=running, queue=queue, hot=hot, about=about)
        reply = self.world.do(scripts.heartbeat, cell=peer.cell, beat=beat, repeat=repeat)
        if isinstance(reply, scripts.node.Unknown):
            self._register_again(peer)

    @rule(number=index, repeat=yes)
    def offline(self, number: int, repeat: bool) -> None:
        peer = pick([p for p in self.world.peers.values() if p.conn] or [self._peer(0)], number)
        conn, peer.conn = peer.conn, ""
        self.world.do(
            scripts.node_offline, cell=peer.cell, node=peer.node, conn=conn, repeat=repeat
        )

    @rule(number=index, about=abouts, command=st.sampled_from(Command), odd=odds)
    def operate(self, number: int, about: Node, command: Command, odd: int) -> None:
        """What operators and periodic tasks do to a node."""
        peer = self._peer(number)
        given: dict[str, Any] = {"cell": peer.cell, "node": peer.node}
        if odd < 3:
            peer.about = about
            about = self.world.dated(peer, about)
            self.world.do(scripts.change_pools, about=about, repeat=True, **given)
        elif odd < 6:
            reason = "why" if odd == 5 else ""
            self.world.do(
                scripts.control_node,
                command=command,
                reason=reason,
                deadline_ms=1_000 * (odd - 4),
                repeat=True,
                **given,
            )
        elif odd < 8:
            self.world.do(scripts.offer, **given)
        else:
            gone = pick([p for p in self.world.peers.values() if not p.conn] or [peer], number)
            given = {"cell": gone.cell, "node": gone.node, "offline_ms": 5_000 * (odd - 8)}
            self.world.do(scripts.forget_node, repeat=True, **given)

    def _peer(self, number: int) -> Peer:
        return pick(self.world.peers.values(), number)  # type: ignore[no-any-return]

    # --- processes and sessions ---

    @rule(process=st.sampled_from(PROCESSES))
    def renew_one(self, process: str) -> None:
        self._renew(process, repeat=True)

    def renew(self) -> None:
        for process in PROCESSES[:2]:
            self._renew(process)

    def _renew(self, process: str, repeat: bool = False) -> None:
        for cell in range(self.CELLS):
            self.world.do(scripts.renew_lease, cell=cell, process=process)
            if repeat:
                self.world.do(scripts.renew_lease, cell=cell, process=process)

    @rule(number=index, process=st.sampled_from(PROCESSES), known=yes, odd=odds)
    def open_session(self, number: int, process: str, known: bool, odd: int) -> None:
        session = pick(self.world.sessions.values(), number)
        away, slept = odd == 1, int(odd in (2, 4))
        if odd == 3:
            session.former = []  # its client was heard
        self.world.open(session, process, known=known, away=away, slept=slept)

    @rule(number=index, process=st.sampled_from(PROCESSES), odd=odds)
    def resume_session(self, number: int, process: str, odd: int) -> None:
        """With its present token, mostly, or one whose successor may not have arrived."""
        session = pick(self.world.sessions.values(), number)
        proof = f"{session.name}-old" if odd == 0 else session.proof
        if odd == 1 and session.former:
            proof = session.former[0]
        fresh = f"{session.name}-{session.generation + 1}"
        self.world.resume(session, process, proof, fresh, repeat=odd % 2 == 0)

    @rule(number=index, odd=odds)
    def close_session(self, number: int, odd: int) -> None:
        if odd > 4:
            return
        session = pick(self.world.sessions.values(), number)
        process = session.process if odd else "p9"
        session.open = session.open and odd == 0
        self.world.do(
            scripts.close_session,
            cell=session.cell,
            session=session.name,
            process=process,
            repeat=True,
        )

    @rule(newer=st.integers(-1, 1))
    def write_config(self, newer: int) -> None:
        version = self.world.version = max(0, self.world.version + newer)
        for cell in range(self.CELLS):
            self.world.do(
                scripts.write_config,
                cell=cell,
                version=version,
                content=b"{}",
                repeat=True,
            )

    @rule(number=index, what=st.sampled_from(Sight))
    def note(self, number: int, what: Sight) -> None:
        peer = self._peer(number)
        self.world.do(scripts.note, cell=peer.cell, what=what, node=peer.node, repeat=True)

    @rule(number=index, process=st.sampled_from(PROCESSES))
    def attend(self, number: int, process: str) -> None:
        peer = self._peer(number)
        told: Any = {"node": peer.node, "conn": peer.conn, "process": process, "repeat": True}
        self.world.do(scripts.attend_node, cell=peer.cell, **told)

    @rule(number=index, code=st.sampled_from(["000001", "000002"]), mark=st.integers(0, 3))
    def pair(self, number: int, code: str, mark: int) -> None:
        peer = self._peer(number)
        told: Any = {"code": code, "mark": f"{code}-{peer.node}-{mark}", "repeat": True}
        self.world.do(scripts.issue_code, cell=peer.cell, node=peer.node, **told)
        client = f"192.0.2.{number % 5}"
        self.world.do(scripts.redeem_code, cell=peer.cell, client=client, **told)

    @rule(number=index, service=st.sampled_from(["tts-1", "asr-1"]), ms=st.integers(1, 9_000))
    def service_out(self, number: int, service: str, ms: int) -> None:
        peer = self._peer(number)
        told: Any = {"service": service, "code": "MODEL_NOT_AVAILABLE", "out_ms": ms}
        self.world.do(scripts.service_out, cell=peer.cell, node=peer.node, repeat=True, **told)

    @rule(number=index)
    def mend(self, number: int) -> None:
        peer = self._peer(number)
        cell, snapshot = peer.cell, self.world.snapshots[peer.cell]
        self.world.do(scripts.mend_node, cell=cell, node=peer.node)
        for job in sorted(snapshot.jobs)[number % 3 :: 3]:
            self.world.do(scripts.mend_job, cell=cell, job=job)
        for session in snapshot.sessions:
            self.world.do(scripts.mend_session, cell=cell, session=session)
        for sig in snapshot.named("waiting"):
            self.world.do(scripts.mend_queue, cell=cell, sig=sig)
        for key in (f"ready:{POOLS[0]}", "timers", "mailbox:p1"):
            self.world.do(scripts.mend_entry, cell=cell, key=key, member=peer.node)

    # --- time, late calls and losses ---

    @rule(ms=st.sampled_from([50, 300, 1_050, 2_500, 6_000]), limit=st.sampled_from([1, 16]))
    def wait(self, ms: int, limit: int) -> None:
        self.cells.advance(ms)
        for cell in range(self.CELLS):
            self.world.do(scripts.reap, cell=cell, limit=limit)

    @rule(times=st.sampled_from([1, 2, 3, 6, 12, 26]), beating=yes)
    def wait_long(self, times: int, beating: bool) -> None:
        for turn in range(times):
            self.cells.advance(STEP_MS)
            if beating and turn % 6 == 0:
                self._all_beat()
            self.renew()
            self._reap_all()

    @rule()
    def wait_for_the_sweep(self) -> None:
        """A second later nobody who could work is idle while a job waits for such a node."""
        self.cells.advance(1_000)
        self._reap_all()
        self.cells.advance(1_000)
        self._reap_all()
        for snapshot in self.world.snapshots:
            assert not idle(snapshot, self.cells.now_ms)

    def _reap_all(self) -> None:
        for cell in range(self.CELLS):
            while self.world.do(scripts.reap, cell=cell).more:
                pass

    @precondition(lambda self: self.world.made)
    @rule(number=index)
    def arrive_late(self, number: int) -> None:
        self.world.later(self.world.made[number % len(self.world.made)])

    @rule(number=index, odd=odds)
    def disaster(self, number: int, odd: int) -> None:
        """Redis ends a key that has a TTL, forgets everything, or an older copy takes over."""
        if odd < 5:
            cell = number % self.CELLS
            ending = [k for k, c in self.world.snapshots[cell].keys.items() if c.ttl_ms != -1]
            if ending:
                self.world.expire(cell, pick(ending, number))
        elif odd == 5:
            self.world.lose()
            self._replay(number)
        elif odd < 8 or not self.copies:
            self.copies = self.world.copy()
        else:
            self.world.fail_over(self.copies)
            self.copies = []
            self._replay(number)

    def _replay(self, number: int) -> None:
        """Processes find out and replay, each when it does."""
        peers = [peer for peer in self.world.peers.values() if peer.conn]
        sessions = [session for session in self.world.sessions.values() if session.open]
        todo: list[Any] = [*peers, *sessions, *PROCESSES]
        while todo:
            one = todo.pop(number % len(todo))
            number //= 3
            if isinstance(one, Peer):
                self._register_again(one)
            elif isinstance(one, Session):
                self.world.replay(one)
            else:
                self._renew(one)


class ScriptsInFourCells(Scripts):
    CELLS = 4
    ARGUMENT_BYTES = LIMITS.argument_bytes
    REACHES = set()  # too few jobs come to each cell
    REPLIES = set()
    NODES = 2
    EXAMPLES = 40


@pytest.mark.timeout(0 if SOAK else 600)
@pytest.mark.parametrize("machine", [Scripts, ScriptsInFourCells])
def test_random_sequences_of_all_scripts_keep_every_invariant(
    machine: type[Scripts], redis_url: str
) -> None:
    machine.url, machine.calls, machine.reasons = redis_url, 0, set()
    machine.replies = Counter()
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=machine.EXAMPLES * (200 if SOAK else 1),
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=not SOAK,
            database=None,
            print_blob=True,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert machine.calls >= ENOUGH, machine.calls
    assert machine.reasons >= machine.REACHES
    assert not machine.REPLIES - set(machine.replies), "replies that no rule brought about"
