"""What the admin shows below a pool."""

import json
from typing import Any

from redis.exceptions import RedisError

from lua import views
from pools.live import table
from pools.membership import Preview, Summary, summary
from pools.models import Change
from pools.store import store

CHANGES_SHOWN = 50


def pool_tables(pool: str) -> list[dict[str, Any]]:
    """Members, what the live ones amount to, and what was changed. Raises RedisError."""
    members = views.members(store(), pool)
    return [
        table("Live members offer", ("what", "how many"), _summed(summary(pool))),
        table(
            "Members",
            ("node", "can take a job now"),
            [(member.node, "yes" if member.ready else "no") for member in members],
        ),
        changes_table(pool),
    ]


def changes_table(what: str) -> dict[str, Any]:
    """The last changes of a pool, or of how pools are chosen."""
    rows = [
        (f"{change.at:%Y-%m-%d %H:%M:%S}", change.author, change.version, difference(change))
        for change in Change.objects.filter(what=what)[:CHANGES_SHOWN]
    ]
    return table("Last changes", ("at", "by", "version", "what"), rows)


def difference(change: Change) -> str:
    """What is new, in a line."""
    if change.after is None or not isinstance(change.after, dict):
        return "removed" if change.after is None else _written(change.after)
    before = change.before or {}
    return "; ".join(
        f"{field}: {_written(before[field])} → {_written(value)}"
        if field in before
        else f"{field}: {_written(value)}"
        for field, value in change.after.items()
        if field not in before or before[field] != value
    )


def preview_tables(found: Preview) -> list[dict[str, Any]]:
    """Who would be in a pool, and who not."""
    return [
        table(f"{len(found.members)} live nodes would be members", ("node",), _column(found)),
        table("The others", ("node", "why not"), list(found.others.items())),
    ]


def tables_or_none(pool: str) -> list[dict[str, Any]] | None:
    """None: Redis does not answer."""
    try:
        return pool_tables(pool)
    except RedisError:
        return None


def _column(found: Preview) -> list[tuple[str]]:
    return [(node,) for node in found.members]


def _summed(found: Summary) -> list[tuple[str, int]]:
    named = {"type": found.types, "model": found.models, "language": found.languages}
    return [
        ("live members", found.live),
        ("free slots", found.free_slots),
        *((f"{kind} {name}", count) for kind, counts in named.items()
          for name, count in counts.items()),
    ]  # fmt: skip


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
