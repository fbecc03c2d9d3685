"""What the speaking node needs, and its own part in it: the small repairs between its programs."""

import importlib.util
import shutil

import pytest
from examples import speech_node


async def test_it_says_clearly_what_is_missing(start):
    node = await start("sdk/examples/speech_node.py", PATH="/nowhere")
    status, lines = await node.ended()
    assert status == 2
    told = "apertium (apt), espeak-ng (apt), apertium-eng-spa (apt)."
    assert lines[-1].startswith("This node can't work without ")
    assert lines[-1].endswith(told)


def test_pocketsphinx_is_one_of_the_things_that_can_be_missing(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert speech_node.missing() == [
        "pocketsphinx (pip)",
        "apertium (apt)",
        "espeak-ng (apt)",
        "apertium-eng-spa (apt)",
    ]


@pytest.mark.parametrize(
    ("heard", "text"),
    [
        ("um where is the uh station", "Where is the station?"),
        ("hello how are you", "Hello, how are you?"),
        ("hello", "Hello."),
        ("i think i'm late", "I think I'm late."),
        ("we go", "We go."),
        ("uh", ""),
        ("", ""),
    ],
)
def test_english_gets_its_case_and_punctuation(heard, text):
    assert speech_node.tidy_english(heard) == text


@pytest.mark.parametrize(
    ("translated", "text"),
    [
        ("Dónde es el tren?\n", "¿Dónde es el tren?"),
        ("Hola, cómo eres?", "Hola, ¿cómo eres?"),
        ("Muchas gracias.", "Muchas gracias."),
        ("Sí, vamos.", "Sí, vamos."),
    ],
)
def test_a_spanish_question_is_opened(translated, text):
    assert speech_node.tidy_spanish(translated) == text
