"""Old history goes, a bounded number of rows a transaction."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from jobs.models import Job, JobEvent, NodeEvent, Note, PoolEvent
from jobs.models.job import FINAL

AT_ONCE = 500


def prune(*, now: datetime, keep_days: int) -> int:
    """Remove ended jobs, their events, and all other events, older than ``keep_days``.

    Returns how many jobs. Totals stay.
    """
    before = now - timedelta(days=keep_days)
    for model in (NodeEvent, PoolEvent, Note):
        _delete_all(model._default_manager.filter(at__lt=before))
    ended = Job.objects.filter(created_at__lt=before, state__in=FINAL)
    count = 0
    while jobs := list(ended.values_list("pk", flat=True)[:AT_ONCE]):
        with transaction.atomic():
            JobEvent.objects.filter(job_id__in=jobs).delete()
            Job.objects.filter(pk__in=jobs).delete()
        count += len(jobs)
    return count


def _delete_all(rows: QuerySet) -> None:  # type: ignore[type-arg]
    while some := list(rows.values_list("pk", flat=True)[:AT_ONCE]):
        rows.filter(pk__in=some).delete()
