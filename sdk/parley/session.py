"""The speaking end: sends utterances and gets their translations back, in order.

    async with Session("ws://localhost:5010/ws/session", src_lang="en", tgt_lang="zh") as session:
        outcome = await session.say("hello.wav")
        print(outcome.text_translated if outcome.ok else outcome.reason)

A lost connection is made again with a jittered back-off, and what was not answered is sent again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self, TypeAlias

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus, WebSocketException

from parley.audio import SAMPLE_RATE, any_pcm16
from parley.codes import ErrorCode, advice
from parley.frames import (
    AsrPartial,
    Backpressure,
    Error,
    FrameError,
    MissingResult,
    PipelineWish,
    SessionClose,
    SessionCloseAck,
    SessionInit,
    SessionInitAck,
    TranslationResult,
    UiEvent,
    Utterance,
    decode_to_session,
    to_base64,
)
from parley.ledger import Ledger
from parley.link import CLOSE_S, Backoff, Wire, dial, refused_for_good
from parley.outcome import Answer, Event, Missing, Outcome, SessionError

logger = logging.getLogger("parley.session")

DEFAULT_URL = "ws://localhost:5010/ws/session"
ACCEPTS = ["backpressure", "errors", "resume"]

Notice: TypeAlias = Error | Backpressure | UiEvent
"""What is told besides outcomes."""


class Session:
    """One session. Give two languages, or an `init` that says more."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        src_lang: str = "auto",
        tgt_lang: str = "en",
        token: str | None = None,
        init: SessionInit | None = None,
        on_notice: Callable[[Notice], None] | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self.url = url
        self.token = token
        self.init = init or SessionInit("parley-sdk 0.1.0", "api-gateway", src_lang, tgt_lang)
        self.ack: SessionInitAck | None = None
        self._on_notice = on_notice or _log
        self._backoff = backoff or Backoff()
        self._ledger = Ledger()
        self._wire = Wire()
        self._name = uuid.uuid4().hex
        self._opened = asyncio.Event()
        self._closed = asyncio.Event()
        self._pause_over = 0.0
        self._refusal: Error | None = None
        self._connecting: asyncio.Task[NoReturn] | None = None

    @property
    def session_id(self) -> str:
        """The present id, empty before the first connection; a new connection may have another."""
        return self.ack.session_id if self.ack else ""

    async def say(self, audio: str | Path | bytes) -> Outcome:
        """Sends an utterance and waits for its outcome. Raises as `send` does."""
        return await self.outcome(await self.send(audio))

    async def send(
        self,
        audio: str | Path | bytes,
        *,
        pipeline: PipelineWish | None = None,
        preferred_node_id: str | None = None,
        deadline_ms: int | None = None,
    ) -> int:
        """Sends an utterance; its index in this session, from 0.

        `audio`: a WAV file, its bytes, or pcm16 (16 kHz, mono). Raises `AudioError`, `OSError`, and
        `SessionError` when the session has ended.
        """
        pcm16 = await asyncio.to_thread(any_pcm16, audio)
        utterance = self._utterance(pcm16)
        utterance.pipeline = pipeline
        utterance.preferred_node_id = preferred_node_id
        utterance.deadline_ms = deadline_ms
        return self._ledger.add(utterance)

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

    def _utterance(self, pcm16: bytes) -> Utterance:
        """Made as the session was; the index is given by the ledger, the session id on sending."""
        init = self.init
        return Utterance(
            session_id="",
            utterance_index=0,
            manual_cut=True,
            src_lang=init.src_lang,
            tgt_lang=init.tgt_lang,
            audio_format="pcm16",
            sample_rate=SAMPLE_RATE,
            audio=to_base64(pcm16),
            dialect=init.dialect,
            features=init.features,
            mode=init.mode,
            lang_a=init.lang_a,
            lang_b=init.lang_b,
            auto_langs=init.auto_langs,
            enable_streaming_asr=init.enable_streaming_asr,
            trace_id=uuid.uuid4().hex,
        )

    async def _stay_connected(self) -> NoReturn:
        while True:
            began = time.monotonic()
            try:
                async with dial(self.url, self.token) as socket:
                    await self._use(socket)
            except (OSError, WebSocketException) as error:
                if refused_for_good(error):
                    raise self._end(_why(error, self._refusal)) from None
                logger.warning("no connection to %s, coming back: %s", self.url, error)
                delay = self._backoff.after(error, time.monotonic() - began)
            finally:
                self._wire.socket = None
                self._opened.clear()
            await asyncio.sleep(delay)

    def _end(self, error: SessionError) -> SessionError:
        self._ledger.end(error)
        return error

    async def _use(self, socket: ClientConnection) -> NoReturn:
        """Until the connection closes, which raises `ConnectionClosed`."""
        self._wire.socket = socket
        self._refusal = None
        resume_token = self.ack.resume_token if self.ack else None
        first = msgspec.structs.replace(
            self.init,
            accepts=ACCEPTS if self.init.accepts is None else self.init.accepts,
            resume_token=resume_token,
            last_utterance_index=self._ledger.last_answered if resume_token else None,
        )
        await self._wire.send(first)
        sending = asyncio.create_task(self._send_all())
        try:
            while True:
                self._receive(await socket.recv())
        finally:
            sending.cancel()
            await socket.close()

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
                self.ack = frame
                self._opened.set()
            case SessionCloseAck():
                self._closed.set()
            case Error() | Backpressure() | UiEvent():
                self._notice(frame)

    def _notice(self, notice: Notice) -> None:
        if isinstance(notice, Error) and not self._opened.is_set():
            self._refusal = notice
        if isinstance(notice, Backpressure) and notice.action == "PAUSE":
            self._pause_over = time.monotonic() + (notice.resume_after_ms or 0) / 1000
        self._on_notice(notice)


def _why(error: Exception, refusal: Error | None) -> SessionError:
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        code = ErrorCode.UNAUTHORIZED if status in (401, 403) else ErrorCode.INVALID_SESSION
        return SessionError(code, f"the server refused the connection with HTTP {status}")
    if refusal is not None:
        return SessionError(refusal.code, refusal.message)
    return SessionError(ErrorCode.INVALID_SESSION, str(error))


def _log(notice: Notice) -> None:
    match notice:
        case Error():
            logger.warning("%s: %s %s", notice.code, notice.message, advice(notice.code))
        case Backpressure():
            logger.info("%s for %s ms", notice.action, notice.resume_after_ms)
        case UiEvent():
            logger.debug("utterance %s: %s", notice.utterance_index, notice.event)
