"""The product's scripts decide, at the simulation's time: see :mod:`lua.given_time`.

One web process holds all nodes and is asked for every job, as in a service of one process: a job
that is placed at once is with its node, one that waited is told to the process's mailbox and taken.
Nodes send heartbeats, the process renews its lease and reaps, all when they would.
"""

from collections.abc import Iterator
from typing import Any

from bench.jobs import a_job
from bench.simulation.fleet import PAIRS, Machine
from bench.simulation.traffic import Job
from bench.simulation.world import Asking, Command, Placed
from lua.given_time import START_MS
from lua.scripts import Beat, Finish, Need, Verdict

PROCESS = "sim"
PAYLOAD = b"{}"
HEARTBEAT_MS = 15_000
TICK_MS = 500
REAPED = 16


class Parley:
    """Asks for every decision in ``cell``, where the fleet is registered.

    ``scripts``: functions by name. ``needs``: where the jobs of each pair may go.
    """

    tick_ms: float = TICK_MS

    def __init__(
        self, fleet: list[Machine], cell: str, scripts: dict[str, str], needs: list[Need]
    ) -> None:
        self._fleet = fleet
        self._by_name = {machine.name.encode(): machine for machine in fleet}
        self._cell = cell
        self._mailbox = f"{cell}mailbox:{PROCESS}"
        self._scripts = scripts
        self._needs = needs
        self._read_to = b"0-0"
        self._waiting: dict[bytes, Job] = {}

    # --- what happens ---

    def arrive(self, job: Job, at_ms: float) -> Asking:
        name = f"j{job.number}"
        told = ("", PAYLOAD, PROCESS, "", "0", "", self._new_job(job, name))
        replies = yield self._and_mail([self._call("dispatch", at_ms, *told)])
        word, _, *rest = replies[0]
        placed = yield from self._taken(replies[1:], at_ms)
        if word == b"DISPATCHED":
            placed.append((job, self._by_name[rest[0]]))
        elif word == b"REFUSED":
            placed.append((job, None))
        else:
            assert word == b"WAITING", replies[0]
            self._waiting[name.encode()] = job
        return placed

    def end(self, job: Job, machine: Machine, at_ms: float) -> Asking:
        told = Finish(
            job=f"j{job.number}",
            node=machine.name,
            verdict=Verdict.DONE,
            blame="",
            code="",
            message="",
            size=0,
            brief="{}",
            token="1",
        )
        call = self._call("finish", at_ms, "", "", PROCESS, told.packed())
        replies = yield self._and_mail([call])
        assert replies[0][0] == b"DONE", replies[0]
        return (yield from self._taken(replies[1:], at_ms))

    def tick(self, at_ms: float) -> Asking:
        commands: list[Command] = [
            self._call("renew_lease", at_ms, PROCESS, "epoch"),
            *self._heartbeats(at_ms),
            self._call("reap", at_ms, REAPED),
            ("XTRIM", f"{self._cell}events", "MAXLEN", 0),
        ]
        replies = yield self._and_mail(commands)
        placed = yield from self._taken(replies[len(commands) :], at_ms)
        more = replies[len(commands) - 2][2]
        while more == b"1":
            replies = yield self._and_mail([self._call("reap", at_ms, REAPED)])
            placed += yield from self._taken(replies[1:], at_ms)
            more = replies[0][2]
        return placed

    # --- calls ---

    def _call(self, name: str, at_ms: float, *arguments: bytes | str | int) -> Command:
        now_us = int((START_MS + at_ms) * 1000)
        return ("FCALL", self._scripts[name], 1, self._cell, *arguments, now_us)

    def _and_mail(self, commands: list[Command]) -> list[Command]:
        """While jobs wait, every call may hand one over."""
        if not self._waiting:
            return commands
        return [*commands, ("XRANGE", self._mailbox, b"(" + self._read_to, "+")]

    def _taken(self, mail: list[Any], at_ms: float) -> Asking:
        """Jobs that waited and were given a node, as the mailbox says."""
        given: Placed = []
        commands: list[Command] = []
        for entry, fields in mail[0] if mail else ():
            self._read_to = entry
            told = dict(zip(fields[::2], fields[1::2], strict=True))
            if told[b"kind"] == b"assign":
                node = told[b"node"]
                commands.append(self._call("take", at_ms, told[b"job"], 1, node, PROCESS))
                given.append((self._waiting.pop(told[b"job"]), self._by_name[node]))
        if commands:
            for reply in (yield commands):
                assert reply[0] == b"TAKEN", reply
        return given

    def _heartbeats(self, at_ms: float) -> Iterator[Command]:
        """Of the nodes whose turn has come since the last tick; all in HEARTBEAT_MS."""
        turns = HEARTBEAT_MS // TICK_MS
        turn = round(at_ms / TICK_MS) % turns
        for machine in self._fleet[turn::turns]:
            beat = Beat(
                node=machine.name,
                conn=PROCESS,
                running=machine.used,
                queue=0,
                hot=False,
                about=None,
                metrics="{}",
            )
            yield self._call("heartbeat", at_ms, beat.packed())

    def _new_job(self, job: Job, name: str) -> bytes:
        need, (src, tgt) = self._needs[job.pair], PAIRS[job.pair]
        return a_job(name, need, src=src, tgt=tgt, size=len(PAYLOAD)).packed()
