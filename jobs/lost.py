"""Jobs that ended without a word, because Redis lost them: SQL says so in the end."""

from datetime import datetime, timedelta

from django.db import transaction

from jobs.audit import write
from jobs.history import Rows, fold
from jobs.models import AuditCursor, Job, JobEvent
from jobs.models.job import FINAL
from lua import views
from lua.client import StoreSettings
from lua.events import JobMoved
from lua.states import JobState

LOST_AFTER = timedelta(minutes=10)
STREAM_LAG_MS = 60_000
AT_ONCE = 500


def close_lost(store: StoreSettings, *, now: datetime) -> int:
    """End jobs as FAILED with STATE_LOST that are live in SQL, had no event for 10 min, and are
    unknown to Redis; returns how many. Raises redis-py's RedisError.

    Redis keeps a job for 10 min after its end. So one it does not know has no event that is
    still on its way, unless the history lags: then nothing is closed.
    """
    closed = 0
    for cell in views.cells(store):
        if cell.stream_lag_ms < STREAM_LAG_MS:
            closed += _close_lost_of(store, cell.cell, now)
    return closed


def _close_lost_of(store: StoreSettings, cell: int, now: datetime) -> int:
    silent = Job.objects.filter(cell=cell, updated_at__lt=now - LOST_AFTER).exclude(state__in=FINAL)
    names = list(silent.values_list("job_id", flat=True)[:AT_ONCE])
    if not names:
        return 0
    lost = views.unknown_jobs(store, cell, names)
    with transaction.atomic():
        # Held by a drain while it writes jobs: the two take turns.
        cursor = AuditCursor.objects.select_for_update().get_or_create(cell=cell)[0]
        jobs = list(silent.filter(job_id__in=lost))
        _close(cursor, jobs, now)
    return len(jobs)


def _close(cursor: AuditCursor, jobs: list[Job], now: datetime) -> None:
    rows = Rows(jobs={job.job_id: job for job in jobs})
    for job in jobs:
        moves = (job.state, JobState.FAILED)
        fold(job, JobMoved(job.job_id, moves, code="STATE_LOST"), now)
        rows.count(now, JobState.FAILED, "STATE_LOST", job.duration_ms or 0)
        rows.events[JobEvent].append(
            JobEvent(
                cell=cursor.cell,
                epoch=cursor.epoch,
                entry=f"lost {job.job_id}",
                at=now,
                job_id=job.job_id,
                moves=" ".join(moves),
                code="STATE_LOST",
            )
        )
    write(cursor.cell, rows)
