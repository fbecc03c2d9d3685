"""Speech on its way while it is spoken: pieces of sound in, and word from the server that it has
heard them all.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from pathlib import Path

from parley.audio import SAMPLE_RATE, any_pcm16
from parley.frames import (
    AudioChunk,
    BinaryAudio,
    BinaryFinal,
    ClientHeartbeat,
    SessionInitAck,
    to_base64,
)
from parley.link import Wire

PIECE_S = 0.1
ASK_AGAIN_S = 5.0

MOST_BYTES = 64 * 1024
"""Of one frame, where sound may be cut anywhere: a server takes frames up to a limit only."""

_PIECE_BYTES = round(PIECE_S * SAMPLE_RATE) * 2


async def live(audio: str | Path | bytes) -> AsyncIterator[bytes]:
    """Sound as it is spoken: pcm16 in pieces of 100 ms, each when it would have been said.

    `audio`: a WAV file, its bytes, or pcm16 (16 kHz, mono). Raises `AudioError`, `OSError`.
    """
    pcm16 = await asyncio.to_thread(any_pcm16, audio)
    began = time.monotonic()
    for number, start in enumerate(range(0, len(pcm16), _PIECE_BYTES), 1):
        await asyncio.sleep(max(0.0, began + number * PIECE_S - time.monotonic()))
        yield pcm16[start : start + _PIECE_BYTES]


class Voice:
    """The way of a session's pieces. `ready` waits until one may be sent, and says how the
    connection of the moment was opened.
    """

    def __init__(self, wire: Wire, ready: Callable[[], Awaitable[SessionInitAck]]) -> None:
        self.heard = asyncio.Event()
        """The server has answered a heartbeat."""
        self._wire = wire
        self._ready = ready
        self._seq = 0

    async def speak(self, chunks: AsyncIterable[bytes], *, splits: bool) -> None:
        """Sends all pieces, then that it was all; returns when the server has heard that.
        `splits`: a long one in several frames.
        """
        async for chunk in chunks:
            most = MOST_BYTES if splits else len(chunk) or 1
            for start in range(0, len(chunk), most):
                await self._send(chunk[start : start + most])
        await self._send(b"")
        while True:
            ack = await self._ready()
            self.heard.clear()
            await self._wire.send(ClientHeartbeat(ack.session_id, now_ms()))
            try:
                await asyncio.wait_for(self.heard.wait(), ASK_AGAIN_S)
            except TimeoutError:
                continue
            return

    async def _send(self, sound: bytes) -> None:
        """A piece; the final one is empty. Binary where the server has announced it."""
        ack = await self._ready()
        session, seq, at_ms = ack.session_id, self._seq, now_ms()
        self._seq += 1
        if not ack.use_binary_frame:
            payload = to_base64(sound)
            await self._wire.send(AudioChunk(session, seq, not sound, payload, at_ms))
        elif sound:
            await self._wire.send_binary(BinaryAudio(session, seq, at_ms, audio=sound))
        else:
            await self._wire.send_binary(BinaryFinal(session, seq, at_ms))


def now_ms() -> int:
    """Unix ms."""
    return time.time_ns() // 1_000_000
