"""Mends what the doctor found, one entry a call; each script looks anew before it writes."""

import asyncio
from collections.abc import Iterable

from lua import scripts
from lua.client import Cells
from lua.doctor import KEY_RULE, reading
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
    key, slash, member = _parted(subject)
    if not slash:
        return await _mend_whole(cells, cell, subject)
    if key.startswith(QUEUES):
        return await _mend_queue(cells, cell, key, member)
    if key in ("broken", "lame"):
        node = await scripts.mend_node(cells, cell=cell, node=member)
        return node.changes
    if key == "offers":
        member = await asyncio.to_thread(_counted, cells, cell, member)
    reply = await scripts.mend_entry(cells, cell=cell, key=key, member=member)
    changes = reply.changes
    if key.startswith(MEMBERSHIPS):
        changes += (await scripts.mend_node(cells, cell=cell, node=member)).changes
    return changes


def _parted(subject: str) -> tuple[str, str, str]:
    """Key and entry. Names of services and models, and request ids, have slashes of their own."""
    if subject.startswith("request:"):
        return subject, "", ""
    named = subject.startswith(("offers/", "timers/"))
    return subject.partition("/") if named else subject.rpartition("/")


def _counted(cells: Cells, cell: int, line: str) -> str:
    """It is set only if it has not moved meanwhile: then the doctor finds it again."""
    said, right = reading.count_offering(cells.settings, cell, line)
    return f"{said} {right} {line}"


async def _mend_queue(cells: Cells, cell: int, key: str, member: str) -> int:
    kind, _, name = key.partition(":")
    if kind != "waiting":
        return (await scripts.mend_queue(cells, cell=cell, sig=member, head=name)).changes
    job = await scripts.mend_job(cells, cell=cell, job=member)
    queue = await scripts.mend_queue(cells, cell=cell, sig=name, member=member)
    return job.changes + queue.changes


async def _mend_whole(cells: Cells, cell: int, subject: str) -> int:
    """A node, a job, a session, or a key with all that is in it."""
    if subject.startswith("session:"):
        session = subject.removeprefix("session:")
        return (await scripts.mend_session(cells, cell=cell, session=session)).changes
    if ":" in subject:
        return (await scripts.mend_entry(cells, cell=cell, key=subject)).changes
    job = await scripts.mend_job(cells, cell=cell, job=subject)
    node = await scripts.mend_node(cells, cell=cell, node=subject)
    return job.changes + node.changes
