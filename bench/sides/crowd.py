"""A crowd of sessions on one web process: most are idle, some speak all the time."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection

from bench.sides.peers import INIT, REGISTER, connect_to, decode, encode

CHUNK_S = 0.1
CHUNKS = 30  # of an utterance
PACKET = (40).to_bytes(2, "little") + bytes(40)  # 20 ms of Opus
SOUND = base64.b64encode(5 * PACKET).decode()
PARTIALS = 5  # of a job
PARTIAL_S = 0.1
NODES, SLOTS = 8, 64
AT_ONCE = 50
PATIENCE_S = 60
HEARTBEAT_S = 15.0


class Heard(msgspec.Struct):
    """What is read of what a session or a node is told."""

    type: str
    job_id: str = ""
    attempt_id: int = 0
    session_id: str = ""
    utterance_index: int = 0
    trace_id: str = ""
    text: str = ""


_heard = msgspec.json.Decoder(Heard).decode


class Crowd:
    """``delays_s``: of partials, from the node's sending to the session's hearing. ``answers``:
    results that came.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self.delays_s: list[float] = []
        self.answers = 0
        self._open: list[ClientConnection] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def sit_down(self, count: int) -> None:
        """So many sessions open and say nothing."""
        for begun in range(0, count, AT_ONCE):
            await asyncio.gather(*(self._session() for _ in range(min(AT_ONCE, count - begun))))

    async def go(self) -> None:
        """All sessions leave."""
        await asyncio.gather(*(socket.close() for socket in self._open))
        self._open.clear()

    async def serve(self) -> None:
        """Nodes come, enough for everybody."""
        for number in range(NODES):
            socket = await connect_to(f"{self._url}/ws/node")
            named = {"node_id": f"crowd-{number}", "max_concurrent_jobs": SLOTS}
            await socket.send(encode(REGISTER | named).decode())
            await socket.recv()
            self._start(self._node(socket, f"crowd-{number}"))
            self._start(self._beat(socket, f"crowd-{number}"))

    async def speak(self, count: int) -> None:
        """So many sessions open and speak without end, each in its own time."""
        speakers = [await self._session() for _ in range(count)]
        for number, (socket, name) in enumerate(speakers):
            self._start(self._listen(socket))
            self._start(self._stream(socket, name, CHUNK_S * CHUNKS * number / count))

    async def stop(self) -> None:
        """Nobody says anything any more. Raises what went wrong."""
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _session(self) -> tuple[ClientConnection, str]:
        async with asyncio.timeout(PATIENCE_S):
            socket = await connect_to(f"{self._url}/ws/session")
            await socket.send(encode(INIT).decode())
            ack: dict[str, Any] = decode(await socket.recv())
        self._open.append(socket)
        return socket, ack["session_id"]

    async def _stream(self, socket: ClientConnection, name: str, after_s: float) -> None:
        loop = asyncio.get_running_loop()
        due_s, seq = loop.time() + after_s, 0
        while True:
            await asyncio.sleep(max(0, due_s - loop.time()))
            due_s, seq = due_s + CHUNK_S, seq + 1
            chunk = {"type": "audio_chunk", "session_id": name, "seq": seq, "payload": SOUND}
            await socket.send(encode(chunk | {"is_final": seq % CHUNKS == 0}).decode())

    async def _listen(self, socket: ClientConnection) -> None:
        async for data in socket:
            told = _heard(data)
            if told.type == "asr_partial":
                self.delays_s.append(time.perf_counter() - float(told.text))
            elif told.type == "translation_result":
                self.answers += 1
            elif told.type in ("missing_result", "error", "backpressure"):
                raise RuntimeError(f"a job was not done: {data!r}")

    async def _node(self, socket: ClientConnection, name: str) -> None:
        async for data in socket:
            job = _heard(data)
            if job.type == "job_assign":
                self._start(self._work(socket, name, job))

    async def _beat(self, socket: ClientConnection, name: str) -> None:
        names = ("capability_by_type", "language_capabilities")
        usage = {"cpu_percent": 1, "mem_percent": 1, "running_jobs": 0, "gpu_mem_percent": 1}
        beat = {"type": "node_heartbeat", "node_id": name, "resource_usage": usage}
        beat |= {"installed_services": [], **{part: REGISTER[part] for part in names}}
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            await socket.send(encode(beat | {"timestamp": int(1000 * time.time())}).decode())

    async def _work(self, socket: ClientConnection, name: str, job: Heard) -> None:
        about = {
            "node_id": name,
            "job_id": job.job_id,
            "session_id": job.session_id,
            "utterance_index": job.utterance_index,
            "trace_id": job.trace_id,
        }
        partial = {"type": "asr_partial", "is_final": False, **about}
        for _ in range(PARTIALS):
            await asyncio.sleep(PARTIAL_S)
            await socket.send(encode(partial | {"text": repr(time.perf_counter())}).decode())
        result = {"type": "job_result", "success": True, "attempt_id": job.attempt_id, **about}
        texts = {"text_asr": "hello", "text_translated": "你好", "tts_audio": SOUND}
        await socket.send(encode(result | texts).decode())

    def _start(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if task.cancelled() or task.exception() is None:
            self._tasks.discard(task)


@asynccontextmanager
async def crowd(url: str) -> AsyncIterator[Crowd]:
    """At ``ws://HOST:PORT``. Leaves nobody behind."""
    made = Crowd(url)
    try:
        yield made
    finally:
        await made.stop()
        await made.go()
