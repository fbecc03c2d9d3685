"""What a session is told besides outcomes, and why it was refused."""

from __future__ import annotations

import logging
from typing import TypeAlias

from websockets.exceptions import InvalidStatus

from parley.codes import ErrorCode, advice
from parley.frames import Backpressure, Error, UiEvent
from parley.outcome import SessionError

logger = logging.getLogger("parley.session")

Notice: TypeAlias = Error | Backpressure | UiEvent


def log_notice(notice: Notice) -> None:
    """What happens to a notice that nobody asked for."""
    match notice:
        case Error():
            logger.warning("%s: %s %s", notice.code, notice.message, advice(notice.code))
        case Backpressure():
            logger.info("%s for %s ms", notice.action, notice.resume_after_ms)
        case UiEvent():
            logger.debug("utterance %s: %s", notice.utterance_index, notice.event)


def refusal(error: Exception, told: Error | None) -> SessionError:
    """Why a session can't be opened: by what ended the connection, and what was told before."""
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        code = ErrorCode.UNAUTHORIZED if status in (401, 403) else ErrorCode.INVALID_SESSION
        return SessionError(code, f"the server refused the connection with HTTP {status}")
    if told is not None:
        return SessionError(told.code, told.message)
    return SessionError(ErrorCode.INVALID_SESSION, str(error))
