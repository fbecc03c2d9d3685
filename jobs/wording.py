"""From what an utterance has ended in to the frame that says so; a result is fetched for it."""

import asyncio

import msgspec
import structlog

from jobs.answers import SILENT, Told, is_silent, result
from jobs.failures import Failure
from jobs.ordering import Missing, Release
from jobs.results import Results
from lua.errors import StoreError
from parley.codes import ErrorCode

log = structlog.get_logger(__name__)

AGAIN_S = 0.1


class Found(msgspec.Struct, frozen=True):
    """A result, of ``size`` bytes."""

    job: str
    size: int


Answer = tuple[Told, Found | Failure]


class Wording:
    """Of one session. ``patience_s``: how long a result is asked for that Redis can't give."""

    def __init__(self, results: Results, cell: int, *, session: str, patience_s: float) -> None:
        self._results = results
        self._cell = cell
        self._session = session
        self._patience_s = patience_s
        self._loop = asyncio.get_running_loop()

    def frame_at_once(self, release: Release[Answer], told: Told | None) -> bytes | None:
        """What is told; empty when nothing is, None when a result must be fetched for it.

        ``told``: the utterance, if it was announced and has not ended.
        """
        if release.answer is None:
            assert release.reason is not None
            nobody = Told(self._session, release.index, "", "", "en", 0)
            return (told or nobody).missing(release.reason)
        told, answer = release.answer
        if isinstance(answer, Failure):
            return told.missing(answer.missing, answer)
        # Without any bytes its speech was answered with that of another one.
        body = self._results.at_hand(answer.job) if answer.size else SILENT
        return _word(told, body, late=release.late) if body else None

    async def frame(self, release: Release[Answer], told: Told | None) -> bytes:
        """The same, with a result that must be fetched."""
        frame = self.frame_at_once(release, told)
        if frame is not None:
            return frame
        assert release.answer is not None
        told, found = release.answer
        assert isinstance(found, Found)
        return _word(told, await self._fetch(found), late=release.late)

    async def _fetch(self, found: Found) -> bytes | None:
        """A result that Redis can't give just now is asked for again, but not for ever."""
        until_s = self._loop.time() + self._patience_s
        while True:
            try:
                return await self._results.fetch(self._cell, found.job, size=found.size)
            except StoreError as error:
                if self._loop.time() > until_s:
                    log.warning("a result is given up", job=found.job, why=str(error))
                    return None
            await asyncio.sleep(AGAIN_S)


def _word(told: Told, body: bytes | None, *, late: bool) -> bytes:
    if body and not is_silent(body):
        return result(told, body, late=late)
    if late:
        return b""
    if body:
        return told.missing(Missing.SILENCE)
    return told.missing(Missing.JOB_FAILED, Failure(ErrorCode.STATE_LOST))


def size_of(release: Release[Answer]) -> int:
    """Bytes that are to be fetched for it."""
    found = release.answer[1] if release.answer else None
    return found.size if isinstance(found, Found) else 0
