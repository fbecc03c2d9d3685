"""The drain: moves the event stream of a cell into SQL, each entry exactly once.

A job ends its way here. The cursor row says how far the history is; it is moved in the
transaction that inserts, and only from where it was read. So a drain that is killed anywhere, or
races another one, loses nothing and doubles nothing. Redis forgets an entry only after SQL has it.
"""

import time
from dataclasses import dataclass, replace

import redis
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from jobs.history import Rows, jobs_in, rows_of
from jobs.models import AuditCursor, Job, JobTotal
from lua import events
from lua.client import StoreSettings
from lua.keys import cell_prefix
from lua.reader import client

BATCH = 2_000
JOB_COLUMNS = [column.name for column in Job._meta.concrete_fields if not column.primary_key]


@dataclass(frozen=True)
class Place:
    """A place in the history: life of Redis and stream id."""

    epoch: str = ""
    entry: str = events.START


class CursorMoved(Exception):
    """Another drain was faster; its transaction holds what this one wanted to write."""


def drain(store: StoreSettings, cell: int, *, batch: int = BATCH, budget_s: float = 10.0) -> int:
    """Move what the stream of a cell holds, for about ``budget_s``; returns how many entries.

    Raises redis' and Django's database errors; nothing is lost then. Losing against another
    drain ends this one.
    """
    connection, prefix = client(store), cell_prefix(store.prefix, cell)
    until, moved = time.monotonic() + budget_s, 0
    while True:
        try:
            count = _drain_batch(connection, prefix, cell, batch)
        except CursorMoved:
            return moved
        moved += count
        if count < batch or time.monotonic() > until:
            return moved


def cursor_of(cell: int) -> Place:
    """How far the history of a cell is."""
    row, _ = AuditCursor.objects.get_or_create(cell=cell)
    return Place(row.epoch, row.entry)


def _drain_batch(connection: redis.Redis, prefix: str, cell: int, count: int) -> int:
    start = cursor_of(cell)
    batch = events.read(connection, prefix, epoch=start.epoch, after=start.entry, count=count)
    end = start
    if batch.entries:
        end = replace(start, epoch=batch.epoch, entry=batch.entries[-1].id)
        record(cell, start, end, batch)
    if end.entry != events.START:
        events.trim(connection, prefix, epoch=end.epoch, upto=end.entry)
    return len(batch.entries)


def record(cell: int, start: Place, end: Place, batch: events.Batch) -> None:
    """Write a batch and move the cursor from ``start`` to ``end``, or raise CursorMoved."""
    with transaction.atomic():
        cursor = AuditCursor.objects.filter(cell=cell, epoch=start.epoch, entry=start.entry)
        if not cursor.update(epoch=end.epoch, entry=end.entry, moved_at=timezone.now()):
            raise CursorMoved
        write(cell, rows_of(cell, batch, Job.objects.in_bulk(jobs_in(batch))))


def write(cell: int, rows: Rows) -> None:
    """Insert events, insert or update jobs, add to the totals."""
    for model, new in rows.events.items():
        model._default_manager.bulk_create(new)
    Job.objects.bulk_create(
        rows.jobs.values(),
        update_conflicts=True,
        unique_fields=["job_id"],
        update_fields=JOB_COLUMNS,
    )
    for (day, state, code), (count, ms) in rows.totals.items():
        key = {"cell": cell, "day": day, "state": state, "code": code}
        if not JobTotal.objects.filter(**key).update(count=F("count") + count, ms=F("ms") + ms):
            JobTotal.objects.create(**key, count=count, ms=ms)
