"""Jobs that Redis lost are ended in SQL; old history is pruned."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from jobs import audit
from jobs.lost import close_lost
from jobs.models import Job, JobEvent, JobTotal, Note
from jobs.pruning import prune
from tests.jobs.streams import Stream

pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def make_live_job(stream: Stream, job: str, *, now: datetime, silent_for: timedelta) -> None:
    at_ms = int((now - silent_for).timestamp() * 1000)
    stream.job(job, "NEW SELECTING RESERVED", id=f"{at_ms}-*", node="node-1")
    audit.drain(stream.store, 0)


def test_a_job_that_redis_does_not_know_for_ten_minutes_is_closed(
    stream: Stream, now: datetime
) -> None:
    make_live_job(stream, "job-1", now=now, silent_for=timedelta(minutes=11))

    assert close_lost(stream.store, now=now) == 1

    job = Job.objects.get()
    assert (job.state, job.code, job.finished_at) == ("FAILED", "STATE_LOST", now)
    assert JobEvent.objects.latest("id").moves == "RESERVED FAILED"
    assert JobTotal.objects.get(state="FAILED").code == "STATE_LOST"
    assert close_lost(stream.store, now=now) == 0


def test_a_job_is_not_lost_before_ten_minutes(stream: Stream, now: datetime) -> None:
    make_live_job(stream, "job-1", now=now, silent_for=timedelta(minutes=9))

    assert close_lost(stream.store, now=now) == 0


def test_a_job_that_redis_knows_is_not_lost(stream: Stream, now: datetime) -> None:
    make_live_job(stream, "job-1", now=now, silent_for=timedelta(minutes=11))
    stream.client.hset(f"{stream.prefix}job:job-1", "state", "RESERVED")

    assert close_lost(stream.store, now=now) == 0


def test_nothing_is_lost_while_the_history_lags(stream: Stream, now: datetime) -> None:
    make_live_job(stream, "job-1", now=now, silent_for=timedelta(minutes=11))
    two_minutes_ago = int((now - timedelta(minutes=2)).timestamp() * 1000)
    stream.job("job-2", "NEW SELECTING RESERVED", id=f"{two_minutes_ago}-*")

    assert close_lost(stream.store, now=now) == 0

    audit.drain(stream.store, 0)
    assert close_lost(stream.store, now=now) == 1


def test_old_jobs_go_with_their_events_and_totals_stay(stream: Stream, now: datetime) -> None:
    stream.finished_job("job-1")
    stream.add(e="note", what="late_result", job="job-1")
    stream.job("job-live", "NEW SELECTING RESERVED")
    audit.drain(stream.store, 0)

    assert prune(now=now, keep_days=1) == 0
    assert prune(now=now + timedelta(days=2), keep_days=1) == 1

    assert list(Job.objects.values_list("job_id", flat=True)) == ["job-live"]
    assert set(JobEvent.objects.values_list("job_id", flat=True)) == {"job-live"}
    assert not Note.objects.exists()
    assert JobTotal.objects.get(state="DONE").count == 1
