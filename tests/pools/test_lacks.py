"""Why no node does what is asked, though some serve the languages, and how many there are."""

from dataclasses import replace
from typing import Any

import pytest

from lua.states import Reason
from parley.codes import ErrorCode
from parley.frames import Pipeline
from pools.ask import Ask
from pools.configuration import Configuration
from pools.lacks import Offers
from pools.routes import Refusal, Route
from pools.snapshot import Snapshot
from tests.pools.test_snapshot import EN_ZH

EVERYBODY = "asr:en semantic:en semantic:zh format:opus format:pcm16"
BOTH = "opus and pcm16, 16 kHz mono, are possible."


def offering(**members: int) -> Offers:
    """``members`` of the pool by what they offer beyond what everybody does."""
    further = {"plain": "", "spoken": "tts:zh", "flac": "format:flac", "far": "audio:ref"}
    return {
        frozenset(f"{EVERYBODY} {further[name]}".split()): count for name, count in members.items()
    }


def refused(offers: Offers, audio_format: str = "opus", **asked: Any) -> Refusal:
    snapshot = Snapshot(1)
    snapshot.learn(0, dict([EN_ZH]), Configuration(), {EN_ZH[0]: offers})
    reference = asked.pop("by_reference", False)
    ask = Ask.of(Route("en", "zh"), Pipeline(**asked), audio_format, by_reference=reference)
    why = snapshot.compile_need(0, ask)
    assert isinstance(why, Refusal)
    return why


SAID: list[tuple[Offers, dict[str, Any], Refusal]] = [
    (
        offering(plain=3),
        {},
        Refusal(
            ErrorCode.NO_CAPABLE_NODE,
            Reason.TTS_LANG_UNSUPPORTED,
            "No node for these languages can speak 'zh'.",
            {"tts_lang_unsupported": 3},
        ),
    ),
    (
        offering(plain=1, spoken=2),
        {"use_tone": True},
        Refusal(
            ErrorCode.NO_CAPABLE_NODE,
            Reason.MODEL_NOT_AVAILABLE,
            "No node for these languages can do the step 'tone'.",
            {"tts_lang_unsupported": 1, "model_not_available": 2},
        ),
    ),
    (
        offering(plain=1, spoken=2),
        {"audio_format": "flac"},
        Refusal(
            ErrorCode.UNSUPPORTED_FEATURE,
            Reason.MODEL_NOT_AVAILABLE,
            f"No node for these languages can take audio of the format 'flac'; {BOTH}",
            {"model_not_available": 3},
        ),
    ),
    (
        offering(spoken=2),
        {"by_reference": True},
        Refusal(
            ErrorCode.UNSUPPORTED_FEATURE,
            Reason.MODEL_NOT_AVAILABLE,
            "No node for these languages can fetch sound in this format by audio_ref: "
            "send the sound itself, in audio.",
            {"model_not_available": 2},
        ),
    ),
    (
        offering(spoken=2, flac=1),
        {"audio_format": "flac"},
        Refusal(
            ErrorCode.UNSUPPORTED_FEATURE,
            Reason.MODEL_NOT_AVAILABLE,
            "No node for these languages can take audio of the format 'flac' and speak 'zh'; "
            f"{BOTH}",
            {"model_not_available": 2, "tts_lang_unsupported": 1},
        ),
    ),
]


@pytest.mark.parametrize(("offers", "asked", "why"), SAID)
def test_what_nobody_does_is_named_and_the_nodes_are_counted(
    offers: Offers, asked: dict[str, Any], why: Refusal
) -> None:
    said = refused(offers, **asked)
    assert said.need is not None
    assert said.need.pools == (EN_ZH[0],)
    assert replace(said, need=None) == why


def test_nodes_are_counted_by_the_language_that_they_lack() -> None:
    snapshot = Snapshot(1)
    offers = {EN_ZH[0]: offering(spoken=4), "own:a": offering(spoken=4)}
    snapshot.learn(0, dict([EN_ZH]), Configuration(), offers)
    why = snapshot.compile_need(0, Ask.of(Route("en", "fr"), Pipeline(), "opus"))
    assert isinstance(why, Refusal)
    assert why.breakdown == {"lang_pair_unsupported": 4}


def test_while_nodes_tell_themselves_again_what_others_offered_counts() -> None:
    snapshot = Snapshot(1)
    ask = Ask.of(Route("en", "zh"), Pipeline(), "opus")
    snapshot.learn(0, dict([EN_ZH]), Configuration(), {EN_ZH[0]: offering(plain=1, spoken=1)})
    snapshot.doubt(0)
    snapshot.learn(0, dict([EN_ZH]), Configuration(), {EN_ZH[0]: offering(plain=1)})
    assert not isinstance(snapshot.compile_need(0, ask), Refusal)
