"""A node and a session that do exactly what a test tells them, over real sockets."""

import base64
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.harness import frames
from tests.harness.frames import Json
from tests.peers.raw import RawPeer, raw_peer
from tests.peers.until import until

HELLO = frames.wav("hello")
OUTCOMES = ("translation_result", "missing_result")


class HandNode:
    """A node whose every word the test says; it acknowledges nothing unless told to."""

    def __init__(self, peer: RawPeer, name: str, languages: list[str]) -> None:
        self.peer = peer
        self.name = name
        self._languages = languages

    @property
    def jobs(self) -> list[Json]:
        """Every ``job_assign`` it was sent."""
        return self.peer.of_type("job_assign")

    async def job(self, within_s: float = 5.0) -> Json:
        """The next ``job_assign``."""
        return await self.peer.expect("job_assign", within_s)

    async def acks(self, job: Json) -> None:
        about = {name: job[name] for name in ("job_id", "attempt_id", "session_id", "trace_id")}
        await self.peer.send({"type": "job_ack", "node_id": self.name, **about})

    async def hears_so_far(self, job: Json, text: str) -> None:
        """Sends a partial text."""
        names = ("job_id", "session_id", "utterance_index", "trace_id")
        about = {name: job[name] for name in names}
        partial = {"type": "asr_partial", "node_id": self.name, "text": text, "is_final": False}
        await self.peer.send({**partial, **about})

    async def answers(self, job: Json, text: str, **fields: Any) -> None:
        """A success; the translation is ``text``."""
        fields = {"text_asr": "…", "text_translated": text, **fields}
        await self.peer.send(frames.job_result(job, self.name, **fields))

    async def fails(self, job: Json, code: str, message: str = "it went wrong") -> None:
        error = {"code": code, "message": message}
        await self.peer.send(frames.job_result(job, self.name, success=False, error=error))

    async def beats(self, running: int = 0) -> None:
        await self.peer.send(frames.node_heartbeat(self.name, self._languages, running))

    async def knows_only(self, *languages: str) -> None:
        """Its next heartbeat says so."""
        self._languages = list(languages)
        await self.beats()

    def vanishes(self) -> None:
        """Its network is gone, without a word."""
        self.peer.vanish()


class HandSession:
    """A session that speaks when told, and keeps all it hears."""

    def __init__(self, peer: RawPeer, init: Json, ack: Json) -> None:
        self.peer = peer
        self.ack = ack
        self.id: str = ack["session_id"]
        self.token: str | None = ack.get("resume_token")
        self._init = init
        self._indexes = itertools.count()
        self._seqs = itertools.count(1)
        self._read = 0

    @property
    def outcomes(self) -> list[Json]:
        """Every result, and every word that none will come, in the order in which they came."""
        return [frame for frame in self.peer.frames if frame["type"] in OUTCOMES]

    async def says(self, audio: str = HELLO, **fields: Any) -> int:
        """Sends an utterance; its index. ``audio`` is base64 of a WAV."""
        index = fields.pop("utterance_index", None)
        index = next(self._indexes) if index is None else index
        await self.peer.send(frames.utterance(self.id, index, self._init, audio, **fields))
        return index

    async def streams(
        self, sound: bytes = b"", *, final: bool = False, seq: int | None = None, **fields: Any
    ) -> None:
        """Sends a piece of a stream."""
        chunk = {
            "type": "audio_chunk",
            "session_id": self.id,
            "seq": next(self._seqs) if seq is None else seq,
            "is_final": final,
            "payload": base64.b64encode(sound).decode(),
            **fields,
        }
        await self.peer.send(chunk)

    async def hears(self, within_s: float = 5.0) -> Json:
        """The next outcome."""
        self._read += 1
        try:
            await until(lambda: len(self.outcomes) >= self._read, within_s)
        except TimeoutError:
            came = [frame["type"] for frame in self.peer.frames]
            raise AssertionError(f"no outcome within {within_s} s; came: {came}") from None
        return self.outcomes[self._read - 1]

    def goes_on(self, earlier: "HandSession") -> None:
        """It speaks on where an earlier connection of its session ended."""
        self._indexes = earlier._indexes

    async def ends(self) -> None:
        await self.peer.send({"type": "session_close", "session_id": self.id, "reason": "done"})
        await self.peer.expect("session_close_ack")


@asynccontextmanager
async def hand_node(
    url: str, name: str, *, languages: list[str], slots: int, reads: bool = True, **changes: Any
) -> AsyncIterator[HandNode]:
    """Connects and registers. With ``reads`` false it takes nothing from its socket any more."""
    async with raw_peer(url, reading=reads) as peer:
        await peer.send(frames.node_register(name, languages, slots, **changes))
        if reads:
            await peer.expect("node_register_ack", node_id=name)
            yield HandNode(peer, name, languages)
            return
        await peer.socket.recv()
        peer.socket.transport.pause_reading()
        yield HandNode(peer, name, languages)
        peer.vanish()


@asynccontextmanager
async def hand_session(url: str, src: str, tgt: str, **changes: Any) -> AsyncIterator[HandSession]:
    """Connects and opens a session."""
    init = frames.session_init(src, tgt, **changes)
    async with raw_peer(url) as peer:
        await peer.send(init)
        yield HandSession(peer, init, await peer.expect("session_init_ack"))
