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
    """``need`` and ``found``: what the scripts said, where pools serve the languages; ``refused``:
    why they would not be asked.
    """

    cell: int
    need: Need | None = None
    found: Simulated | None = None
    refused: Failure | None = None


async def simulate(cells: Cells, snapshot: Snapshot, request: Request) -> Finding:
    """Nothing is written. Raises FrameError or Unsupported as a real request; StoreError."""
    speech, cell, answer = await compiled(cells, snapshot, request)
    refused, need = None, answer.need if isinstance(answer, Refusal) else answer
    if isinstance(answer, Refusal):
        refused = failure_of(answer, speech=speech)
    if need is None:
        return Finding(cell, refused=refused)
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
    return Finding(cell, need, found, refused)
