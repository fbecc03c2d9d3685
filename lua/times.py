"""What the script calls of each web process took: laid down by each, read by whoever is asked."""

import asyncio
import json
from contextlib import suppress
from typing import Any

from lua.client import Cells, StoreSettings
from lua.errors import StoreError
from lua.keys import cell_prefix
from lua.reader import client

EVERY_S = 1.0
TTL_MS = 10_000

ByScript = dict[str, tuple[int, float]]


async def publish(cells: Cells, process: str) -> None:
    """Lay down the sums of this process every second, in the first cell. Never ends."""
    while True:
        with suppress(StoreError):
            body = json.dumps(cells.times)
            await cells.lay_down(0, f"times:{process}", body, ttl_ms=TTL_MS)
        await asyncio.sleep(EVERY_S)


def read(store: StoreSettings) -> dict[str, ByScript]:
    """Of every web process with a lease: answered calls by script, and the seconds from call to
    answer summed up. At most a second old; never less than what was read before. Raises RedisError.
    """
    prefix, redis = cell_prefix(store.prefix, 0), client(store)
    members: Any = redis.smembers(f"{prefix}processes")
    processes = sorted(name.decode() for name in members)
    if not processes:
        return {}
    bodies = redis.mget([f"{prefix}times:{process}" for process in processes])
    return {
        process: {script: (count, spent_s) for script, (count, spent_s) in json.loads(body).items()}
        for process, body in zip(processes, bodies, strict=True)
        if body is not None
    }
