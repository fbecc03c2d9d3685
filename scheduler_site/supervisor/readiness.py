"""Asks the web processes, as a load balancer would, whether everything is up."""

import http.client
import json
import time
from typing import Any

from scheduler_site.supervisor.console import say
from scheduler_site.supervisor.options import Options

TIMEOUT_S = 0.5
# All is up before the first word in a usual start.
TOLD_EVERY_S = 5.0


class Waiting:
    """Says what a start still waits for: after 5 s, then when it changes and every 5 s."""

    def __init__(self, *, told_every_s: float = TOLD_EVERY_S) -> None:
        self._told_every_s = told_every_s
        self._told, self._next_s = "", time.monotonic() + told_every_s

    def over(self, missing: str) -> bool:
        """Whether nothing is ``missing`` any more."""
        now_s = time.monotonic()
        changed = self._told and missing != self._told
        if missing and (changed or now_s >= self._next_s):
            say(f"Waiting: {missing}.")
            self._told, self._next_s = missing, now_s + self._told_every_s
        return not missing


def missing(options: Options, *, since_ms: int) -> str:
    """What is not ready yet, in words; empty: all is.

    ``since_ms``: the worker counts when it did something after this time (Unix, ms).
    """
    connection = http.client.HTTPConnection(
        options.local_host.strip("[]"), options.port, timeout=TIMEOUT_S
    )
    try:
        connection.request("GET", "/health/ready", headers={"Host": options.host_header})
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return "the web process does not answer"
    finally:
        connection.close()
    failed = [name for name, state in answer.get("checks", {}).items() if state != "ok"]
    if failed:
        return f"not ready: {', '.join(failed)}"
    if (answer.get("worker_seen_ms") or 0) < since_ms:
        return "the Celery worker has not answered"
    return ""
