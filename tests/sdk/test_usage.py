"""What a node says of its own load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

from parley.frames import ResourceUsage
from parley.usage import Measured, is_high, on_cpu, ticks_of


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose memory is half used; `works` says what its processors have done."""
    monkeypatch.setattr("parley.usage.WINDOW_S", 0)
    (tmp_path / "meminfo").write_text("MemTotal: 1000 kB\nMemAvailable: 500 kB\n")
    return tmp_path


def works(proc: Path, *, others: int, idle: int, own: int = 0, child: int = 0, past: int = 0):
    """Ticks until now. `own` are of the node itself, `child` of a process that works for it, `past`
    of those that have worked for it.
    """
    busy = others + own + child + past
    (proc / "stat").write_text(f"cpu {busy} 0 0 {idle} 0 0 0 0 0 0\ncpu0 1 2 3\n")
    for pid, user, waited, children in (("self", own, past, "77 "), ("77", child, 0, "")):
        (proc / pid / "task" / "1").mkdir(parents=True, exist_ok=True)
        (proc / pid / "task" / "1" / "children").write_text(children)
        before = "S 1 1 1 0 -1 0 0 0 0 0"
        (proc / pid / "stat").write_text(f"1 (a (b) c) {before} {user} 0 {waited} 0 20 0")


def test_what_others_take_of_the_machine_is_measured(proc: Path) -> None:
    works(proc, others=100, idle=100)
    measured = Measured(proc)
    works(proc, others=160, idle=140)
    assert measured(4) == ResourceUsage(60.0, 50.0, 4)


def test_a_node_is_not_too_busy_for_a_job_because_it_works_on_one(proc: Path) -> None:
    works(proc, others=100, idle=100, own=10, child=10, past=10)
    measured = Measured(proc)
    works(proc, others=105, idle=100, own=20, child=70, past=35)
    usage = measured(1)
    assert usage.cpu_percent == 5.0
    assert not is_high(usage)


@pytest.mark.parametrize(
    ("load", "cpu_percent"), [(0.0, 0.0), (3.0, 0.0), (7.0, 50.0), (79.0, 95.0)]
)
def test_a_node_on_the_cpu_is_slower_among_others_but_not_full(
    load: float, cpu_percent: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.getloadavg", lambda: (load, 0.0, 0.0))
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    usage = on_cpu(1)
    assert (usage.cpu_percent, usage.running_jobs) == (cpu_percent, 1)


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_on_this_machine_a_child_counts_while_it_works_and_afterwards() -> None:
    before = ticks_of(Path("/proc"), "self")
    says_done = "sum(range(10_000_000)); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", says_done], stdin=PIPE, stdout=PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        while_it_works = ticks_of(Path("/proc"), "self")
        child.communicate(b"\n")
    assert before < while_it_works <= ticks_of(Path("/proc"), "self")
    assert 0 < Measured()(0).mem_percent < 100


def test_one_busy_moment_is_no_full_machine() -> None:
    measured = Measured()
    sum(range(5_000_000))
    assert measured(0).cpu_percent == 0


@pytest.mark.parametrize(
    ("usage", "high"),
    [
        (ResourceUsage(50, 50, 0), False),
        (ResourceUsage(95, 50, 0), True),
        (ResourceUsage(50, 95, 0), True),
        (ResourceUsage(50, 50, 0, gpu_percent=89, gpu_mem_percent=90), True),
    ],
)
def test_a_load_is_high_when_anything_is_near_its_end(usage: ResourceUsage, high: bool) -> None:
    assert is_high(usage) is high
