"""Asks the web processes, as a load balancer would, whether everything is up."""

import http.client
import json
from typing import Any

from scheduler_site.supervisor.options import Options

TIMEOUT_S = 0.5


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
