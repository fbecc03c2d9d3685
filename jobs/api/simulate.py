"""``POST jobs/simulate/``: where a job would go, with the reasons."""

from typing import Any

from django.http import HttpRequest

from jobs.api.body import SILENCE, JobBody, JobParser, read_body
from jobs.api.create import faults, snapshot_of, wish_of
from jobs.failures import Failure
from jobs.principal import Principal
from jobs.simulation import Finding, simulate
from lua.client import Cells
from lua.receipts import words_of
from lua.scripts import Candidate
from parley.frames import present
from pools.store import call


class WishParser(JobParser):
    """As that of a job, but sound may be left out."""

    def read(self, raw: bytes) -> JobBody:
        return heard_of_nothing(read_body(raw, needs_sound=False))


def heard_of_nothing(body: JobBody) -> JobBody:
    """With a sound as short as can be, where there is none."""
    if not present(body.audio) and body.audio_ref is None:
        body.audio = SILENCE
        if body.audio_format in (None, "wav"):
            body.audio_format = "pcm16"
    return body


def simulated(request: HttpRequest, body: JobBody, principal: Principal) -> dict[str, Any]:
    """What would become of the job. Raises Problem and StoreError."""
    wish = wish_of(body, principal, "")

    async def ask(cells: Cells) -> Finding:
        return await simulate(cells, await snapshot_of(cells, request), wish)

    with faults():
        return as_json(call(ask, request))


def as_json(finding: Finding) -> dict[str, Any]:
    """The answer: what ``dispatch`` would say, the choice, and each candidate."""
    return _found(finding) | _refused(finding.refused) | {"cell": finding.cell}


def _refused(why: Failure | None) -> dict[str, Any]:
    if why is None:
        return {}
    breakdown = why.breakdown or {}
    return {
        "code": why.code, "reason": why.reason, "message": why.message, "breakdown": breakdown,
    }  # fmt: skip


def _found(finding: Finding) -> dict[str, Any]:
    found, need = finding.found, finding.need
    if found is None or need is None:
        return _EMPTY
    return {
        "state": found.state,
        "node_id": found.node,
        "pool": found.pool,
        "code": found.code,
        "reason": found.reason,
        "message": "",
        "breakdown": found.breakdown,
        "ahead": found.ahead,
        "pools": list(need.pools),
        "asks": list(need.has),
        "choice": words_of(found.receipt) or {},
        "candidates": [_candidate(one) for one in found.listed],
    }


_EMPTY: dict[str, Any] = {
    "state": "FAILED",
    "node_id": "",
    "pool": "",
    "breakdown": {},
    "ahead": 0,
    "pools": [],
    "asks": [],
    "choice": {},
    "candidates": [],
}


def _candidate(one: Candidate) -> dict[str, Any]:
    return {
        "node_id": one.node,
        "reason": one.reason,
        "used": one.used,
        "foreign": one.foreign,
        "capacity": one.capacity,
        "silent_ms": one.silent_ms,
        "pools": one.pools.split(),
    }
