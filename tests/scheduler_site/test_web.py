"""How a web process ends, with a small application and real sockets."""

import asyncio
import gc
import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import websockets

from scheduler_site.supervisor.listener import open_listener
from scheduler_site.web import COLLECT_AFTER, config, spare_collections
from tests.scheduler_site.running import ROOT, Running

DRIVER = """
import asyncio, os, socket, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "scheduler_site.settings"
from scheduler_site.lifespan import Lifespan
from scheduler_site.web import WebServer

class Runtime:
    async def start(self):
        print("runtime started", flush=True)

    async def drain(self, timeout_s):
        print("draining", flush=True)
        await asyncio.sleep(float(os.environ["JOBS_TAKE_S"]))
        print("drained", flush=True)

    async def stop(self):
        print("runtime stopped", flush=True)

async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(os.getpid()).encode()})
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "bytes": bytes(4_000_000)})

server = WebServer(Lifespan(app, make_process=Runtime), drain_s=1.0, close_spread_s=0.2)
server.run(sockets=[socket.socket(fileno=int(sys.argv[1]))])
print("ended", flush=True)
"""


def start(listener: socket.socket, *, jobs_take_s: float) -> Running:
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(listener.fileno())],
        cwd=ROOT,
        env={**os.environ, "JOBS_TAKE_S": str(jobs_take_s)},
        pass_fds=[listener.fileno()],
        stdout=subprocess.PIPE,
        text=True,
    )
    running = Running(process, listener.getsockname()[1])
    running.wait_for("runtime started")
    return running


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with open_listener("127.0.0.1", 0) as opened:
        yield opened


@pytest.fixture
def web(listener: socket.socket, request: pytest.FixtureRequest) -> Iterator[Running]:
    running = start(listener, jobs_take_s=getattr(request, "param", 0.0))
    yield running
    running.process.kill()
    running.process.wait()


def url(web: Running) -> str:
    return f"ws://127.0.0.1:{web.port}/"


async def test_sockets_close_with_1012_after_the_drain(web: Running) -> None:
    async with websockets.connect(url(web)) as first, websockets.connect(url(web)) as second:
        web.process.send_signal(signal.SIGTERM)
        for peer in (first, second):
            await asyncio.wait_for(peer.wait_closed(), 5)
            assert peer.close_code == 1012
    web.process.wait(timeout=5)
    web.wait_for("ended")
    assert web.lines[:5] == ["runtime started", "draining", "drained", "runtime stopped", "ended"]


@pytest.mark.parametrize("web", [60.0], indirect=True)
async def test_the_drain_is_limited(web: Running) -> None:
    async with websockets.connect(url(web)) as peer:
        web.process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(peer.wait_closed(), 5)
    assert web.process.wait(timeout=5) == 0
    assert "drained" not in web.lines


@pytest.mark.parametrize("web", [60.0], indirect=True)
def test_a_second_signal_ends_it_at_once(web: Running) -> None:
    web.process.send_signal(signal.SIGTERM)
    web.wait_for("draining")
    web.process.send_signal(signal.SIGTERM)
    assert web.process.wait(timeout=0.9) == 1


async def test_a_peer_that_reads_nothing_does_not_hold_it_up(web: Running) -> None:
    async with websockets.connect(url(web), max_queue=1, max_size=None, close_timeout=0.1) as peer:
        for _ in range(20):
            await peer.send("more")
        web.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(web.process.wait, 5) == 0


@pytest.mark.parametrize("web", [0.8], indirect=True)
def test_a_draining_process_leaves_new_connections_to_the_next(
    web: Running, listener: socket.socket
) -> None:
    web.process.send_signal(signal.SIGTERM)
    web.wait_for("draining")
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=10)
    connection.request("GET", "/")

    following = start(listener, jobs_take_s=0)
    try:
        assert connection.getresponse().read() == str(following.process.pid).encode()
    finally:
        connection.close()
        following.process.kill()
        following.process.wait()


def test_what_is_loaded_is_not_searched_for_garbage_again():
    usual = gc.get_threshold()
    try:
        spare_collections()
        assert gc.get_freeze_count() > len(gc.get_objects())
        assert gc.get_threshold() == COLLECT_AFTER
    finally:
        gc.unfreeze()
        gc.set_threshold(*usual)


def test_all_that_a_silent_break_may_have_swallowed_is_told_again(settings: Any) -> None:
    """From the end of a job to its client's return, if that comes as late as it may."""
    app: Any = None
    web, jobs, limits = config(app), settings.PARLEY_JOBS, settings.PARLEY_LIMITS
    assert web.ws_ping_interval is not None
    assert web.ws_ping_timeout is not None
    noticed_ms = 1000 * (web.ws_ping_interval + web.ws_ping_timeout)
    told_ms = jobs.order.patient_gap_ms
    assert jobs.resend_ms >= told_ms + noticed_ms + limits.resume_window_ms
    assert jobs.heard_ms >= noticed_ms
