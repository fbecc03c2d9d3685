"""A fleet for the benches: nodes that the product registered, busy with jobs of others."""

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec
import redis

from bench.jobs import a_job
from bench.nodes import described, registration
from lua import loader
from lua.composer import Composed, compose
from lua.keys import cell_prefix
from lua.limits import Limits
from lua.script import Script
from lua.scripts import Need, NewJob, Node
from lua.scripts import node as node_calls
from lua.scripts import process as process_calls
from lua.scripts import session as session_calls

PROCESS = "bench"
POOLS = ("auto:en-zh", "pair:en-zh")
SESSIONS = [f"s-{number:08X}" for number in range(64)]
CAPACITIES = (2, 3, 4)
CAPABILITIES = json.dumps(
    {"version": "1.4.2", "hardware": {"cpu_cores": 16, "memory_gb": 64, "gpus": ["RTX 4090"]}}
    | {"models": [f"{kind}-large-v{n}" for kind in ("asr", "nmt", "tts") for n in range(8)]}
)
# Hours, so that nothing falls due while the bench looks at something else.
PATIENT = {"stale_ms": 3_600_000, "lease_ms": 3_600_000, "reservation_ttl_ms": 3_600_000}
# Room for all that a bench lets wait, and for all its retries.
ROOMY = {"queue_jobs": 1_000_000, "session_jobs": 1_000_000, "budget_retries": 1_000_000}

# What dispatch is told besides the job and its payload: no process, no pools that were passed over,
# no spread, nobody who asks.
BY_NOBODY = ("", "", 0, "")


def limits(**changed: int) -> Limits:
    """The product's limits, but nothing falls due by itself, and everything may wait."""
    return Limits(**{**PATIENT, **ROOMY, **changed})


def batches(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Lists of ``size`` items, the last one shorter."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


class Fleet:
    """``size`` nodes of 2 to 4 slots, all in the same two pools; ``first`` numbers them from there.

    ``full`` percent of them, at random, have no slot left; the others have a random number of jobs
    below that, ``least`` or more. One node of each capacity is registered by the product, the
    others are copies.
    ``one_queue``: jobs that find nobody wait in one queue, else each in one of its own, so that it
    changes nothing for the next. ``idle``: nobody has a job.
    """

    def __init__(
        self,
        client: redis.Redis,
        *,
        cell: int,
        size: int,
        full: int,
        pools: tuple[str, str] = POOLS,
        first: int = 0,
        one_queue: bool = False,
        idle: bool = False,
        least: int = 0,
    ) -> None:
        self.client = client
        self.cell = cell_prefix("bench:", cell)
        self.full = full
        self.pools = pools
        self.nodes = [f"node-{number:08X}" for number in range(first, first + size)]
        self.used = dict.fromkeys(self.nodes, 0)  # jobs of others
        self._one_queue = one_queue
        self._idle = idle
        self._least = least
        self._random = random.Random(size)
        self._made = 0
        self._loaded: set[str] = set()
        self._jobs: list[NewJob] = []
        self._fill()

    # --- calls ---

    def load(self, whole: Composed) -> str:
        """Give the server a script as the product does, once; returns what ``FCALL`` names it by.

        To load it again would leave its former functions to be collected in the calls that follow.
        """
        if whole.name not in self._loaded:
            self.client.function_load(whole.library, replace=True)
            self._loaded.add(whole.name)
        return whole.name

    def load_uncounted(self, whole: Composed) -> str:
        """The same for ``EVALSHA``: its time is not that of the scripts that are measured."""
        self.client.script_load(whole.text)
        return whole.sha

    def run(self, commands: Iterable[Sequence[Any]]) -> list[Any]:
        """Run commands in one pipeline; their replies. Raises the first error."""
        pipe = self.client.pipeline(transaction=False)
        for command in commands:
            pipe.execute_command(*command)  # type: ignore[no-untyped-call]
        return pipe.execute()

    def call(self, script: Script, *arguments: bytes | str | int) -> list[Any]:
        """Run one script of the product."""
        text = script.composed(limits()).text
        return self.run([("EVAL", text, 1, self.cell, *arguments)])[0]  # type: ignore[no-any-return]

    # --- nodes ---

    def about(self, node: str) -> Node:
        """What selection knows of one."""
        return described(
            capacity=self.capacity(node),
            pools=self.pools,
            has=["type:tts", "tts:en", "tts:zh"],
            definition='{"asr":null,"semantic":["en","zh"],"pairs":null}',
            caps=CAPABILITIES,
        )

    def capacity(self, node: str) -> int:
        """Its slots."""
        return CAPACITIES[int(node[5:], 16) % len(CAPACITIES)]

    def some_nodes(self, count: int) -> list[str]:
        """Nodes at random, each once."""
        return self._random.sample(self.nodes, count)

    def _fill(self) -> None:
        self.call(process_calls.RENEW_LEASE, PROCESS, "epoch")
        for session in SESSIONS:
            opened = session_calls.NewSession(session=session, process=PROCESS, tenant="")
            self.call(session_calls.OPEN_SESSION, opened.packed())
        for first, node in enumerate(self.nodes[: len(CAPACITIES)]):
            self._register(node)
            self._run_own("copy", self.nodes[first :: len(CAPACITIES)][1:], node)
        order = [] if self._idle else self.some_nodes(len(self.nodes))
        bound = round(len(order) * self.full / 100)
        self.used |= {node: self.capacity(node) for node in order[:bound]}
        for node in order[bound:]:
            self.used[node] = self._random.randrange(self._least, self.capacity(node))
        for some in batches([(node, self.used[node]) for node in order], 1_000):
            self._run_own("occupy", some)
        for node in self.some_nodes(20):
            if self._register(node)[0] != b"ALREADY":
                raise SystemExit(f"{node} is not what the product would have made")
        self.tidy()

    def _register(self, node: str) -> list[Any]:
        told = registration(node, self.about(node), conn=f"conn-{node}", process=PROCESS)
        return self.call(node_calls.REGISTER_NODE, told)

    def _run_own(self, name: str, items: Sequence[Any], *rest: str) -> None:
        """Run a script of ``bench/plain`` on items."""
        sha = self.load_uncounted(compose(loader.read(f"../bench/plain/{name}"), limits()))
        self.client.evalsha(sha, 1, self.cell, msgspec.msgpack.encode(items), *rest)

    # --- jobs ---

    def new_job(self, has: tuple[str, ...] = ()) -> NewJob:
        """A job of one pool, like one of a session: with a request id and a payload."""
        self._made += 1
        need = Need((self.pools[0],), has)
        name = f"{self.pools[0][-5:]}-{self._made:010X}"
        session = SESSIONS[self._made % len(SESSIONS)]
        job = a_job(
            f"job-{name}",
            need,
            session=session,
            index=self._made,
            request=f"acme/{session}/{name}",
            sig=need.sig if self._one_queue else f"{self._made:016x}",
        )
        self._jobs.append(job)
        return job

    def tidy(self) -> None:
        """Leave nothing of the jobs that were made, but their nodes' memory of sessions."""
        streams = (f"{self.cell}events", f"{self.cell}mailbox:{PROCESS}")
        self.run(("XTRIM", stream, "MAXLEN", 0) for stream in streams)
        keys = [f"{self.cell}job:{job.job}" for job in self._jobs]
        keys += [f"{self.cell}request:{job.request}" for job in self._jobs]
        for some in batches(keys, 1_000):
            self.client.unlink(*some)
        self._jobs.clear()
