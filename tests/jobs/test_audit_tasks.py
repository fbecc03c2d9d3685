"""The worker's tasks: thin, and all of them in beat's schedule."""

from pathlib import Path

import pytest
from pytest_django import Settings

from jobs.models import Job
from jobs.tasks import close_lost, drain_audit, prune_history
from lua.client import StoreSettings
from lua.keys import cell_prefix
from lua.lock import lead
from lua.reader import client
from pools.store import agree, store
from scheduler_site.celery import app
from tests.jobs.streams import Stream


def test_every_task_of_the_schedule_exists() -> None:
    app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert scheduled <= set(app.tasks)
    ours = {name for name in app.tasks if not name.startswith("celery.")}
    assert scheduled == ours


@pytest.mark.django_db
def test_the_drain_takes_every_cell(redis_settings: Settings, stream: Stream) -> None:
    redis_settings.PARLEY_CELLS = 2
    other = Stream(stream.store, stream.client, cell=1)
    stream.client.set(f"{other.prefix}epoch", "first")
    stream.finished_job("job-1")
    other.finished_job("job-2")

    drain_audit()
    close_lost()
    prune_history()

    assert set(Job.objects.values_list("job_id", "cell")) == {("job-1", 0), ("job-2", 1)}


def test_no_task_is_done_with_another_number_of_cells(redis_settings: Settings) -> None:
    agree()
    redis_settings.PARLEY_CELLS = 2
    app.loader.import_default_modules()
    for name in {entry["task"] for entry in app.conf.beat_schedule.values()}:
        assert app.tasks[name].apply().state == "IGNORED"


@pytest.mark.django_db
def test_a_task_that_needs_no_redis_is_done_without(
    redis_settings: Settings, tmp_path: Path
) -> None:
    redis_settings.STATE_REDIS_URL = f"unix://{tmp_path}/nobody"
    assert prune_history.apply().successful()


def test_only_one_leads_and_a_late_one_finds_out(redis_settings: Settings) -> None:
    with lead(store(), "work", ttl_ms=5_000) as first:
        assert first is not None
        assert first.still_holds()
        with lead(store(), "work", ttl_ms=5_000) as second:
            assert second is None
        assert first.still_holds()
        steal(store())
        assert not first.still_holds()
    # What another took over is not given back by the one that lost it.
    with lead(store(), "work", ttl_ms=5_000) as third:
        assert third is None


def steal(store: StoreSettings) -> None:
    """The lease has ended, and another worker leads."""

    client(store).set(f"{cell_prefix(store.prefix, 0)}lock:work", "another", px=5_000)
