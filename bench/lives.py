"""Server time of the other calls of a job's and a node's life, for :mod:`bench.dispatch`."""

from collections.abc import Iterable, Sequence
from typing import Any

from bench.commandstats import Usage, undisturbed
from bench.fleet import BY_NOBODY, Fleet, limits
from lua.script import Script
from lua.scripts import AckKind, Beat, Finish, Verdict
from lua.scripts import job as job_calls
from lua.scripts import node as node_calls
from lua.scripts import process as process_calls

MOST_AT_ONCE = 200
DUE = 16
MOST_REAPS = 10
RESULT = b"{" + b"x" * 998 + b"}"
Placed = tuple[str, str]  # job and node


class Life:
    """Takes jobs through their life, some at once, and times each step for itself."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._cell = fleet.cell
        self.size = len(fleet.nodes)
        self.at_once = min(MOST_AT_ONCE, self.size // 3)
        self._dispatch = job_calls.DISPATCH.composed(limits()).text
        self._cancel = job_calls.CANCEL.composed(limits()).text

    def place(self, jobs: int) -> list[Placed]:
        """Dispatch jobs, not timed."""
        made = [self._fleet.new_job() for _ in range(jobs)]
        replies = self._fleet.run(
            ("EVAL", self._dispatch, 1, self._cell, "", RESULT, *BY_NOBODY, job.packed())
            for job in made
        )
        return [(job.decode(), node.decode()) for _, job, node, *_ in replies]

    def timed(self, script: Script, calls: Iterable[Sequence[Any]]) -> float:
        """Server time of one call of a script in a batch."""
        name = self._fleet.load(script.composed(limits()))
        before = Usage.of(self._fleet.client)
        self._fleet.run(("FCALL", name, 1, self._cell, *arguments) for arguments in calls)
        return (Usage.of(self._fleet.client) - before).us_a_script

    def take(self, placed: list[Placed]) -> float:
        return self.timed(job_calls.TAKE, ((job, 1, node, f"conn-{node}") for job, node in placed))

    def ack(self, placed: list[Placed]) -> float:
        calls = ((job, node, f"conn-{node}", "", AckKind.ACK, b"") for job, node in placed)
        return self.timed(job_calls.ACK, calls)

    def finish(self, placed: list[Placed]) -> float:
        calls = (("", RESULT, "", _outcome(job, node)) for job, node in placed)
        return self.timed(job_calls.FINISH, calls)

    def heartbeat(self, *, described: bool) -> float:
        """Of nodes that have nothing new to tell; ``described``: they tell all the same."""
        beats = (
            Beat(
                node=node,
                conn=f"conn-{node}",
                running=self._fleet.used[node],
                queue=0,
                hot=False,
                about=self._fleet.about(node) if described else None,
                metrics='{"cpu_percent":12.5,"gpu_percent":40.0,"mem_percent":31.0}',
            ).packed()
            for node in self._fleet.some_nodes(self.at_once)
        )
        return self.timed(node_calls.HEARTBEAT, ((beat,) for beat in beats))

    def reap(self) -> float:
        """Calls that each find 16 jobs due whose nodes have not answered in time; all are placed
        again, on other nodes. Several in a row, as for the other calls: the first finds nothing of
        it in the processor's caches and takes half as long again.
        """
        reaps = min(MOST_REAPS, self.size // DUE * 2 // 3)
        placed = self.place(reaps * DUE)
        self.take(placed)
        for job, _ in placed:
            self._fleet.client.hset(f"{self._cell}job:{job}", "due", 1)
            self._fleet.client.zadd(f"{self._cell}timers", {f"job:{job}": 1})
        us = self.timed(process_calls.REAP, [(DUE,)] * reaps)
        states = {self._fleet.client.hget(f"{self._cell}job:{job}", "state") for job, _ in placed}
        assert states == {b"RESERVED"}, states
        self.drop(placed)
        return us

    def drop(self, placed: list[Placed]) -> None:
        """End jobs wherever they are now."""
        self._fleet.run(
            ("EVAL", self._cancel, 1, self._cell, job, "CANCELLED", "") for job, _ in placed
        )


def _outcome(job: str, node: str) -> bytes:
    return Finish(
        job=job,
        node=node,
        verdict=Verdict.DONE,
        blame="",
        code="",
        message="",
        size=len(RESULT),
        brief='{"asr_ms":210,"nmt_ms":45,"tts_ms":120,"total_ms":380}',
        token=f"token-{job}",
    ).packed()


class Lives:
    """The calls of a life on one fleet, one batch each a turn, and their times."""

    def __init__(self, fleet: Fleet) -> None:
        self._life = Life(fleet)
        self._fleet = fleet
        self._taken: dict[str, list[float]] = {}

    def turn(self) -> None:
        """Time each call."""
        life = self._life
        placed = life.place(life.at_once)
        self._note("take", life.take(placed))
        self._note("ack", life.ack(placed))
        self._note("finish", life.finish(placed))
        self._note("heartbeat", life.heartbeat(described=False))
        self._note("heartbeat that describes the node again", life.heartbeat(described=True))
        self._note(f"reap of {DUE} jobs", life.reap())
        self._fleet.tidy()

    def lines(self) -> list[str]:
        """A line for each call."""
        size = self._life.size
        return [
            f"{size:>7,} {name:<41} {undisturbed(us):>8.1f} µs" for name, us in self._taken.items()
        ]

    def _note(self, name: str, us: float) -> None:
        self._taken.setdefault(name, []).append(us)
