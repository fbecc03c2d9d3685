"""Periodic work on the history. Each may run twice or be killed at any moment."""

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from jobs import audit, lost, pruning
from pools.store import store


@shared_task
def drain_audit() -> None:
    """Move what the event streams hold into SQL."""
    for cell in range(store().cells):
        audit.drain(store(), cell)


@shared_task
def close_lost() -> None:
    """End jobs that Redis lost."""
    lost.close_lost(store(), now=timezone.now())


@shared_task
def prune_history() -> None:
    """Remove what is older than the retention."""
    pruning.prune(now=timezone.now(), keep_days=settings.PARLEY_JOBS.history_days)
