"""An evening of speech: sessions that speak, each utterance of which must be answered once."""

import asyncio
import base64
from collections.abc import Sequence

from parley.audio import unwrap_wav
from tests.harness.actors import HandSession
from tests.harness.echo_node import digest
from tests.harness.frames import Json, wav
from tests.peers.until import until

SPEECH = {name: wav(name) for name in ("hello", "station", "coffee", "thanks", "ni-hao")}
HEARD = {name: digest(unwrap_wav(base64.b64decode(audio))[0]) for name, audio in SPEECH.items()}
AT_ONCE = 6
ANSWER_S = 30.0


class Evening:
    """``count`` utterances in each session, at most 6 of which wait for their answer."""

    def __init__(self, sessions: Sequence[HandSession], *, count: int) -> None:
        self._sessions = sessions
        self._count = count

    @property
    def answered(self) -> int:
        """In all sessions so far."""
        return sum(len(session.outcomes) for session in self._sessions)

    async def speak(self) -> None:
        """Returns when everything was said and answered."""
        await asyncio.gather(*map(self._speak, self._sessions))

    async def _speak(self, session: HandSession) -> None:
        names = list(SPEECH)
        for index in range(self._count):
            await until(lambda index=index: on_time(session) > index - AT_ONCE, ANSWER_S)  # type: ignore[misc]
            await session.says(SPEECH[names[index % len(names)]])
        await until(lambda: results(session) >= self._count, ANSWER_S)

    def jobs(self) -> dict[str, tuple[str, int]]:
        """Session and index of each job that was answered."""
        return {
            frame["job_id"]: (session.id, frame["utterance_index"])
            for session in self._sessions
            for frame in session.peer.of_type("translation_result")
        }

    def assert_each_was_answered_once_and_in_order(self) -> None:
        """With its own translation. A result that is late may come out of order."""
        for session in self._sessions:
            in_order = [frame for frame in session.outcomes if not frame.get("late")]
            assert [frame["utterance_index"] for frame in in_order] == list(range(self._count))
            answers = session.peer.of_type("translation_result")
            assert sorted(frame["utterance_index"] for frame in answers) == list(range(self._count))
            for frame in answers:
                _assert_is_its_own(session.id, frame)

    def missing(self) -> list[Json]:
        """Words that no answer would come."""
        return [frame for one in self._sessions for frame in one.peer.of_type("missing_result")]


def on_time(session: HandSession) -> int:
    return sum(not frame.get("late") for frame in session.outcomes)


def results(session: HandSession) -> int:
    return len(session.peer.of_type("translation_result"))


def _assert_is_its_own(session: str, frame: Json) -> None:
    index = frame["utterance_index"]
    assert frame["text_translated"] == f"{session} {index}"
    assert frame["text_asr"] == HEARD[list(SPEECH)[index % len(SPEECH)]]
    assert digest(base64.b64decode(frame["tts_audio"])) == frame["text_asr"]
