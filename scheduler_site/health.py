"""``/health/live``: this process runs. ``/health/ready``: it can serve, Redis and SQL answer.

A probe asks like any client: with a ``Host`` of ``ALLOWED_HOSTS``.
"""

import asyncio
from collections.abc import Awaitable, Callable

import redis.asyncio as aioredis
import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse

from lua.client import SOCKET_OPTIONS
from scheduler_site.tasks import last_song_ms

log = structlog.get_logger(__name__)
TIMEOUT_S = 2.0


async def live(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "live"})


async def ready(request: HttpRequest) -> JsonResponse:
    """200 when every check is ``ok``, else 503. ``worker_seen_ms`` (Unix ms or null) is told
    but decides nothing: without the worker dispatch goes on."""
    redis_state, sql_state = await asyncio.gather(
        _check("redis", _ask_redis), _check("sql", sync_to_async(_ask_sql))
    )
    checks = {"redis": redis_state, "sql": sql_state}
    is_ready = all(state == "ok" for state in checks.values())
    return JsonResponse(
        {
            "status": "ready" if is_ready else "unavailable",
            "checks": checks,
            "worker_seen_ms": await _worker_seen_ms(),
        },
        status=200 if is_ready else 503,
    )


async def _check(name: str, question: Callable[[], Awaitable[object]]) -> str:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await question()
    except Exception as error:
        log.warning("health check failed", check=name, error=type(error).__name__)
        return "failed"
    return "ok"


async def _ask_redis() -> None:
    async with aioredis.Redis.from_url(settings.STATE_REDIS_URL, **SOCKET_OPTIONS) as client:
        await client.ping()


def _ask_sql() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


async def _worker_seen_ms() -> int | None:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await sync_to_async(last_song_ms)()
    except Exception:
        return None
