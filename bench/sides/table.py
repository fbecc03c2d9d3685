"""What ``bench.end_to_end`` prints."""

import os
from typing import Any

COLUMNS = {
    "to_node_p50_ms": "to node p50",
    "to_node_p99_ms": "to node p99",
    "round_trip_p50_ms": "round trip",
    "jobs_per_s": "jobs/s",
    "server_cpu_us_per_job": "server CPU",
    "valkey_cpu_us_per_job": "Valkey CPU",
    "load_cpu_us_per_job": "load CPU",
    "cores_busy": "cores busy",
}


def show(found: dict[str, Any]) -> None:
    """The table."""
    print(f"{'':8}{'payload':>8}", *(f"{title:>12}" for title in COLUMNS.values()))
    for side in ("parley", "celery", "bare"):
        for size, figures in found[side].items():
            print(f"{side:8}{size:>8}", *(f"{figures[name]:12,.2f}" for name in COLUMNS))
    print(f"\nOf {os.cpu_count()} cores were busy with small jobs:")
    for side in ("parley", "celery", "bare"):
        print(f"{side:8}{_busy(found[side]['300_b'])}")
    for name in ("ratios", "ratios_64_kib"):
        print(f"\n{name:30}{'median':>8}{'least':>8}{'most':>8}")
        for key, value in found[name].items():
            each = [one[key] for one in found[f"{name}_of_rounds"]]
            print(f"  {key:28}{value:8.2f}{min(each):8.2f}{max(each):8.2f}")


def _busy(figures: dict[str, float]) -> str:
    """How much of a core each part took."""
    parts = {"server": "the server", "valkey": "Valkey", "load": "the load"}
    cores = {
        title: figures[f"{part}_cpu_us_per_job"] * figures["jobs_per_s"] / 1e6
        for part, title in parts.items()
    }
    return ", ".join(f"{title} {busy:.2f}" for title, busy in cores.items())
