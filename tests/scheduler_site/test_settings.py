"""Settings as a process reads them from its environment."""

import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils.log import log_response
from pytest_django import Settings

from jobs.settings import JobSettings, OrderSettings, SocketSettings, StreamSettings
from lua.limits import Limits
from nodes.settings import NodeSettings
from pools.settings import PoolSettings
from scheduler_site import valkey
from scheduler_site.celery import broker_url
from scheduler_site.checks import check_production, check_settings
from scheduler_site.settings import environment
from tests.scheduler_site.running import ROOT

PRODUCTION = {
    "PARLEY_ENV": "production",
    "SECRET_KEY": "not-a-secret-but-long-enough-for-a-test-of-the-settings",
    "ALLOWED_HOSTS": "parley.example",
    "STATE_REDIS_URL": "redis://redis.example:6379/0",
}


def setting(expression: str, folder: Path, **environ: str) -> str:
    """What ``expression`` is in a fresh process; the error text where it cannot start."""
    clean = {"PATH": os.environ["PATH"], "PARLEY_VAR": str(folder)}
    code = (
        "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'scheduler_site.settings';"
        f"from django.conf import settings; print({expression})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**clean, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or done.stderr


def test_without_any_variable_it_is_development_on_one_machine(tmp_path: Path) -> None:
    assert setting("settings.PARLEY_ENV, settings.PARLEY_AUTH", tmp_path) == "development off"
    assert setting("settings.STATE_REDIS_URL", tmp_path) == f"unix://{tmp_path}/valkey.sock"


def test_the_three_redis_urls_are_equal_by_default(tmp_path: Path) -> None:
    urls = "len({settings.STATE_REDIS_URL, settings.BROKER_REDIS_URL, settings.CACHE_REDIS_URL})"
    assert setting(urls, tmp_path, STATE_REDIS_URL="redis://one.example:6379/0") == "1"
    assert setting(urls, tmp_path, BROKER_REDIS_URL="redis://two.example:6379/0") == "2"


def test_the_development_secret_is_made_once(tmp_path: Path) -> None:
    first = setting("settings.SECRET_KEY", tmp_path)
    assert len(first) >= 50
    assert setting("settings.SECRET_KEY", tmp_path) == first


def test_production_wants_authentication_and_a_gpu(tmp_path: Path) -> None:
    shown = setting("settings.PARLEY_AUTH, settings.REQUIRE_GPU", tmp_path, **PRODUCTION)
    assert shown == "required True"


def test_host_names_may_have_spaces_between_them(tmp_path: Path) -> None:
    environ = {**PRODUCTION, "ALLOWED_HOSTS": "a.example, b.example"}
    assert setting("settings.ALLOWED_HOSTS", tmp_path, **environ) == "['a.example', 'b.example']"


@pytest.mark.parametrize("name", ["SECRET_KEY", "ALLOWED_HOSTS"])
def test_production_does_not_start_without(name: str, tmp_path: Path) -> None:
    environ = {key: value for key, value in PRODUCTION.items() if key != name}
    assert f"{name} must be set in production" in setting("settings.DEBUG", tmp_path, **environ)


@pytest.mark.parametrize(
    ("name", "value"), [("PARLEY_CELLS", "0"), ("PARLEY_AUTH", "maybe"), ("REQUIRE_GPU", "1")]
)
def test_a_wrong_value_is_refused_by_name(name: str, value: str, tmp_path: Path) -> None:
    assert f"{name} must be" in setting("settings.DEBUG", tmp_path, **{name: value})


def test_every_number_is_an_environment_variable_of_its_name(tmp_path: Path) -> None:
    told = {"PARLEY_PAUSE_MS": "1", "PARLEY_GAP_MS": "2", "PARLEY_SAMPLE_K": "4"}
    told |= {"PARLEY_MAX_CONCURRENT_JOBS": "5", "PARLEY_JOB_POOLS": "6"}
    read = (
        "settings.PARLEY_JOBS.pause_ms, settings.PARLEY_JOBS.order.gap_ms,"
        "settings.PARLEY_LIMITS.sample_k, settings.PARLEY_NODES.max_concurrent_jobs,"
        "settings.PARLEY_POOLS.job_pools"
    )
    assert setting(read, tmp_path, **told) == "1 2 4 5 6"
    assert "PARLEY_GAP_MS must be a number" in setting(read, tmp_path, PARLEY_GAP_MS="-1")


@pytest.mark.parametrize("name", ["PARLEY_REAP_LIMIT", "PARLEY_BUDGET_MS", "PARLEY_SAMPLE_K"])
def test_a_number_that_would_stop_the_service_is_refused(name: str, tmp_path: Path) -> None:
    assert f"{name} must be a number from 1 up" in setting(
        "settings.PARLEY_ENV", tmp_path, **{name: "0"}
    )
    assert setting("settings.PARLEY_JOBS.frames_per_s", tmp_path, PARLEY_FRAMES_PER_S="0") == "0"


def test_no_two_numbers_have_the_same_name() -> None:
    every = (JobSettings, SocketSettings, OrderSettings, NodeSettings, PoolSettings, Limits)
    names = [field.name for one in every for field in fields(one)]
    assert len(names) == len(set(names))


def test_postgres_is_chosen_by_url() -> None:
    database = environment.database("postgres://me:p%40ss@sql.example:5433/talk?sslmode=require")
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert (database["USER"], database["PASSWORD"]) == ("me", "p@ss")
    assert (database["HOST"], database["PORT"]) == ("sql.example", "5433")
    assert database["NAME"] == "talk"
    assert database["OPTIONS"] == {"sslmode": "require"}


def test_sqlite_is_chosen_by_url_with_a_path() -> None:
    assert environment.database("sqlite:////srv/talk.db")["NAME"] == "/srv/talk.db"
    assert environment.database("sqlite:///talk.db")["NAME"] == "talk.db"


def test_another_database_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="mysql"):
        environment.database("mysql://sql.example/talk")


