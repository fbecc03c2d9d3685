"""Where a job would go, and why: asked of the scripts that place jobs, without making one."""

from dataclasses import dataclass

from jobs.failures import Failure, failure_of
from jobs.rest_dispatch import Request, compiled
from jobs.specs import deadline_of
from lua import scripts
from lua.client import Cells
from lua.scripts import Need, Simulated, Wish
from pools.routes import Refusal
from pools.snapshot import Snapshot

MEMBERS = 20  # looked at of each pool


@dataclass(frozen=True)
class Finding:
    """``refused``: no pool serves it, so no script was asked; else ``need`` and ``found``."""

    cell: int
    need: Need | None = None
    found: Simulated | None = None
    refused: Failure | None = None


async def simulate(cells: Cells, snapshot: Snapshot, request: Request) -> Finding:
    """Nothing is written. Raises FrameError or Unsupported as a real request; StoreError."""
    speech, cell, need = await compiled(cells, snapshot, request)
    if isinstance(need, Refusal):
        why = failure_of(need, snapshot=snapshot, cell=cell, speech=speech)
        return Finding(cell, refused=why)
    frame = request.frame
    wish = Wish(
        session=request.origin.session,
        need=need.text,
        sig=need.sig,
        preferred=frame.preferred_node_id or "",
        avoid=list(request.avoid),
        deadline_ms=deadline_of(frame),
    )
    found = await scripts.simulate(cells, cell=cell, wish=wish, most=MEMBERS, passed=need.passed)
    return Finding(cell, need, found)
