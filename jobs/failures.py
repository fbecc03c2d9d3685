"""Why an utterance has no result, wherever that was decided."""

from dataclasses import dataclass, replace

import msgspec

from jobs.ordering import Missing
from jobs.speech import Speech
from lua.mailbox import Outcome
from lua.scripts import Conflict, Refused
from lua.states import JobState, Reason
from lua.views import JobView
from parley.codes import ErrorCode
from pools.routes import Refusal

_breakdown = msgspec.json.Decoder(dict[str, int]).decode


@dataclass(frozen=True)
class Failure:
    """``message`` empty: the advice for the code says enough. ``by_node``: the node itself
    reported it. ``reason``: what selection found, such as ``capacity_exceeded``; ``breakdown``
    counts the nodes looked at by it. ``retry_after_ms``: when it is worth while to ask again, 0:
    not known. ``field``: the part of the client's frame that is wrong, and what was ``expected``
    there.
    """

    code: str
    message: str = ""
    reason: str = ""
    breakdown: dict[str, int] | None = None
    retry_after_ms: int = 0
    by_node: bool = False
    field: str = ""
    expected: str = ""

    @property
    def counts(self) -> str:
        """``breakdown`` as JSON; empty without one."""
        return msgspec.json.encode(self.breakdown).decode() if self.breakdown else ""

    @property
    def is_silence(self) -> bool:
        """The node never answered: it heard nothing."""
        return self.code == ErrorCode.NO_RESULT

    @property
    def is_shown(self) -> bool:
        """Whether an ``error`` frame tells of it, whatever the session accepts."""
        return self.by_node or bool(self.field)

    @property
    def missing(self) -> Missing:
        """How ``missing_result`` calls it."""
        return Missing.SILENCE if self.is_silence else Missing.JOB_FAILED


def failure_of(refusal: Refusal | Refused | Conflict, *, speech: Speech, pin: str = "") -> Failure:
    """Why the speech was not placed. ``pin``: the only node that it may go to."""
    match refusal:
        case Refusal():
            message = _of_one(pin, refusal, speech) if pin else ""
            message = message or refusal.message + _not_unwrapped(refusal, speech)
            return Failure(refusal.code, message, refusal.reason, refusal.breakdown or None)
        case Refused():
            return Failure(
                refusal.code,
                _of_one(pin, refusal, speech) if pin else "",
                refusal.reason,
                breakdown=refusal.breakdown,
                retry_after_ms=refusal.retry_ms,
            )
        case Conflict():
            message = "This request id was used with other contents."
            return Failure(ErrorCode.INVALID_MESSAGE, message)


def _of_one(pin: str, refused: Refused | Refusal, speech: Speech) -> str:
    """What the node of a paired session can't do, where that is why."""
    cannot = {
        Reason.ASR_LANG_UNSUPPORTED: f"understand speech in {speech.src!r}",
        Reason.LANG_PAIR_UNSUPPORTED: f"translate from {speech.src!r} to {speech.tgt!r}",
        Reason.TTS_LANG_UNSUPPORTED: f"speak {speech.tgt!r}",
    }
    if refused.code != ErrorCode.NO_CAPABLE_NODE or refused.reason not in cannot:
        return ""
    what = cannot[Reason(refused.reason)]
    return f"This session is paired with the node {pin}, which can't {what}."


def _not_unwrapped(refusal: Refusal, speech: Speech) -> str:
    """Why its WAV was not, where that is why nobody takes it."""
    is_sound = speech.fault and refusal.code == ErrorCode.UNSUPPORTED_FEATURE
    return f" It could not be unwrapped to pcm16: {speech.fault}." if is_sound else ""


def failure_from(outcome: Outcome) -> Failure:
    """Why a job ended FAILED or CANCELLED."""
    if outcome.state == JobState.CANCELLED:
        return Failure(ErrorCode.CANCELLED)
    breakdown = _breakdown(outcome.details) if outcome.details else {}
    return Failure(
        outcome.code or ErrorCode.INTERNAL_ERROR,
        outcome.message,
        reason=max(breakdown, key=breakdown.__getitem__, default=""),
        breakdown=breakdown or None,
        by_node=outcome.by_node,
    )


def failure_in(view: JobView, outcome: Outcome) -> Failure:
    """The same as far as the job's hash knows more than the mailbox's word of it, ``outcome``."""
    failure = failure_from(outcome)
    return replace(
        failure,
        reason=view.reason or failure.reason,
        retry_after_ms=view.retry_ms,
        field=view.field,
        expected=view.expected,
    )
