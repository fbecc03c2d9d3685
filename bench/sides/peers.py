"""Sessions and nodes as plain sockets: no SDK, so that the load costs as little as possible."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
from websockets.asyncio.client import connect

from bench.sides.client import Client, connected
from bench.sides.measure import Trip

LARGEST_FRAME = 16 * 2**20
decode = msgspec.json.decode
encode = msgspec.json.encode

LANGUAGES = ["en", "zh"]
REGISTER = {
    "type": "node_register",
    "version": "bench",
    "platform": "linux",
    "hardware": {"cpu_cores": 8, "memory_gb": 32, "gpus": [{"name": "none", "memory_gb": 8}]},
    "installed_models": [],
    "capability_by_type": [
        {"type": kind, "ready": True} for kind in ("asr", "nmt", "tts", "semantic")
    ],
    "features_supported": {},
    "accept_public_jobs": True,
    "language_capabilities": {
        "asr_languages": LANGUAGES,
        "tts_languages": LANGUAGES,
        "semantic_languages": LANGUAGES,
    },
    "max_concurrent_jobs": 16,
}
INIT = {
    "type": "session_init",
    "client_version": "bench",
    "platform": "web",
    "src_lang": "en",
    "tgt_lang": "zh",
}


class Assign(msgspec.Struct):
    """What is read of a ``job_assign``."""

    type: str
    job_id: str = ""
    attempt_id: int = 0
    session_id: str = ""
    utterance_index: int = 0
    session_utterance_index: int = -1  # the bare relay passes the session's own
    trace_id: str = ""


class Answer(msgspec.Struct):
    """What is read of what a session is told."""

    type: str
    utterance_index: int = 0
    reason: str = ""


_assign = msgspec.json.Decoder(Assign).decode
_answer = msgspec.json.Decoder(Answer).decode


class Lanes:
    """All sessions and nodes, and the jobs under way. The answer is as large as the payload."""

    def __init__(self, payload: str) -> None:
        self.payload = payload
        self.sessions: list[tuple[Client, str]] = []
        self._next: dict[str, int] = {}
        self._arrived: dict[tuple[str, int], float] = {}
        self._waiting: dict[tuple[str, int], asyncio.Future[None]] = {}

    async def send(self, lane: int) -> Trip:
        """An utterance of one of the sessions, until its result is back."""
        client, session = self.sessions[lane % len(self.sessions)]
        index = self._next[session] = self._next.get(session, -1) + 1
        key = session, index
        back = self._waiting[key] = asyncio.get_running_loop().create_future()
        frame = {
            "type": "utterance",
            "session_id": session,
            "utterance_index": index,
            "manual_cut": True,
            "src_lang": "en",
            "tgt_lang": "zh",
            "audio": self.payload,
            "audio_format": "pcm16",
            "sample_rate": 16000,
        }
        sent_s = time.perf_counter()
        client.send(encode(frame))
        await back
        return Trip(self._arrived.pop(key) - sent_s, time.perf_counter() - sent_s)

    def add_node(self, client: Client, name: str) -> None:
        """It answers every job at once."""
        answer = {"type": "job_result", "node_id": name, "success": True, "text_asr": "hello"}
        answer |= {"text_translated": "你好", "tts_audio": self.payload, "tts_format": "pcm16"}

        def hear(data: bytes) -> None:
            job = _assign(data)
            if job.type != "job_assign":
                return
            known = job.session_utterance_index >= 0
            index = job.session_utterance_index if known else job.utterance_index
            self._arrived[job.session_id, index] = time.perf_counter()
            about = {
                "job_id": job.job_id,
                "attempt_id": job.attempt_id,
                "session_id": job.session_id,
                "utterance_index": job.utterance_index,
                "trace_id": job.trace_id,
            }
            client.send(encode(answer | about))

        client.hear, client.fail = hear, self._fail

    def add_session(self, client: Client, name: str) -> None:
        """It takes the answers."""

        def hear(data: bytes) -> None:
            told = _answer(data)
            if told.type == "translation_result":
                self._waiting.pop((name, told.utterance_index)).set_result(None)
            elif told.type in ("missing_result", "error"):
                self._fail(RuntimeError(f"a job was not done: {data!r}"))

        client.hear, client.fail = hear, self._fail
        self.sessions.append((client, name))

    def _fail(self, error: Exception) -> None:
        for back in self._waiting.values():
            back.set_exception(error)
        self._waiting.clear()


@asynccontextmanager
async def lanes(url: str, payload: str, *, sessions: int, nodes: int) -> AsyncIterator[Lanes]:
    """Connect them all to ``ws://HOST:PORT``."""
    made = Lanes(payload)
    async with AsyncExitStack() as stack:
        for number in range(nodes):
            client = await stack.enter_async_context(connected(f"{url}/ws/node?n={number}"))
            await client.ask(encode(REGISTER | {"node_id": f"bench-{number}"}))
            made.add_node(client, f"bench-{number}")
        for number in range(sessions):
            client = await stack.enter_async_context(connected(f"{url}/ws/session?n={number}"))
            name = decode(await client.ask(encode(INIT)))["session_id"]
            made.add_session(client, name)
        yield made


def connect_to(url: str) -> connect:
    """Without what costs the peers time."""
    return connect(url, compression=None, max_size=LARGEST_FRAME, ping_interval=None)
