"""From what a session's client says to jobs: utterances that come whole, and those of streams.

An utterance goes on to :mod:`jobs.dispatch`.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from jobs.answers import Told, now_ms
from jobs.dispatch import dispatch, dispatch_in_turn
from jobs.failures import Failure
from jobs.payload import inherit, payload_of, said_by
from jobs.speech import Speech, languages_of, speech_of, spoken
from jobs.streams.endings import WHOLE, Ending
from jobs.unfinished import Work
from jobs.wishes import Unsupported
from lua import ids
from parley.frames import FrameError, SessionInit, Utterance
from pools.routes import Refusal

if TYPE_CHECKING:
    from jobs.session import LiveSession


class Intake:
    """One a session. ``next_index``: of the next utterance of a stream."""

    def __init__(self, session: "LiveSession") -> None:
        self.next_index = 0
        self._session = session
        self._said: dict[str, Any] = {}
        self._languages = "", ""

    def agree(self, init: SessionInit) -> None:
        """What utterances mean that say less."""
        self._said = said_by(init)
        self._languages = languages_of(init)

    def announce(self, told: Told) -> bool:
        """An utterance is there, said here or elsewhere. False when its index was used before."""
        self.next_index = max(self.next_index, told.index + 1)
        return self._session.telling.announce(told)

    def utterance(self, frame: Utterance) -> "asyncio.Task[None] | None":
        """Make a job of it. Later frames are to wait for the task, where there is one.

        One that can't be meant makes none, but has its place among the answers.
        """
        inherit(frame, self._said)
        told = self._told(frame.utterance_index, languages_of(frame), frame.trace_id)
        if not self.announce(told):
            return None  # the same utterance once more: it has its answer, or will have it
        self._session.telling.event((told,), "INPUT_STARTED")  # it comes whole
        self._session.telling.event((told,), "INPUT_ENDED")
        return self._accept(told, frame, partial(speech_of, frame), WHOLE)

    def begin(self) -> Told:
        """An utterance of a stream has begun. It counts once it is over."""
        told = self._told(self.next_index, self._languages)
        self._session.telling.event((told,), "INPUT_STARTED")
        return told

    def spoken(
        self, begun: Told, frame: Utterance, sound: bytes, ending: Ending
    ) -> "asyncio.Task[None] | None":
        """Make a job of an utterance of a stream; ``frame`` is all that is known but its sound."""
        inherit(frame, self._said)
        told = self._end(begun)
        frame.utterance_index = told.index
        return self._accept(told, frame, partial(spoken, frame, sound), ending)

    def unheard(self, begun: Told, failure: Failure) -> None:
        """An utterance of a stream makes no job, but has its place among the answers."""
        self._session.progress.refuse_unheard(self._end(begun), failure)

    def _end(self, begun: Told) -> Told:
        """What was begun counts from now on, after what was sent whole meanwhile."""
        told = replace(begun, index=max(begun.index, self.next_index), received_ms=now_ms())
        self.announce(told)
        self._session.telling.event((replace(begun, index=told.index),), "INPUT_ENDED")
        return told

    def _told(self, index: int, languages: tuple[str, str], trace: str | None = None) -> Told:
        session = self._session
        return Told(
            session=session.id,
            index=index,
            job=ids.new_job(session.cell, session.cells.count),
            trace=trace or ids.new_token(),
            lang=session.lang,
            received_ms=now_ms(),
            src=languages[0],
            tgt=languages[1],
        )

    def _accept(
        self, told: Told, frame: Utterance, read: Callable[[], Speech], ending: Ending
    ) -> "asyncio.Task[None] | None":
        refusal = self._session.full()
        try:
            speech = read()
        except Unsupported as error:
            refusal = Failure(error.code, str(error))
        except FrameError as error:
            refusal = Failure(error.code, error.message, field=error.field, expected=error.expected)
        if refusal is None:
            return self._dispatch(told, frame, speech, ending)
        self._session.progress.refuse_unheard(told, refusal)
        return None

    def _dispatch(
        self, told: Told, frame: Utterance, speech: Speech, ending: Ending
    ) -> "asyncio.Task[None] | None":
        session = self._session
        payload = payload_of(frame, speech, trace=told.trace, ending=ending)
        work = Work(told.job, [told], payload, ending=ending)
        session.unfinished.add(work)
        need = session.process.snapshot.compile_need(
            session.cell, speech.ask, caller=session.caller(speech), pin=session.pin
        )
        if turn := ending.turn:
            task = session.start(
                dispatch_in_turn(session, work, frame, speech, need, after=turn.placing)
            )
            turn.placing = task
        else:
            task = session.start(dispatch(session, work, frame, speech, need))
        is_big = len(work.payload) > session.cells.limits.inline_bytes
        return task if is_big or session.pin or isinstance(need, Refusal) else None
