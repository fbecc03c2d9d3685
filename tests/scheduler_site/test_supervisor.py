"""The supervisor's family with small children, in a process of its own as in real life."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from scheduler_site.supervisor import address, own_nodes
from scheduler_site.supervisor.child import Child
from scheduler_site.supervisor.listener import PortTaken, open_listener
from scheduler_site.supervisor.lock import FileLock
from scheduler_site.supervisor.options import BadOption, Options
from scheduler_site.supervisor.plan import demo_nodes, prepare, speech_check, speech_node
from scheduler_site.supervisor.readiness import Waiting
from tests.scheduler_site.running import ROOT, Running, all_gone, eventually

DRIVER = """
import pathlib, sys
from scheduler_site.supervisor.child import Child
from scheduler_site.supervisor.family import Family
from scheduler_site.supervisor.signals import Signals, StopRequested

family = Family(Signals())
log = pathlib.Path(sys.argv[1]) / "log"
for number, code in enumerate(sys.argv[2:]):
    family.launch(Child(f"child-{number}", "all", (sys.executable, "-c", code), log))
family.settled = True
print("watching", flush=True)
try:
    family.until(lambda: False)
except StopRequested:
    print("stopping", flush=True)
    family.stop({"all": 1.0})
"""

OBEYS = "import time; time.sleep(60)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('deaf', flush=True); time.sleep(60)"
)
HAS_A_CHILD = "import subprocess; subprocess.run(['sleep', '60'])"


@pytest.fixture
def family(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(tmp_path), *request.param],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    started = Running(process, port=0)
    started.wait_for("watching")
    if STUBBORN in request.param:
        assert eventually(lambda: "deaf" in (tmp_path / "log").read_text(), 10)
    yield started
    process.kill()
    process.wait()


def stopped_in_s(family: Running) -> float:
    everyone, started_s = family.family(), time.monotonic()
    family.process.send_signal(signal.SIGTERM)
    family.wait_for("stopping")
    family.process.wait(timeout=10)
    assert all_gone(everyone, timeout_s=0.5)
    return time.monotonic() - started_s


@pytest.mark.parametrize("family", [[OBEYS, OBEYS]], indirect=True)
def test_children_that_obey_are_not_waited_for(family: Running) -> None:
    assert stopped_in_s(family) < 0.9


@pytest.mark.parametrize("family", [[OBEYS, STUBBORN]], indirect=True)
def test_a_child_that_does_not_stop_is_killed_at_the_limit(family: Running) -> None:
    assert 1.0 <= stopped_in_s(family) < 2.0


@pytest.mark.parametrize("family", [[STUBBORN]], indirect=True)
def test_a_second_signal_stops_at_once(family: Running) -> None:
    everyone = family.family()
    family.process.send_signal(signal.SIGTERM)
    family.wait_for("stopping")
    # The same request twice, as make passes it on, is no second one.
    family.process.send_signal(signal.SIGTERM)
    assert not all_gone(everyone, timeout_s=0.4)
    family.process.send_signal(signal.SIGINT)
    family.wait_for("Stopping at once")
    assert all_gone(everyone, timeout_s=0.4)


@pytest.mark.parametrize("family", [[STUBBORN, OBEYS]], indirect=True)
def test_nobody_outlives_a_killed_supervisor(family: Running) -> None:
    everyone = family.family()
    family.process.kill()
    assert all_gone(everyone, timeout_s=2)


@pytest.mark.parametrize("family", [[HAS_A_CHILD]], indirect=True)
def test_what_a_dead_child_had_started_ends_with_it(family: Running) -> None:
    assert eventually(lambda: len(family.family()) == 3, 10)
    _, child, grandchild = family.family()
    child.kill()
    assert all_gone([child, grandchild], timeout_s=2)


@pytest.mark.parametrize("family", [["raise SystemExit('no luck')"]], indirect=True)
def test_a_child_that_keeps_dying_is_restarted_ever_more_slowly(family: Running) -> None:
    for pause in ("0.2", "0.4", "0.8"):
        family.wait_for(f"child-0 died (exit 1); it starts again in {pause} s", timeout_s=10)
    family.wait_for("child-0 | no luck")


def test_a_process_ends_with_the_one_it_was_told_to(tmp_path: Path) -> None:
    inner = (
        "import os, signal, time;"
        "from scheduler_site.supervisor.child import die_with_parent;"
        "die_with_parent(os.getppid(), signal.SIGTERM); print('bound', flush=True); time.sleep(60)"
    )
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    started = Running(
        subprocess.Popen(
            [sys.executable, "-c", outer], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ),
        port=0,
    )
    started.wait_for("bound")
    everyone = started.family()
    started.process.kill()
    assert all_gone(everyone, timeout_s=2)
    started.process.wait()


@pytest.mark.parametrize("name", ["say", "demo_nodes"])
def test_commands_go_to_the_one_that_runs_unless_told_otherwise(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    asked: list[str | None] = []
    monkeypatch.setattr("parley.say.run", lambda options: asked.append(options.url))
    monkeypatch.setattr("parley.demo.serve", lambda options, count: asked.append(options.url))
    settings.VAR_DIR = tmp_path
    arguments = ("hello.wav", "--to", "zh") if name == "say" else ("1",)

    def call(*more: str) -> None:
        with contextlib.suppress(SystemExit):
            call_command(name, *arguments, *more)

    call()
    lock = FileLock(tmp_path / address.NAME)
    call()
    assert lock.take()
    call()
    lock.write(address.describe("http://localhost:5020/"))
    call()
    call("--url", "ws://parley.example")
    monkeypatch.setenv("PARLEY_URL", "ws://other.example")
    call()
    os.close(lock.descriptor)
    ours, theirs = "ws://localhost:5020/", ["ws://parley.example", "ws://other.example"]
    assert asked == [None, None, None, ours, *theirs]


def test_a_lock_is_shared_with_the_child_that_inherits_it(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert first.take()
    child = Child("holder", "all", ("sleep", "60"), tmp_path / "log", inherits=(first.descriptor,))
    child.start()
    os.close(first.descriptor)

    assert not second.take()
    child.kill()
    assert second.take()


def test_a_listener_takes_over_a_port_at_once_but_never_shares_it() -> None:
    first = open_listener("127.0.0.1", 0)
    port = first.getsockname()[1]
    with pytest.raises(PortTaken):
        open_listener("127.0.0.1", port)
    first.close()
    open_listener("127.0.0.1", port).close()


def test_it_listens_on_loopback_unless_told_otherwise() -> None:
    assert Options.read({}).host == "127.0.0.1"
    assert not Options.read({}).exposed
    assert not Options.read({"HOST": "127.0.0.2"}).exposed
    assert Options.read({"HOST": "0.0.0.0"}).exposed
    assert Options.read({"HOST": "0.0.0.0", "PORT": "80"}).url("/") == "http://localhost:80/"


def test_it_warns_when_strangers_could_use_it() -> None:
    assert "authentication is off" in Options.read({"HOST": "0.0.0.0"}).risk
    assert not Options.read({"HOST": "0.0.0.0", "PARLEY_AUTH": "required"}).risk
    assert not Options.read({}).risk


def test_it_answers_to_any_name_only_when_others_may_connect() -> None:
    assert Options.read({}).names == ""
    assert Options.read({"HOST": "192.0.2.7"}).names == "*"
    assert (
        Options.read({"HOST": "192.0.2.7", "ALLOWED_HOSTS": "talk.example"}).names == "talk.example"
    )
    assert Options.read({"ALLOWED_HOSTS": ".talk.example,other"}).host_header == "talk.example"


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("", "localhost"),
        ("0.0.0.0", "localhost"),
        ("::", "[::1]"),
        ("::1", "[::1]"),
        ("192.0.2.7", "192.0.2.7"),
    ],
)
def test_the_web_processes_are_asked_where_they_listen(host: str, name: str) -> None:
    assert Options.read({"HOST": host, "PORT": "80"}).url("/") == f"http://{name}:80/"


def test_a_start_says_what_it_waits_for(capsys: pytest.CaptureFixture[str]) -> None:
    said = Waiting(told_every_s=60)
    assert not said.over("the web process does not answer")
    assert said.over("")
    assert capsys.readouterr().out == ""

    said = Waiting(told_every_s=0)
    assert not said.over("the web process does not answer")
    assert not said.over("not ready: sql")
    assert capsys.readouterr().out == (
        "Waiting: the web process does not answer.\nWaiting: not ready: sql.\n"
    )


def test_nodes_of_ones_own_are_waited_for_unless_they_keep_dying(tmp_path: Path) -> None:
    nodes = [Child(name, "demo", (), tmp_path / name) for name in ("one", "two", "three")]
    for node in nodes:
        node.log.write_text(f"{node.name}: simulated\n")
    one, two, three = nodes
    assert own_nodes.missing(nodes) == "one, two, three not registered"

    one.log.write_text("12:00:00 registered as one (ready) registered\n")
    two.deaths = own_nodes.MOST_DEATHS
    assert own_nodes.missing(nodes) == "three not registered"

    three.log.write_text("12:00:00 registered as three (draining) registered\n")
    assert own_nodes.missing(nodes) == ""
    never = f"two has not registered; see {two.log}."
    assert own_nodes.complaints(nodes) == [never, "three is draining."]


def test_the_token_of_demo_nodes_is_not_on_their_command_line(tmp_path: Path) -> None:
    (tmp_path / "demo_token").write_text("secret")
    options = Options.read({"PARLEY_VAR": str(tmp_path), "PARLEY_AUTH": "required", "DEMO": "1"})
    [node] = demo_nodes(options)
    assert "secret" not in node.command
    assert node.environ["PARLEY_TOKEN"] == "secret"


def test_the_speech_node_has_a_name_and_a_token(tmp_path: Path) -> None:
    environ = {"SPEECH": "1", "PARLEY_AUTH": "required", "PARLEY_VAR": str(tmp_path)}
    options = Options.read(environ)
    assert "--demo-token" in prepare(options)
    (tmp_path / "demo_token").write_text("secret")
    node = speech_node(options)
    assert node.environ["PARLEY_TOKEN"] == "secret"
    assert node.environ["PARLEY_NODE_ID"] == "speech"


def test_what_the_speech_node_lacks_is_said() -> None:
    found = subprocess.run(
        speech_check(), env={**os.environ, "PATH": ""}, stderr=subprocess.PIPE, text=True
    )
    assert found.returncode == 2
    assert "can't work without" in found.stderr
    assert "apertium (apt), espeak-ng (apt)" in found.stderr


@pytest.mark.parametrize(
    "environ", [{"PORT": "http"}, {"WEB": "0"}, {"DEMO": "-1"}, {"SPEECH": "yes"}]
)
def test_a_bad_option_is_named(environ: dict[str, str]) -> None:
    with pytest.raises(BadOption, match=next(iter(environ))):
        Options.read(environ)


def test_authentication_is_on_where_it_is_not_development() -> None:
    assert not Options.read({}).authentication
    assert Options.read({"PARLEY_ENV": "production"}).authentication
    assert Options.read({"PARLEY_AUTH": "required"}).authentication


def test_a_child_leads_a_group_of_its_own(tmp_path: Path) -> None:
    child = Child("leader", "all", ("sleep", "60"), tmp_path / "log")
    child.start()
    assert child.pid is not None
    assert os.getpgid(child.pid) == child.pid != os.getpgid(0)
    child.kill()
