"""What the admin shows below a node: what it reported, what it holds, what happened to it."""

import json
from datetime import datetime
from typing import Any

from redis.exceptions import RedisError

from jobs.models import NodeEvent, PoolEvent
from lua import views
from lua.views import NodeView
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
            table("Pools", ("pool", "member", "why"), _memberships(view)),
            table(
                "Last changes of pools", ("at", "joined", "left", "why", "reasons"), _pools(node)
            ),
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
    return [(_clock(row.at), row.joined, row.left, row.why, _told(row.reasons)) for row in rows]


def _memberships(view: NodeView | None) -> list[tuple[Any, ...]]:
    """Its pools, then those that it is not in, with the reason."""
    reasons = view.reasons if view else {}
    pools = view.pools if view else ()
    listed = [*pools, *(pool for pool in sorted(reasons) if pool not in pools)]
    return [(pool, "yes" if pool in pools else "no", reasons.get(pool, "")) for pool in listed]


def _told(reasons: str) -> str:
    return "; ".join(f"{pool}: {why}" for pool, why in json.loads(reasons or "{}").items())


def _clock(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _pretty(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) if value else ""
