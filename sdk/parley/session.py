"""The speaking end: sends utterances and gets their translations back, in order.

    async with Session("ws://localhost:5010", src_lang="en", tgt_lang="zh") as session:
        outcome = await session.say("hello.wav")
        print(outcome.text_translated if outcome.ok else outcome.reason)

A lost connection is made again with a jittered back-off, and the session goes on where it was: its
jobs have gone on meanwhile, and what was not answered is sent again, so that nothing is lost and
nothing comes twice. Where the server does not know the session any more (by default it waits 30 s)
another one takes its place, with the same indexes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from websockets.exceptions import WebSocketException

from parley.audio import any_pcm16
from parley.backoff import Backoff
from parley.codes import ErrorCode
from parley.conversation import Conversation
from parley.frames import SessionInit, SessionInitAck, Switches
from parley.ledger import Ledger
from parley.link import keep_connected, socket_url
from parley.notice import Notice, log_notice, refusal
from parley.outcome import Event, Outcome, SessionError
from parley.utterance import utterance_of

PATH = "/ws/session"


class Session:
    """One session. Give two languages, or an `init` that says more; `pairing_code`, six digits,
    binds it to one node.

    `url` is the server's address; without one it is that in `PARLEY_URL`, or this machine's.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        src_lang: str = "auto",
        tgt_lang: str = "en",
        token: str | None = None,
        pairing_code: str | None = None,
        init: SessionInit | None = None,
        on_notice: Callable[[Notice], None] | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self.url = socket_url(url, PATH)
        self.token = token
        self.init = init or SessionInit(
            "parley-sdk 0.1.0", "api-gateway", src_lang, tgt_lang, pairing_code=pairing_code
        )
        self._backoff = backoff or Backoff()
        self._ledger = Ledger()
        self._conversation = Conversation(self.init, self._ledger, on_notice or log_notice)
        self._connecting: asyncio.Task[None] | None = None

    @property
    def ack(self) -> SessionInitAck | None:
        """How the server opened the session; None before the first connection."""
        return self._conversation.ack

    @property
    def session_id(self) -> str:
        """The present id, empty before the first connection. It stays while the session can be
        resumed; the one that takes its place has another.
        """
        return self._conversation.session_id

    async def say(self, audio: str | Path | bytes) -> Outcome:
        """Sends an utterance and waits for its outcome. Raises as `send` does."""
        return await self.outcome(await self.send(audio))

    async def send(
        self,
        audio: str | Path | bytes,
        *,
        pipeline: Switches | None = None,
        preferred_node_id: str | None = None,
        deadline_ms: int | None = None,
        priority: int | None = None,
    ) -> int:
        """Sends an utterance; its index in this session, from 0.

        `audio`: a WAV file, its bytes, or pcm16 (16 kHz, mono). `deadline_ms`: how long it may wait
        for a node; `priority`: before (1) or behind (5) others that wait. Raises `AudioError`,
        `OSError`, and `SessionError` when the session has ended.
        """
        pcm16 = await asyncio.to_thread(any_pcm16, audio)
        utterance = utterance_of(self.init, pcm16)
        utterance.pipeline = pipeline
        utterance.preferred_node_id = preferred_node_id
        utterance.deadline_ms = deadline_ms
        utterance.priority = priority
        return self._ledger.add(utterance)

    async def stream(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[Event]:
        """Sends sound while it is spoken; partials and outcomes as they come, until all that was
        said is answered. The server cuts it into utterances.

        A chunk is pcm16 (16 kHz, mono) of any length, or what `init` says of its `audio_format`:
        for `opus` packets of 20 ms, each after its length (u16, little-endian). Not together with
        `send`, nor with another stream. Of what is being said when the connection is lost the rest
        may not be heard; the chunks that come meanwhile wait for the next one.

        Raises what `chunks` raises, and `SessionError` when the session ends.
        """
        splits = self.init.audio_format in (None, "pcm16", "opus")
        speaking = asyncio.create_task(self._conversation.voice.speak(chunks, splits=splits))
        speaking.add_done_callback(lambda _: self._ledger.wake())

        def is_over() -> bool:
            failed = speaking.done() and speaking.exception() is not None
            return failed or (speaking.done() and not self._ledger.streamed)

        try:
            async for event in self._ledger.events(is_over):
                yield event
            if speaking.done():
                speaking.result()
        finally:
            speaking.cancel()

    async def outcome(self, index: int) -> Outcome:
        """Waits for the outcome of an utterance just sent; it is then not among the events."""
        return await self._ledger.outcome(index)

    def finish(self) -> None:
        """Says that no more utterances come: iteration ends when all are answered."""
        self._ledger.finish()

    def __aiter__(self) -> AsyncIterator[Event]:
        """Partials and outcomes as they come, outcomes in the order of the utterances."""
        return self._ledger.events()

    async def close(self) -> None:
        """Ends the session; utterances without an outcome are given up."""
        await self._conversation.close()
        self._end(SessionError(ErrorCode.SESSION_CLOSED, "the session was closed"))
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)

    async def __aenter__(self) -> Self:
        """Connects, for as long as it takes. Raises `SessionError` where that can't help."""
        connecting = self._connecting = asyncio.create_task(self._stay_connected())
        opening = asyncio.create_task(self._conversation.opened.wait())
        try:
            await asyncio.wait({connecting, opening}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not opening.done():
                opening.cancel()
                connecting.cancel()
        if connecting.done():
            await connecting
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _stay_connected(self) -> None:
        talk = self._conversation
        try:
            await keep_connected(
                self.url, self.token, talk.use, backoff=self._backoff, though_refused=False
            )
        except WebSocketException as error:
            raise self._end(refusal(error, talk.refusal)) from None

    def _end(self, error: SessionError) -> SessionError:
        self._ledger.end(error)
        return error
