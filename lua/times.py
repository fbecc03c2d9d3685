"""What the script calls of each web process took, and what it holds: laid down by each, read by
whoever is asked.
"""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from lua.client import Cells, StoreSettings
from lua.errors import StoreError
from lua.keys import cell_prefix
from lua.reader import client

EVERY_S = 1.0
TTL_MS = 10_000

ByScript = dict[str, tuple[int, float]]
Held = dict[str, int]


async def publish(cells: Cells, process: str, held: Callable[[], Held]) -> None:
    """Lay down the sums of this process every second, in the first cell. Never ends."""
    while True:
        with suppress(StoreError):
            body = json.dumps({"calls": cells.times, "held": held()})
            await cells.lay_down(0, f"times:{process}", body, ttl_ms=TTL_MS)
        await asyncio.sleep(EVERY_S)


def read(store: StoreSettings) -> dict[str, ByScript]:
    """Of every web process with a lease: answered calls by script, and the seconds from call to
    answer summed up. At most a second old; never less than what was read before. Raises RedisError.
    """
    return {
        process: {script: (count, spent_s) for script, (count, spent_s) in body["calls"].items()}
        for process, body in _bodies(store).items()
    }


def read_held(store: StoreSettings) -> dict[str, Held]:
    """Of every web process with a lease: what it holds, at most a second old.

    Raises RedisError.
    """
    return {process: body["held"] for process, body in _bodies(store).items()}


def _bodies(store: StoreSettings) -> dict[str, Any]:
    prefix, redis = cell_prefix(store.prefix, 0), client(store)
    members: Any = redis.smembers(f"{prefix}processes")
    processes = sorted(name.decode() for name in members)
    if not processes:
        return {}
    bodies = redis.mget([f"{prefix}times:{process}" for process in processes])
    return {
        process: json.loads(body)
        for process, body in zip(processes, bodies, strict=True)
        if body is not None
    }
