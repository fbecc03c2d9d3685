"""The rules by which a stream is cut, told when what comes."""

import tracemalloc
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.settings import StreamSettings
from jobs.streams.cutter import NEVER, Begun, Cut, Cutter, Event, Spoilt
from jobs.streams.endings import Why
from jobs.streams.framing import Framing, framing_of
from jobs.streams.memory import Memory
from parley.audio import tone, wav_from_pcm16
from parley.codes import ErrorCode
from tests.harness.frames import opus

USUAL = StreamSettings()
FLUSH_MS = 2_000
SECOND = 50  # packets


@dataclass
class Speaker:
    """Says things at times, and remembers what became of them, and when."""

    framing: Framing = field(default_factory=lambda: framing_of(None, None))
    settings: StreamSettings = USUAL
    memory: Memory = field(default_factory=lambda: Memory(2**26))
    now_ms: float = 1_000.0

    def __post_init__(self) -> None:
        self.cutter = Cutter(self.framing, self.settings, self.memory, flush_ms=FLUSH_MS)
        self.events: list[tuple[float, Event]] = []

    def until(self, now_ms: float) -> None:
        """Time passes, and the timer fires when it is due."""
        while (due_ms := self.cutter.due_ms()) is not None and due_ms <= now_ms:
            self.now_ms = due_ms
            self._note(self.cutter.expire(due_ms))
        self.now_ms = now_ms

    def says(
        self, sound: bytes = b"", *, final: bool = False, paused_ms: float = NEVER
    ) -> list[Event]:
        events = self.cutter.chunk(sound, final=final, now_ms=self.now_ms, paused_ms=paused_ms)
        return self._note(events)

    def ends(self) -> None:
        """A minute and more goes by."""
        self.until(self.now_ms + 100_000)
        assert self.cutter.due_ms() is None

    def _note(self, events: list[Event]) -> list[Event]:
        self.events += [(self.now_ms, event) for event in events]
        return events

    @property
    def cuts(self) -> list[Cut]:
        return [event for _, event in self.events if isinstance(event, Cut)]

    @property
    def spoilt(self) -> list[Spoilt]:
        return [event for _, event in self.events if isinstance(event, Spoilt)]

    def told(self) -> list[Any]:
        """When, why and how long each cut; when and by which code each refusal."""
        told: list[Any] = []
        for at_ms, event in self.events:
            if isinstance(event, Cut):
                told.append((round(at_ms) - 1_000, event.why.value, event.ms))
            elif isinstance(event, Spoilt):
                told.append((round(at_ms) - 1_000, event.code.value))
        return told


FINAL = {"final": True}
PLAYS, PLAYED, NOISE = "plays", "played", b"\xff\xff not Opus"

