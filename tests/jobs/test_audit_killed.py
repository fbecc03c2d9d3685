"""Drains that are killed at any moment, side by side, and a Redis that is replaced meanwhile."""

import os
import random
import signal
import subprocess
import time
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from jobs import audit
from jobs.models import Job, JobEvent, JobTotal
from tests.harness.forever import forever
from tests.jobs.streams import Stream

ROOT = Path(__file__).resolve().parents[2]
KILLS = 60
JOBS_A_KILL = 6


def worker(stream: Stream) -> "AbstractContextManager[subprocess.Popen[str]]":
    """A process that forks one drain after the other and prints their ids."""
    script = Path(__file__).with_name("drain_for_ever.py")
    return forever(script, stream.store.url, stream.store.prefix)


def next_drain(process: "subprocess.Popen[str]") -> int:
    assert process.stdout
    return int(process.stdout.readline())


def time_of_a_drain(stream: Stream, worker: "subprocess.Popen[str]") -> float:
    """Seconds until what waits is written, on this machine as it is now."""
    drain, began_s = next_drain(worker), time.monotonic()
    while stream.waiting_entries():
        time.sleep(0.001)
    taken_s = time.monotonic() - began_s
    os.kill(drain, signal.SIGKILL)
    return taken_s


def write_while_killing(stream: Stream, workers: "list[subprocess.Popen[str]]") -> set[str]:
    """Finish jobs all the time while drains die at random moments; returns the entries."""
    moments = random.Random(7)
    entries = set(stream.finished_job("job-0"))
    longest_s = max(0.06, 2 * time_of_a_drain(stream, workers[0]))
    for number in range(KILLS):
        for _ in range(JOBS_A_KILL):
            entries.update(stream.finished_job(f"job-{len(entries)}"))
        victim = next_drain(workers[number % len(workers)])
        # The moment itself is what is tried here: any of them must do.
        time.sleep(moments.random() * longest_s)
        os.kill(victim, signal.SIGKILL)
    assert JobEvent.objects.count() > 3, "no drain came to its end"
    return entries


def assert_history_is_exact(epoch: str, entries: set[str]) -> None:
    rows = list(JobEvent.objects.filter(epoch=epoch).values_list("entry", flat=True))
    assert len(rows) == len(entries)
    assert set(rows) == entries
    jobs = len(entries) // 3
    assert Job.objects.filter(state="DONE").count() == jobs
    assert JobTotal.objects.get(state="DONE").count == jobs
    assert JobTotal.objects.get(state="NEW").count == jobs


@pytest.mark.django_db(transaction=True)
def test_killed_drains_lose_and_double_nothing(stream: Stream) -> None:
    with worker(stream) as process:
        entries = write_while_killing(stream, [process])

    audit.drain(stream.store, 0)
    assert_history_is_exact("first", entries)
    assert stream.waiting_entries() == 0


@pytest.mark.django_db(transaction=True)
def test_two_drains_side_by_side_both_killed_lose_and_double_nothing(stream: Stream) -> None:
    with worker(stream) as one, worker(stream) as two:
        entries = write_while_killing(stream, [one, two])

    audit.drain(stream.store, 0)
    assert_history_is_exact("first", entries)


@pytest.mark.django_db(transaction=True)
def test_a_flush_under_a_running_drain_loses_only_what_was_not_read(stream: Stream) -> None:
    with worker(stream) as process:
        next_drain(process)
        before = set(stream.finished_job("job-before"))
        while stream.waiting_entries():
            time.sleep(0.005)
        for number in range(20):
            stream.finished_job(f"job-flushed-{number}")
        stream.begin_life("second")
        after = {entry for n in range(20) for entry in stream.finished_job(f"job-after-{n}")}
        while stream.waiting_entries():
            time.sleep(0.005)

    first = set(JobEvent.objects.filter(epoch="first").values_list("entry", flat=True))
    assert before <= first
    second = JobEvent.objects.filter(epoch="second").values_list("entry", flat=True)
    assert sorted(second) == sorted(after)
    assert Job.objects.filter(job_id__startswith="job-after", state="DONE").count() == 20
