"""The probes, the canary and the origins."""

import asyncio
import gc
import json
from typing import Any

import pytest
from django.core.cache import caches
from django.test import AsyncClient, RequestFactory
from pytest_django import Settings

from scheduler_site import health
from scheduler_site.origins import AllowedOrigins
from scheduler_site.tasks import last_song_ms, sing


@pytest.fixture
def live_redis(redis_settings: Settings) -> Settings:
    redis_settings.CACHES = {
        "default": {
            **redis_settings.CACHES["default"],
            "LOCATION": redis_settings.CACHE_REDIS_URL,
            "KEY_PREFIX": f"{redis_settings.PARLEY_PREFIX}cache",
        }
    }
    return redis_settings


async def ready(client: AsyncClient) -> tuple[int, dict[str, Any]]:
    response = await client.get("/health/ready")
    return response.status_code, json.loads(response.content)


async def test_a_process_that_answers_is_live(async_client: AsyncClient) -> None:
    assert (await async_client.get("/health/live")).status_code == 200


@pytest.mark.django_db(transaction=True)
async def test_ready_without_a_worker_says_so(
    async_client: AsyncClient, live_redis: Settings
) -> None:
    status, answer = await ready(async_client)
    assert (status, answer["worker_seen_ms"]) == (200, None)


@pytest.mark.django_db(transaction=True)
async def test_not_ready_without_redis(async_client: AsyncClient, live_redis: Settings) -> None:
    live_redis.STATE_REDIS_URL = "unix:///nowhere/valkey.sock"
    status, answer = await ready(async_client)
    assert status == 503
    assert answer["checks"] == {"redis": "failed", "sql": "ok"}


async def test_a_probe_that_gives_up_at_once_leaves_nothing(
    recwarn: pytest.WarningsRecorder, rf: RequestFactory
) -> None:
    probe = asyncio.create_task(health.ready(rf.get("/health/ready")))
    await asyncio.sleep(0)  # now it has its questions, and has asked none
    probe.cancel()
    await asyncio.wait({probe})
    gc.collect()
    assert [str(one.message) for one in recwarn] == []


def test_the_canary_leaves_the_time_of_its_song(live_redis: Settings) -> None:
    assert last_song_ms() is None
    sing()
    assert last_song_ms() is not None
    caches["default"].clear()


async def handshake(app: AllowedOrigins, *headers: tuple[bytes, bytes]) -> list[str]:
    """The types of what the application answers to a connection."""
    answers: list[str] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, str]) -> None:
        answers.append(message["type"])

    await app({"type": "websocket", "headers": list(headers)}, receive, send)
    return answers


async def accepting(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "websocket.accept"})


async def test_every_origin_may_connect_while_none_is_listed(settings: Settings) -> None:
    settings.PARLEY_ORIGINS = []
    app = AllowedOrigins(accepting)
    assert await handshake(app, (b"origin", b"https://any.example")) == ["websocket.accept"]


async def test_only_listed_pages_and_what_is_no_page_may_connect(settings: Settings) -> None:
    settings.PARLEY_ORIGINS = ["https://talk.example"]
    app = AllowedOrigins(accepting)
    assert await handshake(app, (b"origin", b"https://talk.example")) == ["websocket.accept"]
    assert await handshake(app, (b"origin", b"https://evil.example")) == ["websocket.close"]
    assert await handshake(app) == ["websocket.accept"]


@pytest.mark.parametrize(
    ("origin", "host", "answer"),
    [
        (b"https://parley.example:8443", b"parley.example:8443", "websocket.accept"),
        (b"https://parley.example", b"parley.example:8443", "websocket.close"),
        (b"https://evil.example", b"evil.example", "websocket.close"),  # a name it does not have
        (b"null", b"", "websocket.close"),
    ],
)
async def test_the_pages_of_the_service_itself_may_always_connect(
    settings: Settings, origin: bytes, host: bytes, answer: str
) -> None:
    settings.PARLEY_ORIGINS, settings.ALLOWED_HOSTS = ["https://talk.example"], ["parley.example"]
    headers = (b"origin", origin), (b"host", host)
    assert await handshake(AllowedOrigins(accepting), *headers) == [answer]
