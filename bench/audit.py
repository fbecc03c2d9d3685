"""How many finished jobs a second the drain moves from the event stream into SQL, on one core.

    .venv/bin/python bench/audit.py [--jobs 10000] [--json FILE]

Fills the stream of an own Valkey with what the scripts write for jobs that end well (four entries
each), then drains it into a fresh SQLite file, in batches as the worker does.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import redis

from bench.connection import server
from bench.jobs import a_job
from lua.receipts import Receipt
from lua.scripts import Need

NEED = Need(("auto:en-zh", "pair:en-zh"))
RECEIPT = Receipt(
    sampled=20,
    lacking=0,
    excluded=1,
    stale=0,
    busy=3,
    searched=0,
    load=0.25,
    next=0.5,
    took_s=0.000050,
    pools="auto:en-zh",
    preferred="",
    passed="",
)


def events_of(job: str, node: str) -> list[dict[str, Any]]:
    """Entries of a job that is dispatched, taken, acknowledged and answered."""
    where = {"e": "job", "job": job, "attempt": 1, "node": node}
    spec = a_job(job, NEED, session="s-0000ABCD", index=1, size=30_000)
    chosen = {"pool": "auto:en-zh", "spec": spec.packed(), "receipt": RECEIPT.packed}
    brief = json.dumps({"asr_ms": 210, "nmt_ms": 45, "tts_ms": 120, "total_ms": 380})
    return [
        {**where, "moves": "NEW SELECTING RESERVED", **chosen},
        {**where, "moves": "RESERVED DISPATCHED"},
        {**where, "moves": "DISPATCHED ACKED"},
        {**where, "moves": "ACKED DONE", "code": "", "tries": 0, "ms": 395, "brief": brief},
    ]


def fill(url: str, key: str, jobs: int) -> int:
    """Add the entries of ``jobs`` jobs, interleaved as 32 at a time would be; returns how many."""
    client = redis.Redis.from_url(url, protocol=2)
    client.set(key.replace("events", "epoch"), "bench")
    entries = 0
    for first in range(0, jobs, 32):
        lives = [events_of(f"job-{n:016X}", f"node-{n % 50:08X}") for n in range(first, first + 32)]
        with client.pipeline(transaction=False) as pipe:
            for step in zip(*lives, strict=True):
                for fields in step:
                    pipe.xadd(key, fields)
                    entries += 1
            pipe.execute()
    client.close()
    return entries


def measure(url: str, jobs: int) -> dict[str, float]:
    """Fill, drain, and divide. CPU is this process's, user and system."""
    from jobs import audit
    from jobs.models import Job, JobEvent
    from lua.client import StoreSettings
    from lua.keys import cell_prefix
    from lua.states import JobState

    store = StoreSettings(url=url, prefix="bench:")
    entries = fill(url, cell_prefix(store.prefix, 0) + "events", jobs)
    began_s, cpu_s = time.perf_counter(), _cpu_s()
    moved = audit.drain(store, 0, budget_s=3600)
    wall_s, cpu_s = time.perf_counter() - began_s, _cpu_s() - cpu_s
    done = Job.objects.filter(state=JobState.DONE).count()
    if not moved == entries == JobEvent.objects.count():
        raise SystemExit(f"{entries} entries, {moved} moved, {JobEvent.objects.count()} rows")
    return {
        "jobs": done,
        "entries": moved,
        "wall_s": round(wall_s, 3),
        "cpu_s": round(cpu_s, 3),
        "jobs_per_s": round(done / wall_s, 1),
        "jobs_per_cpu_s": round(done / cpu_s, 1),
        "cpu_us_per_entry": round(cpu_s / moved * 1e6, 1),
    }


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as name:
        folder = Path(name)
        os.environ["DATABASE_URL"] = f"sqlite:///{folder / 'bench.sqlite3'}"
        os.environ["PARLEY_VAR"] = name
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "scheduler_site.settings")
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        with server() as url:
            figures = measure(url, -(-options.jobs // 32) * 32)
    for name, value in figures.items():
        print(f"{name:18} {value:>12,}")
    if options.json:
        options.json.write_text(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