def test_celery_gets_a_unix_socket_under_kombus_scheme() -> None:
    kept = "redis+socket:///run/valkey.sock?virtual_host=0"
    assert broker_url("unix:///run/valkey.sock") == kept
    other = "redis+socket://me:secret@/run/valkey.sock?virtual_host=2"
    assert broker_url("unix://me:secret@/run/valkey.sock?db=2") == other
    asked = "unix:///run/valkey.sock?username=me&password=a%2Fb%3Ac&db=2"
    assert broker_url(asked) == "redis+socket://me:a%2Fb%3Ac@/run/valkey.sock?virtual_host=2"
    nameless = "redis+socket://:secret@/run/valkey.sock?virtual_host=0"
    assert broker_url("unix:///run/valkey.sock?password=secret") == nameless
    assert broker_url("redis://redis.example:6379/1") == "redis://redis.example:6379/1"


def test_a_long_folder_gets_a_short_socket_of_its_own(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 120)
    path = valkey.socket_path(deep)
    assert len(str(path)) <= valkey.LONGEST_SOCKET_PATH
    assert path == valkey.socket_path(deep)
    assert path != valkey.socket_path(deep / "y")


def test_an_allocator_that_somebody_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    assert valkey.environ().keys() - os.environ.keys() == {"GLIBC_TUNABLES"}
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.arena_max=1")
    assert valkey.environ() == os.environ


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("PARLEY_PREFIX", "par{ley}:", "parley.E001"),
        ("PARLEY_ORIGINS", ["https://talk.example/path"], "parley.E002"),
        ("BROKER_REDIS_URL", "amqp://broker.example", "parley.E003"),
        ("STATE_REDIS_URL", "valkey://valkey.example", "parley.E003"),
        ("PARLEY_NODES", NodeSettings(register_timeout_ms=-1), "parley.E004"),
        ("PARLEY_JOBS", JobSettings(order=OrderSettings(gap_ms=-1)), "parley.E004"),
        ("PARLEY_JOBS", JobSettings(lease_pause_ms=5_000), "parley.E006"),
        ("PARLEY_JOBS", JobSettings(streams=StreamSettings(final_hold_ms=9_000)), "parley.E006"),
        ("PARLEY_JOBS", JobSettings(resend_ms=300_000), "parley.E006"),
        ("PARLEY_LIMITS", Limits(ack_timeout_ms=60_000), "parley.E006"),
        ("PARLEY_LIMITS", Limits(resume_window_ms=300_000), "parley.E006"),
    ],
)
def test_a_setting_that_cannot_work_is_found(
    name: str, value: object, found: str, settings: Settings
) -> None:
    assert check_settings() == []
    setattr(settings, name, value)
    assert [message.id for message in check_settings()] == [found]


def test_development_habits_are_found_before_a_deployment(settings: Settings) -> None:
    settings.PARLEY_AUTH = "off"
    settings.STATE_REDIS_URL = valkey.socket_url(settings.VAR_DIR)
    assert [message.id for message in check_production()] == ["parley.W001", "parley.W002"]


@pytest.mark.parametrize(("status", "told"), [(401, 0), (404, 0), (503, 0), (500, 1)])
def test_an_ordinary_answer_is_no_line_of_the_log(
    status: int, told: int, caplog: pytest.LogCaptureFixture
) -> None:
    request = RequestFactory().get("/api/v1/nothing/")
    log_response("%s", request.path, response=HttpResponse(status=status), request=request)
    assert len(caplog.records) == told


def test_the_root_leads_to_the_admin(client: Client) -> None:
    assert client.get("/").headers["location"] == "/admin/"
