"""``make up`` with real processes."""

import http.client
import json
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler_site.supervisor.address import sockets_of
from tests.scheduler_site.running import Running, all_gone, parley


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("up") / "var"


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Running]:
    with parley(folder, DEMO="1") as started:
        started.wait_for("Parley is ready")
        yield started


def get(port: int, path: str, timeout_s: float = 10) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("localhost", port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_ready_means_that_its_own_nodes_are(running: Running) -> None:
    status, body = get(running.port, "/api/v1/nodes/demo-1/")
    assert (status, json.loads(body)["state"]) == (200, "ready")


def test_it_says_where_it_is_and_how_to_get_in(running: Running) -> None:
    assert "ws://localhost:" in running.wait_for("/ws/session")
    assert "admin, password " in running.wait_for("(shown once)")


def test_ready_means_redis_sql_and_the_worker(running: Running) -> None:
    status, body = get(running.port, "/health/ready")
    answer = json.loads(body)

    assert status == 200
    assert answer["checks"] == {"redis": "ok", "sql": "ok"}
    assert answer["worker_seen_ms"] <= time.time() * 1000


def test_it_keeps_its_folder_to_itself(running: Running, folder: Path) -> None:
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "secret_key").stat().st_mode & 0o077 == 0


def test_commands_of_its_folder_find_it(running: Running, folder: Path) -> None:
    assert sockets_of(folder) == f"ws://localhost:{running.port}/"


def test_a_second_one_beside_it_is_told_so(running: Running, folder: Path) -> None:
    with parley(folder) as second:
        assert str(running.process.pid) in second.wait_for("one is running already")
        assert second.process.wait(timeout=10) == 1


def test_a_taken_port_is_named(running: Running, tmp_path: Path) -> None:
    with parley(tmp_path, PORT=str(running.port)) as second:
        second.wait_for(f"port {running.port} is in use")
        assert second.process.wait(timeout=10) == 1


def test_a_connection_made_while_web_restarts_waits_for_the_new_process(running: Running) -> None:
    web = running.child("scheduler_site.web")
    web.kill()
    web.wait()

    started_s = time.monotonic()
    status, _ = get(running.port, "/health/live")

    assert status == 200
    assert time.monotonic() - started_s < 5
    running.wait_for("web-1 died (killed by SIGKILL)")
    running.wait_for("web-1 starts again")


def test_nothing_is_left_after_kill_9_and_the_next_start_keeps_the_data(
    running: Running, folder: Path
) -> None:
    family = running.family()
    assert len(family) == 6, [p.cmdline() for p in family]

    os.kill(running.process.pid, signal.SIGKILL)
    assert all_gone(family, timeout_s=5)

    with parley(folder, PORT=str(running.port)) as again:
        again.wait_for("Parley is ready")
        assert not any("password" in line for line in again.lines)
        family = again.family()
        started_s = time.monotonic()
        again.process.send_signal(signal.SIGTERM)
        assert again.process.wait(timeout=10) == 0
        assert time.monotonic() - started_s < 5
        assert all_gone(family, timeout_s=0.5)
        again.wait_for("Parley has stopped")
    with sqlite3.connect(folder / "parley.sqlite3") as database:
        assert database.execute("SELECT username FROM auth_user").fetchall() == [("admin",)]
