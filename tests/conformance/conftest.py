"""One service for the whole suite: that of `PARLEY_URL`, or one started here."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.peers import Service, own_languages
from tests.conformance.times import SHORT

ROOT = Path(__file__).resolve().parents[2]
START_S = 60.0
# who connects, and the kind of its token
KINDS = {
    "session": "session",
    "node": "node",
    "operator": "operator",
    "other_session": "session",
    "other_node": "node",
}
# The commands that an operator gives, in one Django.
MAKE = """
import sys, django
from django.core.management import call_command
django.setup()
call_command("migrate", verbosity=0)
for kind in sys.argv[1:]:
    call_command("token", "create", "--kind", kind, "--tenant", "conformance")
"""


@pytest.fixture(scope="session")
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    if url := os.environ.get("PARLEY_URL"):
        told = {who: os.environ.get(f"PARLEY_{who.upper()}_TOKEN") for who in KINDS}
        yield Service(url, {who: token for who, token in told.items() if token})
        return
    redis_url = request.getfixturevalue("redis_url")
    folder = tmp_path_factory.mktemp("service")
    environ = {
        **os.environ,
        **SHORT,
        "DJANGO_SETTINGS_MODULE": "scheduler_site.settings",
        "PARLEY_ENV": "development",
        "PARLEY_AUTH": "required",
        "PARLEY_VAR": str(folder),
        "PARLEY_PREFIX": "conformance:",
        "STATE_REDIS_URL": redis_url,
    }
    make = [sys.executable, "-c", MAKE, *KINDS.values()]
    made = subprocess.run(make, cwd=ROOT, env=environ, check=True, stdout=subprocess.PIPE)
    tokens = dict(zip(KINDS, made.stdout.decode().split(), strict=True))
    port = free_port()
    command = [sys.executable, "-m", "scheduler_site.web", "--port", str(port), "--drain-s", "0"]
    log = folder / "log"
    with log.open("wb") as said:
        web = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=said, stderr=said)
    try:
        wait_until_it_is_ready(port, web, log)
        yield Service(f"ws://127.0.0.1:{port}", tokens)
        assert web.poll() is None, log.read_text()
    finally:
        web.terminate()
        web.wait(timeout=20)
    failed = [line for line in log.read_text().splitlines() if "could not be handled" in line]
    assert not failed, failed


@pytest.fixture
def languages() -> tuple[str, str]:
    """Two languages that nobody else speaks."""
    return own_languages()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_until_it_is_ready(port: int, web: subprocess.Popen[bytes], log: Path) -> None:
    end_s = time.monotonic() + START_S
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=START_S).close()
            return
        except OSError:
            if web.poll() is not None or time.monotonic() > end_s:
                pytest.fail(f"the service did not start:\n{log.read_text()}")
        time.sleep(0.05)
