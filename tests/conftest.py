"""Fixtures for every test: a Valkey of its own, a prefix a test, and SQLite in a temporary file."""

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from scheduler_site import valkey
from scheduler_site.supervisor.child import die_with_parent
from tests.harness.valkey import OwnValkey


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[Path]:
    """The unix socket of a Valkey that this test run owns; it keeps nothing."""
    folder = Path(tempfile.mkdtemp(prefix="parley-", dir="/tmp"))
    socket = folder / "valkey.sock"
    tests = os.getpid()
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            valkey.command(socket, folder=folder, keep=False),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=lambda: die_with_parent(tests),
        )
    try:
        wait_until_it_answers(socket, server)
        yield socket
    finally:
        server.terminate()
        server.wait(timeout=10)
        shutil.rmtree(folder, ignore_errors=True)


def wait_until_it_answers(socket: Path, server: "subprocess.Popen[bytes]") -> None:
    deadline_s = time.monotonic() + 10
    while not valkey.answers(socket):
        if server.poll() is not None or time.monotonic() > deadline_s:
            pytest.fail(f"Valkey did not start: {(socket.parent / 'log').read_text()}")
        time.sleep(0.01)


@pytest.fixture(scope="session")
def redis_url(valkey_server: Path) -> str:
    return f"unix://{valkey_server}"


@pytest.fixture(name="valkey")
async def own_valkey(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OwnValkey]:
    """One that only this test uses."""
    own = OwnValkey(tmp_path_factory.mktemp("v"))
    await own.start()
    yield own
    await own.stop()


@pytest.fixture
def prefix() -> str:
    """A key prefix that no other test uses."""
    return f"t{secrets.token_hex(4)}:"


@pytest.fixture
def redis_settings(settings: Settings, redis_url: str, prefix: str) -> Settings:
    """Django's settings, pointed to this run's Valkey under this test's prefix."""
    settings.STATE_REDIS_URL = redis_url
    settings.BROKER_REDIS_URL = redis_url
    settings.CACHE_REDIS_URL = redis_url
    settings.PARLEY_PREFIX = prefix
    return settings


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    tmp_path_factory: pytest.TempPathFactory, django_db_modify_db_settings: None
) -> None:
    """SQLite in a file, as deployed: threads of one test then see each other's commits."""
    from django.conf import settings

    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = str(tmp_path_factory.mktemp("sql") / "db")
