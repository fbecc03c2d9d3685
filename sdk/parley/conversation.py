"""A session's end of its connections: it opens the session, resumes it over another one, sends what
is unanswered, and enters what comes in the ledger.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Callable, Iterable
from typing import NoReturn

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from parley.audio import SAMPLE_RATE
from parley.backoff import REPLACED, close_code
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
    TranslationResult,
    UiEvent,
    decode_to_session,
)
from parley.ledger import Ledger
from parley.link import CLOSE_S, Wire
from parley.notice import Notice
from parley.outcome import Answer, Missing
from parley.streaming import Voice, now_ms

logger = logging.getLogger("parley.session")

SPOKEN, SAID = "INPUT_STARTED", "INPUT_ENDED"
LIFE_S = 200.0
"""In this time a server ends every utterance that it knows of: by default it tries for 180 s."""
ACCEPTS = ["backpressure", "binary", "errors", "resume"]


class Conversation:
    """One a session. `refusal`: the error that the connection of the moment was refused with."""

    def __init__(
        self, init: SessionInit, ledger: Ledger, on_notice: Callable[[Notice], None]
    ) -> None:
        self.ack: SessionInitAck | None = None
        self.refusal: Error | None = None
        self.opened = asyncio.Event()
        self.wire = Wire()
        self.voice = Voice(self.wire, self._ready)
        self._init = init
        self._ledger = ledger
        self._on_notice = on_notice
        self._name = uuid.uuid4().hex
        self._closed = asyncio.Event()
        self._pause_over = 0.0

    @property
    def session_id(self) -> str:
        """Empty before the first connection."""
        return self.ack.session_id if self.ack else ""

    async def use(self, socket: ClientConnection) -> None:
        """Until the session is closed; a lost connection raises `ConnectionClosed`."""
        self.wire.socket = socket
        self.refusal = None
        sending = asyncio.create_task(self._send_all())
        try:
            await self.wire.send(self._first())
            while not self._closed.is_set():
                self._receive(await socket.recv())
        except ConnectionClosed as error:
            self._come_back(error)
            raise
        finally:
            self.wire.socket = None
            self.opened.clear()
            self._ledger.interrupted()
            sending.cancel()
            await socket.close()

    async def close(self) -> None:
        """Says that the session is over, and waits a little for the server to agree."""
        if self.wire.socket is not None and self.opened.is_set():
            await self.wire.send(SessionClose(self.session_id, "done"))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closed.wait(), CLOSE_S)

    def _come_back(self, error: ConnectionClosed) -> None:
        """Raises `OSError` where the connection is to be made again though it was refused."""
        if not self.ack or not self.ack.resume_token:
            return
        if close_code(error) == REPLACED:  # by a return of its own that was thought lost
            raise ConnectionError("another connection had the session") from None
        unknown = self.refusal and self.refusal.code == ErrorCode.INVALID_SESSION
        if unknown and not self.opened.is_set():
            self.ack = None
            raise ConnectionError("the session is over; another one takes its place") from None

    def _first(self) -> SessionInit:
        init, resume_token = self._init, self.ack.resume_token if self.ack else None
        return msgspec.structs.replace(
            init,
            audio_format=init.audio_format or "pcm16",
            sample_rate=init.sample_rate or SAMPLE_RATE,
            accepts=ACCEPTS if init.accepts is None else init.accepts,
            resume_token=resume_token,
            last_utterance_index=self._ledger.last_answered if resume_token else None,
        )

    async def _ready(self) -> SessionInitAck:
        """The session is open, and nobody asked for a pause."""
        await asyncio.sleep(max(0.0, self._pause_over - time.monotonic()))
        await self.opened.wait()
        assert self.ack is not None
        return self.ack

    async def _send_all(self) -> NoReturn:
        """Sends what is unanswered, oldest first, then every new one."""
        await self.opened.wait()
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
                    await self.wire.send(utterance)
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
                self.voice.heard.set()
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
        self.opened.set()

    def _lose(self, indexes: Iterable[int]) -> None:
        for index in sorted(indexes):
            lost = MissingResult(self.session_id, index, "job_failed", now_ms())
            lost.code = ErrorCode.STATE_LOST
            self._ledger.lose(Missing(lost))

    def _notice(self, notice: Notice) -> None:
        if isinstance(notice, UiEvent) and notice.event in (SPOKEN, SAID):
            self._hears(notice.utterance_index, whole=notice.event == SAID)
        if isinstance(notice, Error) and not self.opened.is_set():
            self.refusal = notice
        if isinstance(notice, Backpressure) and notice.action == "PAUSE":
            self._pause_over = time.monotonic() + (notice.resume_after_ms or 0) / 1000
        self._on_notice(notice)

    def _hears(self, index: int, *, whole: bool) -> None:
        if not whole and self._ledger.streamed.get(index):
            self._lose([index])  # the server gives its index once more
        self._ledger.hears(index, whole=whole)
