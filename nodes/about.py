"""What the admin shows below a node: what it reported, what it holds, what happened to it."""

import json
from datetime import datetime
from typing import Any

from redis.exceptions import RedisError

from jobs.models import NodeEvent, PoolEvent
from lua import views
from pools.live import table
from pools.store import store

EVENTS_SHOWN = 50


def about(node: str) -> dict[str, Any]:
    """``tables``, and ``reported`` as indented JSON by title."""
    try:
        view = views.nodes(store(), [node]).get(node)
        jobs = views.jobs_of(store(), node) if view else []
    except RedisError:
        view, jobs = None, []
    return {
        "tables": [
            table("Jobs it holds", ("job",), [(job,) for job in jobs]),
            table("Last changes", ("at", "passed", "why", "text", "address"), _events(node)),
            table("Last changes of pools", ("at", "joined", "left", "why"), _pools(node)),
        ],
        "reported": {
            "Reported capabilities": _pretty(view.caps) if view else "",
            "Reported metrics": _pretty(view.metrics) if view else "",
        },
    }


def _events(node: str) -> list[tuple[Any, ...]]:
    rows = NodeEvent.objects.filter(node=node).order_by("-id")[:EVENTS_SHOWN]
    return [
        (
            f"{row.at:%Y-%m-%d %H:%M:%S}",
            row.moves.replace(" ", " → "),
            row.why,
            row.text,
            row.address,
        )
        for row in rows
    ]


def _pools(node: str) -> list[tuple[Any, ...]]:
    rows = PoolEvent.objects.filter(node=node).order_by("-id")[:EVENTS_SHOWN]
    return [(_clock(row.at), row.joined, row.left, row.why) for row in rows]


def _clock(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _pretty(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) if value else ""
