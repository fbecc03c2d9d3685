"""Mends what the doctor found, one entry a call; each script looks anew before it writes."""

from collections.abc import Iterable

from lua import scripts
from lua.client import Cells
from lua.doctor import KEY_RULE
from lua.doctor.reading import Finding

MEMBERSHIPS = ("pool:", "ready:", "idle:", "has:")
QUEUES = ("waiting:", "heads:", "sigs", "queues")


async def mend(cells: Cells, findings: Iterable[Finding]) -> int:
    """How many entries were changed. Raises StoreError."""
    changes = 0
    for cell, subject, rule in sorted({(one.cell, one.subject, one.rule) for one in findings}):
        changes += await _mend(cells, cell, subject, is_key=rule == KEY_RULE)
    return changes


async def _mend(cells: Cells, cell: int, subject: str, *, is_key: bool) -> int:
    if is_key:
        reply = await scripts.mend_entry(cells, cell=cell, key=subject)
        await scripts.mend_job(cells, cell=cell, job=subject.removeprefix("job:"))
        return reply.changes
    key, slash, member = subject.rpartition("/")
    if not slash:
        return await _mend_whole(cells, cell, subject)
    if key.startswith(QUEUES):
        return await _mend_queue(cells, cell, key, member)
    if key in ("broken", "lame"):
        return (await scripts.mend_node(cells, cell=cell, node=member)).changes
    reply = await scripts.mend_entry(cells, cell=cell, key=key, member=member)
    changes = reply.changes
    if key.startswith(MEMBERSHIPS):
        changes += (await scripts.mend_node(cells, cell=cell, node=member)).changes
    return changes


async def _mend_queue(cells: Cells, cell: int, key: str, member: str) -> int:
    kind, _, name = key.partition(":")
    if kind != "waiting":
        return (await scripts.mend_queue(cells, cell=cell, sig=member, head=name)).changes
    job = await scripts.mend_job(cells, cell=cell, job=member)
    queue = await scripts.mend_queue(cells, cell=cell, sig=name)
    return job.changes + queue.changes


async def _mend_whole(cells: Cells, cell: int, subject: str) -> int:
    """A node, a job, or a key with all that is in it."""
    if ":" in subject:
        return (await scripts.mend_entry(cells, cell=cell, key=subject)).changes
    job = await scripts.mend_job(cells, cell=cell, job=subject)
    node = await scripts.mend_node(cells, cell=cell, node=subject)
    return job.changes + node.changes
