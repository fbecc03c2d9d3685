"""A simulated web page with exactly the habits of those that are deployed.

It streams Opus in `audio_chunk`s and never sends `session_close`. When its socket closes it comes
back exactly 1 s later, with a new session, and its `seq` goes on. It shows each `error` as a box
that has to be clicked away. `BUSY` or `SLOW_DOWN` while nobody speaks mutes it for good. On `PAUSE`
it holds sound back and then sends all of it at once; a final goes out even so. It plays results
one after the other, and tells of it only for those that have a `group_id` and a `trace_id`.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from contextlib import suppress
from typing import Any, Self

from websockets.exceptions import ConnectionClosed, WebSocketException

from tests.peers.peer import Json, Peer

RECONNECT_S = 1.0
CHUNK_PACKETS = 5
PACKET_S = 0.02
ANSWERS = ("translation_result", "missing_result")


class WebClient(Peer):
    """One page. All its times are multiplied by `pace`. `init` is added to its `session_init`.

    `boxes`: errors shown. `answers`: of all its sessions, in the order in which they came.
    """

    def __init__(self, url: str, *, pace: float = 1.0, **init: Any) -> None:
        super().__init__()
        self._url = url
        self._pace = pace
        self._init = init
        self.boxes: list[Json] = []
        self.answers: list[Json] = []
        self.sessions: list[str] = []
        self.closes: list[int] = []
        self.refusals = 0
        self.pauses = 0
        self.muted = False
        self.ready = asyncio.Event()
        self.playing = asyncio.Event()
        self._speaking = False
        self._seq = itertools.count()
        self._held: list[bytes] = []
        self._flushing: asyncio.Task[None] | None = None
        self._to_play: asyncio.Queue[Json] = asyncio.Queue()
        self._interrupted = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._start(self._live())
        self._start(self._play())
        async with asyncio.timeout(10):
            await self.ready.wait()
        return self

    async def says(self, packets: list[bytes], *, final: bool = True, early: bool = False) -> None:
        """Speaks; whatever is played falls silent. `early`: the final overtakes the last sound.

        Without a final the page only stops sending, as when a voice is no longer heard.
        """
        if self.muted:
            return
        self._speaking = True
        self._interrupted.set()
        chunks = [packets[n : n + CHUNK_PACKETS] for n in range(0, len(packets), CHUNK_PACKETS)]
        for number, chunk in enumerate(chunks):
            if early and number == len(chunks) - 1:
                await self._send_chunk(b"", final=True)
            await self._sound(b"".join(framed(packet) for packet in chunk))
            await asyncio.sleep(len(chunk) * PACKET_S * self._pace)
        if final and not early:
            await self._send_chunk(b"", final=True)
        self._speaking = False

    async def answered(self, count: int, within_s: float = 20.0) -> None:
        """Returns when so many answers have come, in all."""
        async with asyncio.timeout(within_s), self._came:
            await self._came.wait_for(lambda: len(self.answers) >= count)

    async def quiet(self) -> None:
        """Returns when nothing is held back or played any more."""
        while self._flushing is not None and not self._flushing.done():
            await asyncio.wait((self._flushing,))
        await self._to_play.join()

    def vanish(self) -> None:
        """Its network is gone without a word; it notices at once."""
        self.ready.clear()
        super().vanish()

    async def _live(self) -> None:
        while True:
            try:
                await self._connect()
            except WebSocketException:
                self.refusals += 1
            except OSError:
                pass
            self.ready.clear()
            await asyncio.sleep(RECONNECT_S * self._pace)

    async def _connect(self) -> None:
        """One connection to its end."""
        async with self._connection(self._url) as socket:
            self._socket = socket
            first = {"type": "session_init", "client_version": "1.4.2", "platform": "web"}
            await self._send({**first, **self._init})
            with suppress(ConnectionClosed):
                async for message in socket:
                    await self._receive(json.loads(message))
            self._socket = None
            self.closes.append(socket.close_code or 1006)

    async def _receive(self, frame: Json) -> None:
        self.received.append(frame)
        match frame["type"]:
            case "session_init_ack":
                self.sessions.append(frame["session_id"])
                self.ready.set()
            case "error":
                self.boxes.append(frame)
            case "backpressure":
                self._press(frame)
            case "translation_result" if frame["tts_audio"]:
                self._to_play.put_nowait(frame)
        if frame["type"] in ANSWERS:
            async with self._came:
                self.answers.append(frame)
                self._came.notify_all()

    def _press(self, frame: Json) -> None:
        if frame["action"] != "PAUSE":
            self.muted = self.muted or not self._speaking
            return
        self.pauses += 1
        if self._flushing is not None:
            self._flushing.cancel()
        self._flushing = self._start(self._flush(frame["resume_after_ms"] / 1000))

    async def _flush(self, after_s: float) -> None:
        """All that was held back goes out at once."""
        await asyncio.sleep(after_s)
        while self._held:
            await self._send_chunk(self._held.pop(0), final=False)

    async def _sound(self, sound: bytes) -> None:
        flushing = self._flushing is not None and not self._flushing.done()
        if flushing:
            self._held.append(sound)
        else:
            await self._send_chunk(sound, final=False)

    async def _send_chunk(self, sound: bytes, *, final: bool) -> None:
        if self.sessions:
            chunk = {"type": "audio_chunk", "session_id": self.sessions[-1], "is_final": final}
            payload = base64.b64encode(sound).decode()
            await self._send({**chunk, "seq": next(self._seq), "payload": payload})

    async def _play(self) -> None:
        while True:
            result = await self._to_play.get()
            about = {name: result.get(name) for name in ("session_id", "trace_id", "group_id")}
            told = bool(about["group_id"] and about["trace_id"])
            if told:
                await self._send({"type": "tts_started", "ts_start_ms": 1, **about})
            self._interrupted.clear()
            self.playing.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._interrupted.wait(), self._pace)
            self.playing.clear()
            if told:
                await self._send({"type": "tts_play_ended", "ts_end_ms": 2, **about})
            self._to_play.task_done()


def framed(packet: bytes) -> bytes:
    """An Opus packet after its length."""
    return len(packet).to_bytes(2, "little") + packet
