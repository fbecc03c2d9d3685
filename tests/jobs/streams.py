"""A cell's event stream, written by hand as the scripts write it."""

import json
from dataclasses import dataclass
from typing import Any

import redis

from lua.client import StoreSettings
from lua.keys import cell_prefix
from tests.harness.loss import forget_everything


@dataclass
class Stream:
    """The ``events`` stream of one cell of a store."""

    store: StoreSettings
    client: redis.Redis
    cell: int = 0

    @property
    def prefix(self) -> str:
        return cell_prefix(self.store.prefix, self.cell)

    def begin_life(self, epoch: str) -> None:
        """Redis was replaced: nothing is left, and this is its new mark."""
        forget_everything(self.store.url, self.store.prefix)
        self.client.set(f"{self.prefix}epoch", epoch)

    def add(self, *, id: str = "*", **fields: Any) -> str:
        texts: Any = {
            name: json.dumps(value) if isinstance(value, dict) else value
            for name, value in fields.items()
        }
        added: Any = self.client.xadd(f"{self.prefix}events", texts, id=id)
        return str(added.decode())

    def job(self, job: str, moves: str, **fields: Any) -> str:
        return self.add(e="job", job=job, moves=moves, **fields)

    def finished_job(self, job: str) -> list[str]:
        """The entries of a job that ends well."""
        origin = {"session": "s-1", "index": 4, "tenant": "acme", "src": "en", "tgt": "zh"}
        return [
            self.job(
                job,
                "NEW SELECTING RESERVED",
                attempt=1,
                node="node-1",
                pool="auto:en-zh",
                request="acme/c/r1",
                size=300,
                trace="t-1",
                **origin,
            ),
            self.job(job, "RESERVED DISPATCHED", attempt=1, node="node-1", ms=2),
            self.job(
                job,
                "DISPATCHED DONE",
                attempt=1,
                node="node-1",
                tries=0,
                code="",
                ms=40,
                brief={"asr_ms": 30, "nmt_ms": 5},
            ),
        ]

    def waiting_entries(self) -> int:
        return int(self.client.xlen(f"{self.prefix}events"))
