"""One job as it is now."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import msgspec

from lua import ids
from lua.client import Cells, StoreSettings
from lua.errors import UNREACHABLE, StoreUnavailable
from lua.keys import cell_prefix
from lua.reader import client
from lua.scripts import NewJob
from lua.states import TERMINAL, JobState


@dataclass(frozen=True)
class JobView:
    """A job's hash; Redis keeps it until 10 min after its end. ``size``: bytes of its result.

    Of one that was refused: in ``retry_ms`` it may be worth while to ask again; ``field``: the part
    of the client's frame that was wrong, and what was ``expected`` there.
    """

    job: str
    state: JobState
    session: str
    index: int
    tenant: str
    src: str
    tgt: str
    node: str
    pool: str
    attempt: int
    tries: int
    code: str
    message: str
    reason: str
    breakdown: dict[str, int]
    trace: str
    created_ms: int
    ended_ms: int
    size: int
    retry_ms: int = 0
    field: str = ""
    expected: str = ""

    @property
    def is_final(self) -> bool:
        return self.state in TERMINAL

    @property
    def is_utterance(self) -> bool:
        """Whether it has a place among those of a session."""
        return self.index >= 0


def job(store: StoreSettings, name: str) -> JobView | None:
    """What Redis knows of a job; None: nothing, or it is no job id."""
    try:
        key = f"{cell_prefix(store.prefix, ids.cell_of(name, store.cells))}job:{name}"
    except ValueError:
        return None
    return view_of(name, client(store).hgetall(key))


async def job_now(cells: Cells, name: str) -> JobView | None:
    """The same without blocking. Raises StoreUnavailable; ValueError if it is no job id."""
    cell = ids.cell_of(name, cells.count)
    try:
        fields = await cells.plain.hgetall(f"{cells.prefixes[cell]}job:{name}")
    except UNREACHABLE as error:
        raise StoreUnavailable(str(error)) from error
    return view_of(name, fields)


def unknown_jobs(store: StoreSettings, cell: int, names: Collection[str]) -> set[str]:
    """Those of the jobs that Redis has no trace of, in one round trip."""
    prefix = cell_prefix(store.prefix, cell)
    with client(store).pipeline(transaction=False) as pipe:
        for name in names:
            pipe.exists(f"{prefix}job:{name}")
        known = pipe.execute()
    return {name for name, there in zip(names, known, strict=True) if not there}


def view_of(name: str, fields: Any) -> JobView | None:
    """From the fields of its hash. One that was refused without being tried has no spec."""
    packed = fields.get(b"spec")
    raw = {name.decode(): value.decode() for name, value in fields.items() if name != b"spec"}
    if raw.get("stub") == "1" or "state" not in raw:
        return None  # only what a node said of it after a loss of Redis
    given: dict[str, Any] = msgspec.structs.asdict(NewJob.read(packed)) if packed else raw
    return JobView(
        job=name,
        state=JobState(raw["state"]),
        session=raw.get("session", ""),
        index=int(given.get("index") or 0),
        tenant=given.get("tenant", ""),
        src=given.get("src", ""),
        tgt=given.get("tgt", ""),
        node=raw.get("node", ""),
        pool=raw.get("pool", ""),
        attempt=int(raw.get("attempt") or 0),
        tries=int(raw.get("tries") or 0),
        code=raw.get("code", "") or raw.get("cause", ""),
        message=raw.get("message", ""),
        reason=raw.get("reason", ""),
        breakdown=json.loads(raw.get("breakdown") or "{}"),
        trace=given.get("trace", ""),
        created_ms=int(raw.get("born") or 0),
        ended_ms=int(raw.get("ended") or 0),
        size=int(raw.get("size") or 0),
        retry_ms=int(raw.get("retry_ms") or 0),
        field=raw.get("field", ""),
        expected=raw.get("expected", ""),
    )
