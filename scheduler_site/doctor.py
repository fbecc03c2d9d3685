"""What SQL and Redis disagree about, for ``manage.py doctor``; the periodic tasks mend the same."""

from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone

from jobs.lost import LOST_AFTER
from jobs.models import Job
from jobs.models.job import FINAL
from jobs.tasks import close_lost
from lua import views
from lua.doctor.reading import Finding
from nodes import known
from nodes.tasks import teach_cells
from pools import publication
from pools.matching import LIMIT
from pools.store import store

AT_ONCE = 500
IN_TIME = timedelta(minutes=1)  # beat's turn comes sooner
CONFIGURATION = "what operators decided is in every cell"
OVER = "slots: they were made fewer, or it came back with more; it gets none until it has room"
HISTORY = "a job that is live in SQL is known to Redis"


def differences() -> Iterator[Finding]:
    """Now. Raises RedisError."""
    if not publication.is_published():
        yield Finding(0, "config", "is older than in SQL", CONFIGURATION)
    for node in known.not_told_to_drain():
        yield Finding(0, node, "is drained in SQL and not in its cell", CONFIGURATION)
    for node in known.not_told_to_resume(views.fleet(store())):
        yield Finding(0, node, "is drained in its cell and not in SQL", CONFIGURATION)
    yield from _lost_jobs()


def warnings() -> Iterator[str]:
    """What is as it should be, and yet not as somebody may expect. Raises RedisError."""
    names = sorted(views.fleet(store()))
    for start in range(0, len(names), AT_ONCE):
        for node, view in views.nodes(store(), names[start : start + AT_ONCE]).items():
            load = view.load
            if load.used > load.capacity:
                yield f"cell {view.cell}: {node}: holds {load.used} jobs in {load.capacity} {OVER}"
            left = sorted(pool for pool, why in view.reasons.items() if why == LIMIT)
            if left:
                count, out = len(view.pools), ", ".join(left)
                yield f"cell {view.cell}: {node}: is in {count} pools, the most; {LIMIT}: {out}"


def mend() -> None:
    """Have the tasks do it now. Raises RedisError and StoreError."""
    teach_cells()
    close_lost()


def _lost_jobs() -> Iterator[Finding]:
    silent = Job.objects.filter(updated_at__lt=timezone.now() - LOST_AFTER - IN_TIME)
    for cell in range(store().cells):
        live = silent.filter(cell=cell).exclude(state__in=FINAL)
        names = list(live.values_list("job_id", flat=True)[:AT_ONCE])
        for job in sorted(views.unknown_jobs(store(), cell, names)):
            yield Finding(cell, job, "is live in SQL and unknown to Redis", HISTORY)
