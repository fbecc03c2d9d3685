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
import contextlib
import logging
import time
import uuid
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, WebSocketException

from parley.audio import SAMPLE_RATE, any_pcm16
from parley.backoff import REPLACED, Backoff, close_code
from parley.codes import ErrorCode
from parley.frames import (
    AsrPartial,
    Backpressure,
    Error,
    FrameError,
    MissingResult,
    ServerHeartbeat,
    SessionClose,
    SessionCloseAck,
    SessionInit,
    SessionInitAck,
    Switches,
    TranslationResult,
    UiEvent,
    decode_to_session,
)
from parley.ledger import Ledger
from parley.link import CLOSE_S, Wire, keep_connected, socket_url
from parley.notice import Notice, log_notice, refusal
from parley.outcome import Answer, Event, Missing, Outcome, SessionError
from parley.streaming import Voice, now_ms
from parley.utterance import utterance_of

logger = logging.getLogger("parley.session")

PATH = "/ws/session"
SPOKEN, SAID = "INPUT_STARTED", "INPUT_ENDED"
LIFE_S = 200.0
"""In this time a server ends every utterance that it knows of: by default it tries for 180 s."""
ACCEPTS = ["backpressure", "binary", "errors", "resume"]


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
        self.ack: SessionInitAck | None = None
        self._on_notice = on_notice or log_notice
        self._backoff = backoff or Backoff()
        self._ledger = Ledger()
        self._wire = Wire()
        self._voice = Voice(self._wire, self._ready)
        self._name = uuid.uuid4().hex
        self._opened = asyncio.Event()
        self._closed = asyncio.Event()
        self._pause_over = 0.0
        self._refusal: Error | None = None
        self._connecting: asyncio.Task[None] | None = None

    @property
    def session_id(self) -> str:
        """The present id, empty before the first connection. It stays while the session can be
        resumed; the one that takes its place has another.
        """
        return self.ack.session_id if self.ack else ""

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
        speaking = asyncio.create_task(self._voice.speak(chunks, splits=splits))
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
        if self._wire.socket is not None and self._opened.is_set():
            await self._wire.send(SessionClose(self.session_id, "done"))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closed.wait(), CLOSE_S)
        self._end(SessionError(ErrorCode.SESSION_CLOSED, "the session was closed"))
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)

    async def __aenter__(self) -> Self:
        """Connects, for as long as it takes. Raises `SessionError` where that can't help."""
        connecting = self._connecting = asyncio.create_task(self._stay_connected())
        opening = asyncio.create_task(self._opened.wait())
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
        try:
            await keep_connected(
                self.url, self.token, self._use, backoff=self._backoff, though_refused=False
            )
        except WebSocketException as error:
            raise self._end(refusal(error, self._refusal)) from None

    def _end(self, error: SessionError) -> SessionError:
        self._ledger.end(error)
        return error

    async def _use(self, socket: ClientConnection) -> None:
        """Until the session is closed; a lost connection raises `ConnectionClosed`."""
        self._wire.socket = socket
        self._refusal = None
        sending = asyncio.create_task(self._send_all())
        try:
            await self._wire.send(self._first())
            while not self._closed.is_set():
                self._receive(await socket.recv())
        except ConnectionClosed as error:
            self._come_back(error)
            raise
        finally:
            self._wire.socket = None
            self._opened.clear()
            self._ledger.interrupted()
            sending.cancel()
            await socket.close()

    def _come_back(self, error: ConnectionClosed) -> None:
        """Raises `OSError` where the connection is to be made again though it was refused."""
        if not self.ack or not self.ack.resume_token:
            return
        if close_code(error) == REPLACED:  # by a return of its own that was thought lost
            raise ConnectionError("another connection had the session") from None
        unknown = self._refusal and self._refusal.code == ErrorCode.INVALID_SESSION
        if unknown and not self._opened.is_set():
            self.ack = None
            raise ConnectionError("the session is over; another one takes its place") from None

    def _first(self) -> SessionInit:
        resume_token = self.ack.resume_token if self.ack else None
        init = self.init
        return msgspec.structs.replace(
            init,
            audio_format=init.audio_format or "pcm16",
            sample_rate=init.sample_rate or SAMPLE_RATE,
            accepts=ACCEPTS if self.init.accepts is None else self.init.accepts,
            resume_token=resume_token,
            last_utterance_index=self._ledger.last_answered if resume_token else None,
        )

    async def _ready(self) -> SessionInitAck:
        """The session is open, and nobody asked for a pause."""
        await asyncio.sleep(max(0.0, self._pause_over - time.monotonic()))
        await self._opened.wait()
        assert self.ack is not None
        return self.ack

    async def _send_all(self) -> NoReturn:
        """Sends what is unanswered, oldest first, then every new one."""
        await self._opened.wait()
        sent = -1
        while True:
            self._ledger.added.clear()
            for index in [index for index in self._ledger.unanswered if index > sent]:
                await asyncio.sleep(max(0.0, self._pause_over - time.monotonic()))
                sent = index
                utterance = self._ledger.unanswered.get(index)
                if utterance is not None:
                    utterance.session_id = self.session_id
                    utterance.request_id = f"{self._name}-{index}"
                    await self._wire.send(utterance)
            await self._ledger.added.wait()

    def _receive(self, data: str | bytes) -> None:
        try:
            frame = decode_to_session(data)
        except FrameError as error:
            logger.warning("not understood: %s", error)
            return
        match frame:
            case TranslationResult():
                self._ledger.settle(Answer(frame))
            case MissingResult():
                self._ledger.settle(Missing(frame))
            case AsrPartial():
                self._ledger.show(frame)
            case SessionInitAck():
                self._begins(frame)
            case ServerHeartbeat():
                self._voice.heard.set()
            case SessionCloseAck():
                self._closed.set()
            case Error() | Backpressure() | UiEvent():
                self._notice(frame)

    def _begins(self, ack: SessionInitAck) -> None:
        """Another session than before knows nothing of what was said in a stream. The same one may
        have lost the last of it, if its process died just then.
        """
        if ack.session_id != self.session_id:
            self._lose(self._ledger.streamed)
            self._ledger.torn.clear()
            self._ledger.last_answered = None
        else:
            loop = asyncio.get_running_loop()
            loop.call_later(LIFE_S, self._lose, [*self._ledger.streamed])
        self.ack = ack
        self._opened.set()

    def _lose(self, indexes: Iterable[int]) -> None:
        for index in sorted(indexes):
            lost = MissingResult(self.session_id, index, "job_failed", now_ms())
            lost.code = ErrorCode.STATE_LOST
            self._ledger.lose(Missing(lost))

    def _notice(self, notice: Notice) -> None:
        if isinstance(notice, UiEvent) and notice.event in (SPOKEN, SAID):
            self._hears(notice.utterance_index, whole=notice.event == SAID)
        if isinstance(notice, Error) and not self._opened.is_set():
            self._refusal = notice
        if isinstance(notice, Backpressure) and notice.action == "PAUSE":
            self._pause_over = time.monotonic() + (notice.resume_after_ms or 0) / 1000
        self._on_notice(notice)

    def _hears(self, index: int, *, whole: bool) -> None:
        if not whole and self._ledger.streamed.get(index):
            self._lose([index])  # the server gives its index once more
        self._ledger.hears(index, whole=whole)
