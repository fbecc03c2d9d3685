import asyncio
import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import redis
import uvloop
from django.test import Client
from pytest_django import Settings

from lua.client import StoreSettings
from lua.keys import cell_prefix
from pools.store import store
from scheduler_site import credentials
from scheduler_site.models import create_token
from tests.api.fleet import FakeNode

LoopFactory = Callable[[], asyncio.AbstractEventLoop]
JOB = {
    "src_lang": "en",
    "tgt_lang": "zh",
    "audio": base64.b64encode(b"\0\1" * 800).decode(),
    "audio_format": "pcm16",
}


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, LoopFactory]:
    """The product's loop."""
    return {"uvloop": uvloop.new_event_loop}


@dataclass
class Api:
    """A client of ``/api/v1/`` with one token."""

    client: Client
    token: str = ""

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/v1/{path}", query, headers=self.headers())

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self._send("post", path, body, headers)

    def put(self, path: str, body: Any) -> Any:
        return self._send("put", path, body, {})

    def patch(self, path: str, body: Any) -> Any:
        return self._send("patch", path, body, {})

    def delete(self, path: str) -> Any:
        return self._send("delete", path, None, {})

    def post_job(self, key: str = "", **changes: Any) -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        return self.post("jobs/", {**JOB, **changes}, **headers)

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        return getattr(self.client, method)(
            f"/api/v1/{path}",
            json.dumps(body) if body is not None else "",
            content_type="application/json",
            headers={**self.headers(), **headers},
        )

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


@pytest.fixture(autouse=True)
def live_state(redis_settings: Settings) -> Iterator[StoreSettings]:
    """This test's own keys, with authentication on, after the first lease of a web process."""
    redis_settings.PARLEY_AUTH = "required"
    credentials.forget_lookups()
    client = redis.Redis.from_url(redis_settings.STATE_REDIS_URL, protocol=2)
    client.set(f"{cell_prefix(redis_settings.PARLEY_PREFIX, 0)}epoch", "first")
    yield store()
    client.close()


@pytest.fixture
def api() -> Api:
    """Without a token."""
    return Api(Client())


@pytest.fixture
def operator(db: None) -> Api:
    return Api(Client(), create_token(kind="operator")[1])


@pytest.fixture
def acme(db: None) -> Api:
    """A session token of tenant acme."""
    return Api(Client(), create_token(kind="session", tenant="acme")[1])


@pytest.fixture
def globex(db: None) -> Api:
    """A session token of another tenant."""
    return Api(Client(), create_token(kind="session", tenant="globex")[1])


@pytest.fixture
def node(live_state: StoreSettings) -> FakeNode:
    """A ready node with two slots for English and Chinese."""
    node = FakeNode("node-1")
    node.register()
    return node
