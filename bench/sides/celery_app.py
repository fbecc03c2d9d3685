"""Celery's side: a worker that answers with what it got, and when it began."""

import os
import time

from celery import Celery

URL = os.environ.get("BENCH_CELERY_URL", "")
app = Celery("bench", broker=URL, backend=URL)
app.conf.update(
    task_default_queue="bench",
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    result_expires=60,
)


@app.task  # type: ignore[untyped-decorator]
def answer(payload: str) -> tuple[float, str]:
    """When the worker began, on the clock of this machine, and the payload."""
    return time.time(), payload
