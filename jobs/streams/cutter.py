"""From chunks of sound to utterances: the rules, without a clock and without a socket.

Its owner (:mod:`jobs.streams.stream`) says what time it is, in any milliseconds that only grow, and
calls :meth:`Cutter.expire` at :meth:`Cutter.due_ms`.
"""

from dataclasses import dataclass

from jobs.settings import StreamSettings
from jobs.streams.endings import Why
from jobs.streams.framing import Damaged, Framing, Refused
from jobs.streams.memory import Memory
from parley.codes import ErrorCode


@dataclass(frozen=True)
class Begun:
    """The first sound of an utterance has come."""


@dataclass(frozen=True)
class Cut:
    """The utterance that has begun is over. ``turn`` counts the turns of the stream."""

    sound: bytes
    ms: int
    why: Why
    turn: int


@dataclass(frozen=True)
class Spoilt:
    """The utterance that has begun is refused, and what still comes of it dropped."""

    code: ErrorCode
    message: str


class NoRoom(Refused):
    """All open streams of the process hold as much as they may."""

    code = ErrorCode.NODE_OVERLOADED


Event = Begun | Cut | Spoilt
NEVER = float("-inf")


class Cutter:
    """One stream. ``flush_ms``: how long after a pause clients may take to send what they held."""

    def __init__(
        self, framing: Framing, settings: StreamSettings, memory: Memory, *, flush_ms: int
    ) -> None:
        self._framing = framing
        self._settings = settings
        self._memory = memory
        self._flush_ms = flush_ms
        self._sound = bytearray()
        self._ms = 0.0
        self._loose = b""  # the beginning of a packet
        self._counted = 0  # bytes that the memory knows of
        self._spoken = False  # an utterance has begun
        self._spoilt_ms: float | None = None  # since when its rest is dropped
        self._turn = 0
        self._in_turn = False
        self._heard_ms = NEVER
        self._playing_ms = NEVER  # until when the timeout rests
        self._closes_ms: float | None = None  # when a final takes effect
        self._paused_ms = NEVER  # until when the client was to hold back, as that final came

    def chunk(
        self, chunk: bytes, *, final: bool, now_ms: float, paused_ms: float = NEVER
    ) -> list[Event]:
        """A chunk has come. ``paused_ms``: until when the client was asked to hold sound back."""
        self._heard_ms, self._playing_ms = now_ms, NEVER
        events = self._hear(chunk, now_ms) if chunk else []
        if self._closes_ms is None:
            if final:
                self._hold(now_ms, paused_ms)
        elif (chunk or final) and now_ms >= self._paused_ms > NEVER:
            # What was held back comes all at once.
            self._closes_ms = min(self._closes_ms, now_ms + self._settings.final_hold_ms)
        return events

    def plays(self, now_ms: float) -> None:
        """The client has begun to play a result: whoever listens says nothing."""
        self._playing_ms = now_ms + self._settings.playing_ms

    def played(self, now_ms: float) -> None:
        """It has ended."""
        if self._playing_ms > now_ms:
            self._heard_ms = now_ms
        self._playing_ms = NEVER

    def due_ms(self) -> float | None:
        """When to call :meth:`expire`; None while there is nothing to wait for."""
        if self._closes_ms is not None:
            return self._closes_ms
        if not self._in_turn:
            return None
        return max(self._heard_ms, self._playing_ms) + self._settings.stream_timeout_ms

    def expire(self, now_ms: float) -> list[Event]:
        """End what is due to end."""
        due_ms = self.due_ms()
        if due_ms is None or due_ms > now_ms:
            return []
        events = self._end(Why.TIMEOUT if self._closes_ms is None else Why.MANUAL)
        self._count()
        return events

    def stop(self) -> list[Event]:
        """Nobody speaks any more."""
        events = self._end(Why.TIMEOUT)
        self._count()
        return events

    def _hold(self, now_ms: float, paused_ms: float) -> None:
        if paused_ms > now_ms:
            self._paused_ms, self._closes_ms = paused_ms, paused_ms + self._flush_ms
        else:
            self._paused_ms, self._closes_ms = NEVER, now_ms + self._settings.final_hold_ms

    def _hear(self, chunk: bytes, now_ms: float) -> list[Event]:
        if self._is_over(now_ms):
            self._clear()
        self._in_turn = True
        if self._spoilt_ms is not None:
            return []
        events: list[Event] = []
        try:
            self._take(self._framing.bare(chunk), events)
        except Refused as error:
            self._begin(events)
            self._clear()
            self._spoken, self._spoilt_ms = True, now_ms
            events.append(Spoilt(error.code, str(error)))
        self._count()
        return events

    def _is_over(self, now_ms: float) -> bool:
        """Of one that is spoilt the rest is dropped, but not for longer than one may last."""
        since_ms = self._spoilt_ms
        return since_ms is not None and now_ms - since_ms >= self._settings.stream_duration_ms

    def _take(self, sound: bytes, events: list[Event]) -> None:
        room = self._memory.may_grow if self._spoken else self._memory.may_begin
        if sound and not room(len(sound)):
            if self._sound:  # what was accepted is not lost, nor its turn without an end
                events.append(self._cut(Why.TIMEOUT))
                self._turn += 1
            raise NoRoom("Too much is being said at once: this is not heard.")
        sound, self._loose = self._loose + sound, b""
        while sound:
            self._begin(events)
            left_ms = self._settings.stream_duration_ms - self._ms
            left_bytes = self._settings.stream_length_bytes - len(self._sound)
            fit = self._framing.fit(sound, left_ms, left_bytes)
            self._keep(sound[: fit.size], fit.ms)
            sound = sound[fit.size :]
            if fit.full is None or not sound:
                break  # full is not over: with no more sound, this is how its turn ends
            if not self._sound:
                raise Damaged(f"A piece of more than {left_bytes} bytes can't be cut.")
            events.append(self._cut(fit.full))
        self._loose = sound

    def _begin(self, events: list[Event]) -> None:
        if not self._spoken:
            self._spoken = True
            events.append(Begun())

    def _keep(self, sound: bytes, ms: float) -> None:
        if sound:
            self._sound += sound
            self._ms += ms

    def _cut(self, why: Why) -> Cut:
        cut = Cut(bytes(self._sound), round(self._ms), why, self._turn)
        self._clear()
        return cut

    def _end(self, why: Why) -> list[Event]:
        """The utterance, if there is one, and the turn."""
        events: list[Event] = []
        if self._loose:
            events.append(Spoilt(Damaged.code, "The sound ends in the middle of a packet."))
        elif self._sound:
            events.append(self._cut(why))
        self._clear()
        self._turn += self._in_turn
        self._in_turn, self._closes_ms = False, None
        return events

    def _clear(self) -> None:
        self._sound, self._ms, self._loose = bytearray(), 0.0, b""
        self._spoken, self._spoilt_ms = False, None

    def _count(self) -> None:
        held = len(self._sound) + len(self._loose)
        self._memory.change(self._counted, held)
        self._counted = held
