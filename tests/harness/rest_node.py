"""A node without a socket, that does exactly what a test tells it, at whichever process."""

from typing import Any

import httpx

from tests.harness import frames
from tests.harness.frames import Json
from tests.harness.web import Web


def http_of(web: Web) -> str:
    """The address of a process's REST."""
    return web.node_url.replace("ws://", "http://").replace("/ws/node", "/api/v1/")


class RestNode:
    """``at`` is the address of its next request."""

    def __init__(self, client: httpx.AsyncClient, name: str, at: str) -> None:
        self.client = client
        self.name = name
        self.at = at
        self.languages = ["en", "zh"]

    async def registers(self, *, slots: int = 2, **changes: Any) -> Json:
        body = frames.node_register(self.name, self.languages, slots, **changes)
        del body["type"]
        return self.told(await self.post("nodes/register/", body))

    async def beats(self, running: int = 0) -> Json:
        body = frames.node_heartbeat(self.name, self.languages, running)
        return self.told(await self.post(f"nodes/{self.name}/heartbeat/", body))

    async def asks(self, wait_s: float = 5.0) -> Json:
        """What it is to do: as soon as there is something, at the latest after ``wait_s``."""
        return self.told(await self.get(f"nodes/{self.name}/jobs/", wait=wait_s))

    async def job(self) -> Json:
        """The only job that it is given."""
        [job] = (await self.asks())["jobs"]
        return dict(job)

    async def acks(self, job: Json) -> Json:
        about = {name: job[name] for name in ("attempt_id", "session_id", "trace_id")}
        path = f"jobs/{job['job_id']}/ack/"
        return self.told(await self.post(path, {"node_id": self.name, **about}))

    async def answers(self, job: Json, text: str, **fields: Any) -> Json:
        """A success; the translation is ``text``."""
        return await self.ends(job, "done", text_asr="…", text_translated=text, **fields)

    async def fails(self, job: Json, code: str) -> Json:
        return await self.ends(job, "fail", error={"code": code, "message": "it went wrong"})

    async def ends(self, job: Json, how: str, **fields: Any) -> Json:
        body = frames.job_result(job, self.name, **fields)
        del body["success"]
        return self.told(await self.post(f"jobs/{job['job_id']}/{how}/", body))

    async def post(self, path: str, body: Any) -> httpx.Response:
        return await self.client.post(self.at + path, json=body)

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self.client.get(self.at + path, params=query)

    def told(self, response: httpx.Response) -> Json:
        assert response.status_code == 200, response.text
        return dict(response.json())
