"""What sessions cost one web process: memory of idle ones, CPU and the delay of partials.

    python -m bench.sessions [--json FILE] [--quick]

2,000 sessions do nothing; their memory is what the process grows by, over that number. Then 200
more speak, 100 ms of Opus ten times a second, an utterance every 3 s, and nodes answer each with
five partials and a result. The delay of a partial is from the node's sending it to the session's
hearing it; both are in this process. CPU is that of the web process while they speak, in per cent
of a core. To be reached: at most 40 KiB a session, a median delay of at most 3 ms.
"""

import argparse
import asyncio
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import psutil
import uvloop

from bench.connection import server as valkey
from bench.sides.crowd import crowd
from bench.sides.measure import cpu_of
from bench.sides.servers import free_port, listening, parley

WARM_UP = 20
MOST_KIB, MOST_P50_MS = 40, 3


@dataclass(frozen=True)
class Effort:
    """How many and how long."""

    idle: int
    speaking: int
    settle_s: float
    listen_s: float


async def memory_of(server: psutil.Process, settle_s: float) -> float:
    """KiB that are the process's own, after a moment of rest."""
    await asyncio.sleep(settle_s)
    return float(server.memory_full_info().uss) / 1024


async def measure(url: str, server: psutil.Process, effort: Effort) -> dict[str, float]:
    """The figures, as they are written."""
    async with crowd(url) as people:
        await people.serve()
        await people.sit_down(WARM_UP)  # what is made once is not counted
        await people.go()
        before_kib = await memory_of(server, effort.settle_s)
        await people.sit_down(effort.idle)
        grown_kib = await memory_of(server, effort.settle_s) - before_kib
        await people.speak(effort.speaking)
        await asyncio.sleep(effort.settle_s)
        people.delays_s.clear()
        people.answers = 0
        cpu_s, began_s = cpu_of([server]), time.perf_counter()
        await asyncio.sleep(effort.listen_s)
        took_s = time.perf_counter() - began_s
        cpu_s = cpu_of([server]) - cpu_s
        if not people.answers:
            raise RuntimeError("nobody was answered")
        delays_ms = [1000 * delay_s for delay_s in people.delays_s]
    return {
        "idle_kib_per_session": grown_kib / effort.idle,
        "partial_p50_ms": median(delays_ms),
        "partial_p99_ms": quantiles(delays_ms, n=100)[-1],
        "cpu_percent": 100 * cpu_s / took_s,
    }


async def run(effort: Effort) -> dict[str, float]:
    """Against a service of its own."""
    with valkey() as url, tempfile.TemporaryDirectory(prefix="parley-") as folder:
        port = free_port()
        with parley(url, port, Path(folder)) as server:
            async with listening(port) as address:
                return await measure(address, server, effort)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--quick", action="store_true", help="a tenth of the crowd and the time")
    options = parser.parse_args()
    effort = Effort(200, 20, 1.0, 4.0) if options.quick else Effort(2_000, 200, 3.0, 30.0)
    found = uvloop.run(run(effort))
    print(f"an idle session   {found['idle_kib_per_session']:8.1f} KiB   (at most {MOST_KIB})")
    print(f"a partial, p50    {found['partial_p50_ms']:8.2f} ms    (at most {MOST_P50_MS})")
    print(f"a partial, p99    {found['partial_p99_ms']:8.2f} ms")
    print(f"CPU while they speak {found['cpu_percent']:6.1f} % of a core")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