# What is said at which ms, and which cuts come of it: at which ms, why, how many ms long.
STORIES: dict[str, tuple[list[Any], list[Any]]] = {
    "a final is held for a moment": (
        [(0, opus(5)), (100, opus(5), FINAL)],
        [(300, "manual", 200)],
    ),
    "sound after a final belongs to what it closed": (
        [(0, opus(5)), (10, b"", FINAL), (150, opus(5)), (209, opus(1))],
        [(210, "manual", 220)],
    ),
    "a final may come before all the sound": (
        [(0, b"", FINAL), (100, opus(4))],
        [(200, "manual", 80)],
    ),
    "a final for nothing makes nothing": ([(0, b"", FINAL), (500, b"", FINAL)], []),
    "a final does not wait longer for another one": (
        [(0, opus(1), FINAL), (150, opus(1), FINAL)],
        [(200, "manual", 40)],
    ),
    "what comes later is the next utterance": (
        [(0, opus(1), FINAL), (201, opus(2), FINAL)],
        [(200, "manual", 20), (401, "manual", 40)],
    ),
    "silence ends an utterance": (
        [(0, opus(1)), (2_900, opus(1)), (5_899, opus(1)), (9_000, opus(1))],
        [(8_899, "timeout", 60), (12_000, "timeout", 20)],
    ),
    "a chunk without sound is a sign of life": (
        [(0, opus(1)), (2_000, b"")],
        [(5_000, "timeout", 20)],
    ),
    "a long utterance is cut": (
        [(0, opus(500)), (1, opus(15)), (2, b"", FINAL)],
        [(1, "duration", 10_200), (202, "manual", 100)],
    ),
    "one that is as long as it may be ends its turn, where that is all": (
        [(0, opus(510)), (400, b"", FINAL), (1_000, opus(1_020))],
        [(600, "manual", 10_200), (1_000, "duration", 10_200), (4_000, "timeout", 10_200)],
    ),
    "and is cut by the sound that follows": (
        [(0, opus(510)), (100, opus(1)), (200, b"", FINAL)],
        [(100, "duration", 10_200), (400, "manual", 20)],
    ),
    "a chunk may be longer than several": (
        [(0, opus(1_100), FINAL)],
        [(0, "duration", 10_200), (0, "duration", 10_200), (200, "manual", 1_600)],
    ),
    "one of many bytes is cut": (
        [(0, opus(450, size=1_200)), (1, b"", FINAL)],
        [(0, "length", 8_500), (201, "manual", 500)],
    ),
    "while a result is played nobody is silent": (
        [(0, opus(1)), (100, PLAYS), (20_000, PLAYED)],
        [(23_000, "timeout", 20)],
    ),
    "who speaks does not listen": (
        [(0, opus(1)), (100, PLAYS), (5_000, opus(1))],
        [(8_000, "timeout", 40)],
    ),
    "no result is played for ever": (
        [(0, opus(1)), (100, PLAYS)],
        [(63_100, "timeout", 20)],
    ),
    "what is played after its end was not waited for": (
        [(0, opus(1)), (100, PLAYED)],
        [(3_000, "timeout", 20)],
    ),
    "a final counts while a result is played": (
        [(0, opus(1)), (100, PLAYS), (200, b"", FINAL)],
        [(400, "manual", 20)],
    ),
    "what was held back in a pause belongs to the final sent in it": (
        [(0, opus(1)), (100, b"", {**FINAL, "pause": 5_100}), (5_150, opus(9)), (5_160, opus(1))],
        [(5_350, "manual", 220)],
    ),
    "who had held nothing back is not waited for longer": (
        [(0, opus(1)), (100, b"", {**FINAL, "pause": 5_100})],
        [(7_100, "manual", 20)],
    ),
    "nor who says so himself after the pause": (
        [(0, opus(1)), (100, b"", {**FINAL, "pause": 5_100}), (5_200, b"", FINAL)],
        [(5_400, "manual", 20)],
    ),
    "sound that was on its way as the pause began does not end it": (
        [
            (0, opus(1)),
            (100, b"", {**FINAL, "pause": 5_100}),
            (200, opus(1)),
            (5_300, opus(1)),
        ],
        [(5_500, "manual", 60)],
    ),
    "what was held back may be long": (
        [(0, opus(1), {**FINAL, "pause": 4_000}), (4_100, opus(512))],
        [(4_100, "duration", 10_200), (4_300, "manual", 60)],
    ),
    "a packet may come in two chunks": (
        [(0, opus(2)[:50]), (100, opus(2)[50:], FINAL)],
        [(300, "manual", 40)],
    ),
    "a packet that never comes whole spoils its utterance": (
        [(0, opus(2)[:50], FINAL), (300, opus(1), FINAL)],
        [(200, "INVALID_MESSAGE"), (500, "manual", 20)],
    ),
    "damage spoils the utterance and nothing else": (
        [
            (0, opus(1), FINAL),
            (300, opus(5)),
            (400, NOISE),
            (500, opus(5), FINAL),
            (800, opus(3), FINAL),
        ],
        [(200, "manual", 20), (400, "INVALID_MESSAGE"), (1_000, "manual", 60)],
    ),
    "a packet of nothing is damage": (
        [(0, b"\0\0" * 9, FINAL)],
        [(0, "INVALID_MESSAGE")],
    ),
    "after damage silence begins anew as well": (
        [(0, NOISE), (1_000, opus(1)), (4_001, opus(1))],
        [(0, "INVALID_MESSAGE"), (7_001, "timeout", 20)],
    ),
    "whoever goes on after damage is heard again, without a pause": (
        [(0, NOISE), *((1_000 * n, opus(SECOND)) for n in range(1, 12))],
        [(0, "INVALID_MESSAGE"), (14_000, "timeout", 1_000)],
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_how_a_stream_is_cut(name: str) -> None:
    said, expected = STORIES[name]
    ben = Speaker()
    for at_ms, what, *more in said:
        ben.until(1_000 + at_ms)
        if isinstance(what, str):
            getattr(ben.cutter, what)(ben.now_ms)
            continue
        told = {**more[0]} if more else {}
        if pause := told.pop("pause", None):
            told["paused_ms"] = 1_000 + pause
        ben.says(what, **told)
    ben.ends()
    assert ben.told() == expected
    assert ben.memory.used == 0


def test_a_turn_goes_on_until_somebody_pauses():
    ben = Speaker()
    for sound in (opus(510), opus(510), opus(1)):
        ben.says(sound)
    ben.ends()
    ben.says(opus(1), final=True)
    ben.ends()
    ben.says(opus(510))
    ben.ends()
    ben.says(opus(1), final=True)
    ben.ends()
    assert [cut.turn for cut in ben.cuts] == [0, 0, 0, 1, 2, 3]


def test_each_utterance_begins_once_and_ends_once():
    ben = Speaker()
    ben.says(opus(515))
    ben.says(opus(5), final=True)
    ben.ends()
    ben.says(NOISE)
    kinds = [type(event) for _, event in ben.events]
    assert kinds == [Begun, Cut, Begun, Cut, Begun, Spoilt]


def test_plain_samples_are_cut_at_the_millisecond():
    ben = Speaker(framing_of("pcm16", 16_000))
    sound = tone(10.5)
    for at in range(0, len(sound), 333):  # half samples, too
        ben.says(sound[at : at + 333])
    ben.says(final=True)
    ben.ends()
    assert [(cut.why, cut.ms) for cut in ben.cuts] == [(Why.DURATION, 10_200), (Why.MANUAL, 300)]
    assert b"".join(cut.sound for cut in ben.cuts) == sound


def test_half_a_sample_at_the_end_is_damage():
    ben = Speaker(framing_of("pcm16", 16_000))
    ben.says(tone(0.1) + b"\0", final=True)
    ben.ends()
    assert [one.code for one in ben.spoilt] == [ErrorCode.INVALID_MESSAGE]


def test_samples_of_another_rate_are_refused():
    ben = Speaker(framing_of("pcm16", 48_000))
    ben.says(tone(0.1), final=True)
    [refusal] = ben.spoilt
    assert refusal.code == ErrorCode.UNSUPPORTED_FEATURE
    assert "16000" in refusal.message


def test_each_wav_of_a_stream_is_unwrapped():
    ben = Speaker(framing_of("WAV", None))
    one, two, three = tone(0.1), tone(0.2), tone(0.3)
    wav = wav_from_pcm16(one)
    ben.says(wav[:44])  # the header of a stream alone
    ben.says(wav_from_pcm16(two))
    ben.says(three, final=True)
    ben.ends()
    [cut] = ben.cuts
    assert (cut.sound, cut.ms) == (two + three, 500)
    assert ben.framing.audio_format == "pcm16"


def test_a_wav_of_another_kind_is_refused():
    ben = Speaker(framing_of("wav", None))
    ben.says(wav_from_pcm16(tone(0.1), sample_rate=48_000))
    [refusal] = ben.spoilt
    assert refusal.code == ErrorCode.UNSUPPORTED_FEATURE
    assert "48000 Hz" in refusal.message


def test_other_formats_are_cut_between_chunks_only():
    ben = Speaker(framing_of("flac", 44_100))
    pieces = [bytes([n]) * 200_000 for n in range(3)]
    for piece in pieces:
        ben.says(piece)
    ben.says(final=True)
    ben.ends()
    assert [(cut.why, cut.sound) for cut in ben.cuts] == [
        (Why.LENGTH, pieces[0] + pieces[1]),
        (Why.MANUAL, pieces[2]),
    ]
    assert (ben.framing.audio_format, ben.framing.sample_rate) == ("flac", 44_100)


def test_a_chunk_that_no_utterance_can_hold_is_refused():
    ben = Speaker(framing_of("flac", None))
    ben.says(bytes(600_000), final=True)
    assert [one.code for one in ben.spoilt] == [ErrorCode.INVALID_MESSAGE]
    assert ben.memory.used == 0


# --- memory ---


def test_sound_in_tiny_pieces_takes_no_more_room_than_is_counted():
    speaker = Speaker(framing_of("pcm16", None))
    tracemalloc.start()
    try:
        for _ in range(20_000):
            speaker.says(b"\1\0")
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert speaker.memory.used == 40_000
    assert taken < 1.5 * speaker.memory.used


def test_when_memory_is_short_those_who_began_come_to_their_end():
    memory = Memory(10_000)
    old, new = Speaker(memory=memory), Speaker(memory=memory)
    old.says(opus(178))  # 7,476 bytes
    new.says(opus(1))
    assert [one.code for one in new.spoilt] == [ErrorCode.NODE_OVERLOADED]
    old.says(opus(50))
    old.says(final=True)
    old.ends()
    assert [cut.ms for cut in old.cuts] == [4_560]
    assert memory.used == 0
    new.says(opus(1))
    new.ends()
    assert new.cuts == []  # still the rest of what was refused
    new.says(opus(1), final=True)
    new.ends()
    assert [cut.ms for cut in new.cuts] == [20]


def test_what_was_accepted_is_not_lost_when_memory_is_short():
    memory = Memory(10_000)
    ben = Speaker(memory=memory)
    ben.says(opus(170))
    ben.says(opus(170))
    ben.says(opus(170))
    ben.says(opus(3), final=True)
    ben.ends()
    assert ben.told() == [(0, "timeout", 3_400), (0, "NODE_OVERLOADED")]
    assert ben.cuts[0].sound == opus(170)


def test_a_turn_that_memory_is_too_short_for_has_an_end_all_the_same():
    """There are nodes that answer its first part only then."""
    ben = Speaker(memory=Memory(30_000))
    ben.says(opus(510))
    ben.says(opus(150))
    ben.says(opus(100))
    ben.says(opus(500))
    ben.says(final=True)
    ben.ends()
    ben.says(opus(1), final=True)
    ben.ends()
    first, last, other = ben.cuts
    assert [first.why, last.why] == [Why.DURATION, Why.TIMEOUT]
    assert first.turn == last.turn < other.turn


def test_a_session_that_vanishes_leaves_nothing():
    ben = Speaker()
    ben.says(opus(7) + opus(1)[:9])
    assert ben.memory.used == len(opus(7)) + 9
    ben.cutter.stop()
    assert ben.memory.used == 0
    assert ben.cutter.due_ms() is None


# --- whatever comes ---

chunks = st.lists(
    st.tuples(
        st.integers(0, 4_000),  # ms later
        st.integers(0, 700),  # packets
        st.booleans() | st.just(False),
        st.sampled_from([NEVER, NEVER, 5_000.0]),
        st.sampled_from(["", "", PLAYS, PLAYED]),
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(said=chunks, split=st.integers(100, 30_000), size=st.sampled_from([1, 40, 41, 1_276]))
def test_no_sound_is_lost_doubled_or_moved(said: Any, split: int, size: int) -> None:
    """However it is divided into chunks."""
    ben, count, sent = Speaker(), 0, b""
    for later_ms, packets, final, pause_ms, playing in said:
        ben.until(ben.now_ms + later_ms)
        if playing:
            getattr(ben.cutter, playing)(ben.now_ms)
        sound = opus(packets, size=size, start=count)
        for at in range(0, len(sound), split):
            ben.says(sound[at : at + split])
        ben.says(final=final, paused_ms=ben.now_ms + pause_ms)
        count, sent = count + packets, sent + sound
    ben.ends()
    assert b"".join(cut.sound for cut in ben.cuts) == sent
    assert ben.spoilt == []
    assert ben.memory.used == 0
    for cut in ben.cuts:
        assert cut.ms == len(cut.sound) // (size + 2) * 20 <= USUAL.stream_duration_ms
        assert len(cut.sound) <= USUAL.stream_length_bytes
        if cut.why is Why.DURATION:
            assert cut.ms >= 10_000
        if cut.why is Why.LENGTH:
            assert len(cut.sound) + size + 2 > USUAL.stream_length_bytes
    turns = [(cut.turn, cut.why in (Why.MANUAL, Why.TIMEOUT)) for cut in ben.cuts]
    assert turns == sorted(turns)  # they follow each other, and the last of each ends it


@settings(max_examples=200, deadline=None)
@given(
    pieces=st.lists(st.tuples(st.binary(max_size=90), st.booleans(), st.integers(0, 4_000))),
    name=st.sampled_from(["opus", "pcm16", "wav", "webm"]),
)
def test_whatever_comes_each_utterance_has_one_end(pieces: Any, name: str) -> None:
    ben = Speaker(framing_of(name, 16_000), memory=Memory(300))
    for sound, final, later_ms in pieces:
        ben.until(ben.now_ms + later_ms)
        ben.says(sound, final=final)
        assert 0 <= ben.memory.used <= 300
    ben.ends()
    kinds = [type(event) is Begun for _, event in ben.events]
    assert kinds == [True, False] * (len(kinds) // 2)
    assert ben.memory.used == 0
