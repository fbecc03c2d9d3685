"""A simulated agent with exactly the habits of those that are deployed.

It sends `node_register`, `node_heartbeat` and `job_result` and nothing else: no ack, no partial. It
answers neither `error` nor `node_control`, and `job_cancel` stops nothing. After its first close it
comes back once, 5 s later, with the same id and a heartbeat before the registration; after the
second, or when that try is refused, it stays away. It refuses what it has seen before, and works on
a session strictly index by index. Registrations have `null`s, unknown values and unknown fields.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

from websockets.exceptions import ConnectionClosed, WebSocketException

from tests.peers.order import GAP_S, RefusedIndex, SessionOrder
from tests.peers.peer import Json, Peer
from tests.peers.report import Report

Answer = Callable[[Json], Json | None]

RECONNECT_S = 5.0
HEARTBEAT_S = 15.0


def translated(job: Json) -> Json:
    """The default answer: a result that says which utterance it is for."""
    text = f"{job['src_lang']}>{job['tgt_lang']} {job['job_id']}"
    return {"text_asr": text, "text_translated": text.upper(), "tts_audio": None}


class Agent(Peer):
    """One agent. All its times but `silence_s` are multiplied by `pace`.

    `silence_s` is how long it works on a job without a word. `answer` makes the fields of the
    result from a `job_assign`; None says nothing at all, for ever.
    """

    def __init__(
        self,
        url: str,
        *,
        node_id: str | None = None,
        token: str | None = None,
        languages: list[str] | None = None,
        gpus: bool = True,
        silence_s: float = 0.0,
        pace: float = 1.0,
        answer: Answer = translated,
    ) -> None:
        super().__init__()
        self.url = f"{url}?token={token}" if token else url
        self.node_id = node_id
        self.silence_s = silence_s
        self.pace = pace
        self.answer = answer
        self._report = Report(languages or ["en", "zh"], gpus=gpus)
        self.refused: list[Json] = []
        self.registered = asyncio.Event()
        self.gave_up = asyncio.Event()
        self.orders: dict[str, SessionOrder] = {}
        self._seen: set[object] = set()
        self._recognising: set[str] = set()

    @property
    def jobs(self) -> list[Json]:
        """Every `job_assign` it was sent."""
        return [frame for frame in self.received if frame["type"] == "job_assign"]

    async def job(self, number: int = 1, within_s: float = 10.0) -> Json:
        """The `number`-th `job_assign`, counted from 1, waited for."""
        async with asyncio.timeout(within_s), self._came:
            await self._came.wait_for(lambda: len(self.jobs) >= number)
        return self.jobs[number - 1]

    async def frame(self, kind: str, within_s: float = 10.0) -> Json:
        """The first frame of that type, waited for."""
        async with asyncio.timeout(within_s), self._came:
            await self._came.wait_for(lambda: any(f["type"] == kind for f in self.received))
        return next(frame for frame in self.received if frame["type"] == kind)

    async def heartbeat(self, **changes: Any) -> None:
        """Sends a heartbeat now, as when something has changed."""
        await self._send(
            {**self._report.heartbeat(self.node_id, len(self._recognising)), **changes}
        )

    async def __aenter__(self) -> Self:
        self._start(self._live())
        async with asyncio.timeout(10):
            await self.registered.wait()
        return self

    async def _live(self) -> None:
        with suppress(ConnectionClosed, OSError):
            await self._connect(returning=False)
        await asyncio.sleep(RECONNECT_S * self.pace)
        with suppress(ConnectionClosed, OSError, WebSocketException):
            await self._connect(returning=True)
        self.gave_up.set()

    async def _connect(self, *, returning: bool) -> None:
        """One connection to its end."""
        async with self._connection(self.url) as socket:
            self._socket = socket
            if returning:
                await self.heartbeat()
            await self._send(self._report.registration(self.node_id))
            beating = self._start(self._beat())
            try:
                async for message in socket:
                    await self._receive(json.loads(message))
            finally:
                beating.cancel()
                self._socket = None
                self.registered.clear()

    async def _receive(self, frame: Json) -> None:
        async with self._came:
            self.received.append(frame)
            self._came.notify_all()
        if frame["type"] == "node_register_ack":
            self.node_id = frame["node_id"]
            self.registered.set()
        elif frame["type"] == "job_assign":
            self._start(self._work(frame))

    async def _work(self, job: Json) -> None:
        session, index = job["session_id"], job["utterance_index"]
        for name, thing in (("JOB", job["job_id"]), ("UTTERANCE", (session, index))):
            if thing in self._seen:
                await self._refuse(job, f"DUPLICATE_{name}: {thing} was seen before")
                return
        self._seen |= {job["job_id"], (session, index)}
        order = self.orders.setdefault(session, SessionOrder(index, gap_s=GAP_S * self.pace))
        try:
            async with order.turn(index):
                await self._say_nothing_and_then_answer(job)
        except RefusedIndex as error:
            await self._refuse(job, f"OUT_OF_ORDER: {error}")

    async def _say_nothing_and_then_answer(self, job: Json) -> None:
        began = time.monotonic()
        self._recognising.add(job["job_id"])
        await asyncio.sleep(self.silence_s / 3)
        self._recognising.discard(job["job_id"])
        await asyncio.sleep(self.silence_s * 2 / 3)
        fields = self.answer(job)
        if fields is not None:
            took_ms = round(1000 * (time.monotonic() - began))
            success = {"success": True, "error": None, "processing_time_ms": took_ms}
            await self._send({**self._about(job), **success, **fields})

    async def _refuse(self, job: Json, message: str) -> None:
        self.refused.append(job)
        error = {"code": "PROCESSING_ERROR", "message": message, "details": None}
        await self._send({**self._about(job), "success": False, "error": error})

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S * self.pace)
            await self.heartbeat()

    def _about(self, job: Json) -> Json:
        names = ("job_id", "attempt_id", "session_id", "utterance_index", "trace_id", "group_id")
        about = {name: job.get(name) for name in names}
        return {"type": "job_result", "node_id": self.node_id, **about, "extra": {"agent": "x"}}
