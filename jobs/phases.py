"""A session's connection, one object a phase: :class:`Initialising`, then :class:`Serving`.

An utterance goes on to :mod:`jobs.intake`, a piece of one to :mod:`jobs.streams`.
"""

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from jobs.answers import now_ms
from jobs.line import Wire
from jobs.network import way_of_low_bits_ms
from jobs.opening import TRY_AGAIN, Opening, Refused, acknowledgement
from jobs.outbox import Binary
from jobs.principal import Principal
from jobs.process import Process
from jobs.session import LiveSession
from jobs.streams.stream import Stream
from lua.errors import StoreError
from parley.codes import ErrorCode, advice
from parley.frames import (
    AudioChunk,
    BinaryAudio,
    BinaryFinal,
    BinaryFrame,
    BinaryPing,
    BinaryPong,
    ClientHeartbeat,
    Error,
    ServerHeartbeat,
    SessionClose,
    SessionCloseAck,
    SessionFrame,
    SessionInit,
    TtsPlayEnded,
    TtsStarted,
    Utterance,
    encode,
    encode_binary,
)

NORMAL, TOO_LATE = 1000, 4408

Task = asyncio.Task[None]
AnyFrame = SessionFrame | BinaryFrame


class Socket(Wire, Protocol):
    """What a phase needs of its socket."""

    process: Process
    principal: Principal
    wants_errors: bool
    lang: str
    phase: "Initialising | Serving | None"

    @property
    def pause_left_s(self) -> float: ...


class Initialising:
    """Waits for ``session_init``, not for ever. Frames after it wait until it is answered."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._deadline = asyncio.get_running_loop().call_later(
            socket.process.settings.init_timeout_ms / 1000, socket.close, TOO_LATE
        )

    def frame(self, frame: AnyFrame) -> Task | None:
        """A frame of the client; nothing else may come first."""
        if not isinstance(frame, SessionInit):
            _refuse(self._socket, ErrorCode.INVALID_SESSION, "The session is not open yet.")
            return None
        self._deadline.cancel()
        self._socket.wants_errors = "errors" in (frame.accepts or ())
        self._socket.lang = frame.src_lang
        return self._socket.start(self._open(frame))

    async def closed(self) -> None:
        """The socket is gone."""
        self._deadline.cancel()

    async def _open(self, init: SessionInit) -> None:
        socket = self._socket
        opening = Opening(socket.process, socket.principal, socket, init)
        try:
            session, message = await opening.session()
        except Refused as refusal:
            _refuse(socket, refusal.code, refusal.message)
            socket.close(refusal.close)
            return
        except StoreError as error:
            _refuse(socket, error.code)
            socket.close(TRY_AGAIN)
            return
        socket.phase = Serving(socket, session, init)
        socket.send_frame(encode(acknowledgement(session, init, message)))
        session.talk(socket, init)


class Serving:
    """A session from its acknowledgement on."""

    def __init__(self, socket: Socket, session: LiveSession, init: SessionInit) -> None:
        self._socket = socket
        self._session = session
        self._stream = session.stream = Stream(session, init, pause_left_s=self._pause_left_s)
        self._arrival: asyncio.TimerHandle | None = None
        if session.tickets.former:  # by then an unanswered ping would have closed the socket
            after_s = socket.process.settings.heard_ms / 1000
            self._arrival = asyncio.get_running_loop().call_later(after_s, self._heard)

    def frame(self, frame: AnyFrame) -> Task | None:
        """A frame of the client, of this session."""
        named = getattr(frame, "session_id", self._session.id)
        if named != self._session.id:
            _refuse(self._socket, ErrorCode.INVALID_SESSION, "This is another session.")
            return None
        self._heard()
        return self._handlers[type(frame)](self, frame)

    async def closed(self) -> None:
        """The socket is gone, and the session with it unless it may be resumed."""
        if self._arrival is not None:
            self._arrival.cancel()
        session = self._session
        self._stream.close(goes_on=session.may_return)
        await self._socket.process.sessions.away.gone(self._session, self._socket)

    def _heard(self) -> None:
        """Its client has the acknowledgement, if this is the session's present socket."""
        session = self._session
        if session.tickets.former and session.stream is self._stream:
            session.heard()

    def _init(self, frame: SessionInit) -> None:
        _refuse(self._socket, ErrorCode.INVALID_MESSAGE, "session_init: the session is open.")

    def _utterance(self, frame: Utterance) -> Task | None:
        return self._session.intake.utterance(frame)

    def _audio_chunk(self, frame: AudioChunk) -> Task | None:
        return self._stream.chunk(frame)

    def _sound(self, frame: BinaryAudio) -> Task | None:
        way_ms = way_of_low_bits_ms(frame.timestamp_ms, now_ms())
        return self._stream.sound(frame.seq, frame.audio, final=frame.is_final, way_ms=way_ms)

    def _final(self, frame: BinaryFinal) -> Task | None:
        way_ms = way_of_low_bits_ms(frame.timestamp_ms, now_ms())
        return self._stream.sound(frame.seq, b"", final=True, way_ms=way_ms)

    def _ping(self, frame: BinaryPing) -> None:
        pong = BinaryPong(frame.session_id, frame.seq, frame.timestamp_ms)
        self._socket.send_frame(Binary(encode_binary(pong)))

    def _pong(self, frame: BinaryPong) -> None:
        """It only says that the client is there."""

    def _heartbeat(self, frame: ClientHeartbeat) -> None:
        self._socket.send_frame(encode(ServerHeartbeat(self._session.id, now_ms())))

    def _close(self, frame: SessionClose) -> None:
        self._stream.close()
        self._session.end()
        self._socket.send_frame(encode(SessionCloseAck(self._session.id)))
        self._socket.close(NORMAL)

    def _tts_started(self, frame: TtsStarted) -> None:
        self._session.telling.playback(frame.trace_id, "TTS_PLAY_STARTED")
        self._stream.plays()

    def _tts_ended(self, frame: TtsPlayEnded) -> None:
        self._session.telling.playback(frame.trace_id, "TTS_PLAY_ENDED")
        self._stream.played()

    def _pause_left_s(self) -> float:
        return max(self._socket.pause_left_s, self._session.telling.pressure.pause_left_s)

    _handlers: ClassVar[dict[type[Any], Callable[["Serving", Any], Task | None]]] = {
        SessionInit: _init,
        Utterance: _utterance,
        AudioChunk: _audio_chunk,
        BinaryAudio: _sound,
        BinaryFinal: _final,
        BinaryPing: _ping,
        BinaryPong: _pong,
        ClientHeartbeat: _heartbeat,
        SessionClose: _close,
        TtsStarted: _tts_started,
        TtsPlayEnded: _tts_ended,
    }


def _refuse(socket: Socket, code: str, message: str = "") -> None:
    socket.send_error(Error(code=code, message=message or advice(code, socket.lang)))
