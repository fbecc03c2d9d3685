"""The frames that tell a session of one utterance."""

import re
import time
from typing import Any

import msgspec

from jobs.failures import Failure
from jobs.network import way_by_clocks_ms, way_there_ms
from jobs.ordering import Missing
from parley.codes import advice
from parley.frames import (
    Error,
    MissingResult,
    NetworkTimings,
    ResultHead,
    UiEvent,
    encode,
)

# What `jobs.outcome` puts behind a result's own fields; not for the client.
_OURS = re.compile(
    rb',"received_at_ms":(\d+)(?:,"node_completed_at_ms":(-?[\d.eE+-]+))?'
    rb'(?:,"acked_in_ms":(\d+))?\}\Z'
)
_OURS_BYTES = 160
SILENT = b'{"text_asr":"","text_translated":"","tts_audio":""'


def now_ms() -> int:
    """Unix ms."""
    return time.time_ns() // 1_000_000


class Told(msgspec.Struct, frozen=True):
    """The utterance of which something is told. ``lang``: in which its speaker is advised.
    ``way_ms``: how long its last frame was on its way, where the client said when it was sent.
    ``src`` and ``tgt``: as its job's, for one that makes none.
    """

    session: str
    index: int
    job: str
    trace: str
    lang: str
    received_ms: int
    way_ms: int | None = None
    src: str = ""
    tgt: str = ""

    def event(self, name: str, hint: str = "") -> bytes:
        """``ui_event``: it came this far."""
        frame = self._event(name, "ok")
        frame.hint = hint or None
        return encode(frame)

    def failed_event(self, failure: Failure) -> bytes:
        """``ui_event`` of an end without a result."""
        frame = self._event("ERROR", "error")
        frame.error_code, frame.hint = failure.code, advice(failure.code, self.lang)
        return encode(frame)

    def error(self, failure: Failure) -> Error:
        """``error``, for sessions that are to see it."""
        details: dict[str, Any] = {"job_id": self.job, "utterance_index": self.index}
        details["reason"] = failure.reason or failure.missing
        details |= _told(failure)
        return Error(failure.code, self._message(failure), details, self.trace)

    def missing(self, reason: Missing, failure: Failure | None = None) -> bytes:
        """``missing_result``, which stands in for the result."""
        frame = MissingResult(self.session, self.index, reason, now_ms(), self.trace or None)
        if failure is not None:
            frame.code, frame.message = failure.code, self._message(failure)
            details = {"reason": failure.reason} if failure.reason else {}
            frame.details = details | _told(failure) or None
        return encode(frame)

    def _event(self, name: str, status: str) -> UiEvent:
        elapsed_ms = max(0, now_ms() - self.received_ms)
        return UiEvent(self.trace, self.session, self.job, self.index, name, status, elapsed_ms)

    def _message(self, failure: Failure) -> str:
        return failure.message or advice(failure.code, self.lang)


def _told(failure: Failure) -> dict[str, Any]:
    names = ("breakdown", "retry_after_ms", "field", "expected")
    told = {name: getattr(failure, name) for name in names}
    return {name: value for name, value in told.items() if value}


def is_silent(body: bytes) -> bool:
    """Whether a stored result has neither text nor sound."""
    return body.startswith(SILENT)


def result(told: Told, body: bytes, *, late: bool = False) -> bytes:
    """``translation_result``: our fields, then the stored ones as they are."""
    ours = _OURS.search(body, max(0, len(body) - _OURS_BYTES))
    timings = _timings(told, *(ours.groups() if ours else (b"0", None, None)))
    head = ResultHead(
        session_id=told.session,
        utterance_index=told.index,
        job_id=told.job,
        scheduler_sent_at_ms=now_ms(),
        network_timings=None if timings == NetworkTimings() else timings,
        late=late or None,
    )
    fields = memoryview(body)[1 : ours.start() if ours else -1]
    return b"".join((memoryview(encode(head))[:-1], b",", fields, b"}"))


def _timings(
    told: Told, received: bytes, completed: bytes | None, acked: bytes | None
) -> NetworkTimings:
    back_ms = way_by_clocks_ms(float(completed), int(received)) if completed else None
    there_ms = way_there_ms(int(acked) if acked else None, back_ms)
    return NetworkTimings(
        web_to_scheduler_ms=told.way_ms,
        scheduler_to_node_ms=there_ms,
        node_to_scheduler_ms=back_ms,
    )
