"""A session's speech on its way in, over one connection: the clock, and what each cut becomes."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from jobs.alarm import Alarm
from jobs.answers import Told, now_ms
from jobs.base64 import from_base64
from jobs.failures import Failure
from jobs.network import way_by_clocks_ms
from jobs.streams.cutter import Begun, Cut, Cutter, Event, Spoilt
from jobs.streams.endings import Ending, Turn
from jobs.streams.framing import framing_of
from jobs.streams.seen import Seen
from parley.frames import AudioChunk, FrameError, SessionInit, Utterance

if TYPE_CHECKING:
    from jobs.session import LiveSession


class Stream:
    """``pause_left_s``: how long the client is still asked to hold its sound back.

    A session that goes on over another connection gets another one.
    """

    def __init__(
        self, session: "LiveSession", init: SessionInit, *, pause_left_s: Callable[[], float]
    ) -> None:
        settings = session.process.settings
        self._session = session
        self._init = init
        self._pause_left_s = pause_left_s
        self._framing = framing_of(init.audio_format, init.sample_rate)
        self._cutter = Cutter(
            self._framing,
            settings.streams,
            session.process.streams,
            flush_ms=settings.flush_ms,
        )
        self._seen = Seen()
        self._begun: Told | None = None
        self._way_ms: int | None = None  # of the last piece
        self._turn = Turn()
        self._turn_number = 0
        self._alarm = Alarm(self._expire)

    def chunk(self, frame: AudioChunk) -> "asyncio.Task[None] | None":
        """A piece of speech, unless it came before. Raises FrameError: then it never came.

        Later frames are to wait for the task, where there is one.
        """
        way_ms = way_by_clocks_ms(frame.client_timestamp_ms, now_ms())
        return self.sound(frame.seq, _decoded(frame), final=frame.is_final, way_ms=way_ms)

    def sound(
        self, seq: int, sound: bytes, *, final: bool, way_ms: int | None
    ) -> "asyncio.Task[None] | None":
        """The same of a piece that came as it is, in a binary frame. ``way_ms``: how long it was on
        its way, if that is known.
        """
        if not self._seen.is_new(seq):
            return None
        self._way_ms = way_ms
        at_ms = self._alarm.now_ms()
        paused_ms = at_ms + 1000 * self._pause_left_s()
        events = self._cutter.chunk(sound, final=final, now_ms=at_ms, paused_ms=paused_ms)
        return self._act(events)

    def plays(self) -> None:
        """The client has begun to play a result."""
        self._cutter.plays(self._alarm.now_ms())
        self._arm()

    def played(self) -> None:
        """It has played it to its end."""
        self._cutter.played(self._alarm.now_ms())
        self._arm()

    def cut_short(self) -> None:
        """No more is heard in this process: what was said so far is an utterance, and a turn."""
        self._act(self._cutter.stop())

    def close(self, *, goes_on: bool = False) -> None:
        """The connection is gone: what was not cut yet is dropped, unless the session ``goes_on``
        over another one.
        """
        events = self._cutter.stop()
        if not goes_on:
            self._begun, events = None, []
        self._act(events)

    def _act(self, events: list[Event]) -> "asyncio.Task[None] | None":
        task = None
        for event in events:
            match event:
                case Begun():
                    self._begun = self._session.intake.begin()
                case Cut():
                    task = self._cut(event)
                case Spoilt():
                    self._session.intake.unheard(self._taken(), Failure(event.code, event.message))
        speaking = self._session.process.speaking
        (speaking.add if self._begun else speaking.discard)(self)
        self._arm()
        return task

    def _cut(self, cut: Cut) -> "asyncio.Task[None] | None":
        if cut.turn != self._turn_number:
            self._turn, self._turn_number = Turn(), cut.turn
        begun, init = self._taken(), self._init
        ending = Ending(cut.why, self._turn)
        frame = Utterance(
            session_id=begun.session,
            utterance_index=begun.index,
            manual_cut=ending.ends_turn,
            src_lang=init.src_lang,
            tgt_lang=init.tgt_lang,
            audio_format=self._framing.audio_format,
            sample_rate=self._framing.sample_rate,
        )
        return self._session.intake.spoken(begun, frame, cut.sound, ending)

    def _taken(self) -> Told:
        begun, self._begun = self._begun, None
        assert begun is not None
        return replace(begun, way_ms=self._way_ms)

    def _arm(self) -> None:
        self._alarm.set(self._cutter.due_ms())

    def _expire(self, now_ms: float) -> None:
        self._act(self._cutter.expire(now_ms))


def _decoded(frame: AudioChunk) -> bytes:
    try:
        return from_base64(frame.payload)
    except msgspec.ValidationError as error:
        raise FrameError(
            "audio_chunk: payload is not base64.",
            field="payload",
            expected="base64",
            type="audio_chunk",
        ) from error
