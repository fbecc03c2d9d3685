"""The session socket, ``/ws/session``. A frame's next stop is the phase that the socket is in.

What every session may always send is answered here, whatever the phase.
"""

import asyncio
from typing import get_args

from jobs.bucket import Bucket, Verdict
from jobs.phases import AnyFrame, Initialising, Serving
from jobs.principal import Principal
from jobs.socket import HotConsumer
from parley.codes import ErrorCode
from parley.frames import (
    Backpressure,
    Error,
    FrameError,
    RoomError,
    RoomFrame,
    WebrtcFrame,
    decode_binary,
    decode_session_frame,
    encode,
)

OVERLOADED = 503
TOO_FAST = 4429
KEPT_CODES = 64  # nodes make up codes of their own
ROOMS = frozenset(get_args(RoomFrame))
WEBRTC = frozenset(get_args(WebrtcFrame))

_no_rooms = encode(RoomError(ErrorCode.UNSUPPORTED_FEATURE, "Rooms are not supported."))


class SessionConsumer(HotConsumer):
    """One client: accepted, then :class:`Initialising`, then :class:`Serving`."""

    phase: Initialising | Serving | None = None
    principal: Principal
    wants_errors = False
    is_counted = False

    async def opened(self) -> None:
        """Credentials have been looked at before."""
        process = self.process
        if process.draining or process.callers >= process.settings.max_sessions:
            await self.refuse(OVERLOADED)
            return
        process.callers += 1
        self.is_counted = True
        self.principal = self.scope["principal"]
        self._loop = asyncio.get_running_loop()
        self._bucket = Bucket(process.settings, self._loop.time)
        self._told: dict[str, float] = {}  # error code → when it was sent
        await self.accept()
        self.phase = Initialising(self)

    def frame(self, data: str | bytes) -> "asyncio.Task[None] | None":
        """A frame that can't be understood is answered, and nothing more."""
        if not self._may_send():
            return None
        try:
            if isinstance(data, bytes):
                return self._handle(decode_binary(data))
            return self._handle(decode_session_frame(data))
        except FrameError as error:
            self.send_error(error.frame())
            return None

    async def closed(self) -> None:
        """The connection is gone."""
        if self.is_counted:
            self.process.callers -= 1
        if self.phase is not None:
            await self.phase.closed()

    @property
    def pause_left_s(self) -> float:
        """How long the client is still asked to send nothing, because it sent too much."""
        return self._bucket.pause_left_s

    def send_error(self, error: Error) -> None:
        """Deployed clients show each error as a modal box: the same code comes seldom to those
        that do not say that they accept errors.
        """
        now_s = self._loop.time()
        quiet_s = self.process.settings.quiet_errors_ms / 1000
        if not self.wants_errors:
            if now_s < self._told.get(error.code, float("-inf")) + quiet_s:
                return
            if len(self._told) >= KEPT_CODES:
                self._told.clear()
            self._told[error.code] = now_s
        super().send_error(error)

    def _handle(self, frame: AnyFrame) -> "asyncio.Task[None] | None":
        assert self.phase is not None
        if type(frame) in ROOMS:
            self.send_frame(_no_rooms)
            return None
        if type(frame) in WEBRTC:
            return None
        return self.phase.frame(frame)

    def _may_send(self) -> bool:
        verdict = self._bucket.take()
        if verdict is Verdict.PASS_AND_PAUSE:
            pause_ms = self.process.settings.pause_ms
            self.send_frame(encode(Backpressure("PAUSE", pause_ms)))
        elif verdict is Verdict.CLOSE:
            self.close(TOO_FAST, "too many messages")
            return False
        return True
