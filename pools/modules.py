"""What the steps of a pipeline and the features of a session ask of a node, in one table.

A feature or a step asks for modules; a module needs others, a service type, and sometimes ``has:``
values. Core types are the same for every job and are asked of every node; the rest a job asks for
through ``has:`` sets. What nodes say under ``features_supported`` decides nothing: deployed agents
say no to all of them and do them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter

from parley.frames import Pipeline

CORE_TYPES = frozenset({"asr", "nmt", "semantic"})
OPTIONAL_TYPES = frozenset({"tts", "tone"})
# What every agent takes unless it lists its formats: 16 kHz mono.
BASE_FORMATS = frozenset({"opus", "pcm16"})
# A sentence that was typed, in UTF-8, in the place of sound: only for nodes that list this format.
TEXT = "text"
# Fetches sound that a job only refers to.
AUDIO_REF = "audio:ref"
MODELS = frozenset({"emotion"})
_DIALECT = re.compile(r"dialect:[a-z]{2,8}-[a-z0-9][a-z0-9_-]{0,31}")


@dataclass(frozen=True)
class Module:
    """``needs``: other modules. ``type``: the service type it runs on, empty for a model beside
    those. ``has``: the ``has:`` value of a node that offers it, ``{tgt}`` standing for the language
    to be spoken; empty for what every usable node has. ``model``: the kind of model that does it,
    on nodes that report one; the others may have it all the same.
    """

    name: str
    type: str = ""
    needs: tuple[str, ...] = ()
    has: str = ""
    model: str = ""


MODULES = {
    module.name: module
    for module in (
        Module("asr", "asr"),
        Module("nmt", "nmt", needs=("asr",)),
        Module("semantic", "semantic", needs=("asr",)),
        Module("tts", "tts", needs=("nmt",), has="tts:{tgt}"),
        Module("tone", "tone", needs=("tts",), has="type:tone"),
        Module("emotion", needs=("asr",), model="emotion"),
        Module("voice_style", needs=("asr",)),
        Module("speech_rate", needs=("asr",)),
        Module("speaker_id", needs=("asr",)),
        Module("persona", needs=("semantic",)),
    )
}
# The switches of a pipeline, and the features that a session may ask for.
STEPS = {
    "use_asr": ("asr",),
    "use_nmt": ("nmt",),
    "use_tts": ("tts",),
    "use_semantic": ("semantic",),
    "use_tone": ("tone",),
}
FEATURES = {
    "emotion_detection": ("emotion",),
    "voice_style_detection": ("voice_style",),
    "speech_rate_detection": ("speech_rate",),
    "speech_rate_control": ("speech_rate", "tts"),
    "speaker_identification": ("speaker_id",),
    "persona_adaptation": ("persona",),
}


def table_faults(
    modules: Mapping[str, Module], asked: Mapping[str, tuple[str, ...]]
) -> Iterator[str]:
    """What is wrong with a table, a sentence each; nothing when it is whole and has no circle."""
    for module in modules.values():
        for need in module.needs:
            if need not in modules:
                yield f"The module {module.name} needs {need}, which is not declared."
    for switch, names in asked.items():
        for name in names:
            if name not in modules:
                yield f"{switch} asks for the module {name}, which is not declared."
    try:
        TopologicalSorter({name: module.needs for name, module in modules.items()}).prepare()
    except CycleError as error:
        yield f"Modules need each other in a circle: {' → '.join(error.args[1])}."


def closure(names: Iterable[str]) -> list[Module]:
    """The modules and all that they need, what is needed first."""
    found: dict[str, Module] = {}

    def add(name: str) -> None:
        module = MODULES[name]
        for need in module.needs:
            add(need)
        found.setdefault(name, module)

    for name in names:
        add(name)
    return list(found.values())


def values_of(
    pipeline: Pipeline,
    targets: tuple[str, ...],
    audio_format: str,
    *,
    by_reference: bool = False,
    features: Iterable[str] = (),
) -> Iterator[str]:
    """The ``has:`` values that a job needs, those of its sound first."""
    if by_reference:
        yield AUDIO_REF
    if audio_format not in BASE_FORMATS:
        yield f"format:{audio_format}"
    asked = tuple(switch for switch in STEPS if getattr(pipeline, switch))
    for has in _asked((*asked, *features)):
        yield from dict.fromkeys(has.format(tgt=target) for target in targets)


def wishes_of(features: Iterable[str], dialect: str) -> Iterator[str]:
    """The values that its node had better offer, where some node does: models, and the value of the
    ``dialect``, if that is not empty.
    """
    for module in closure(name for feature in features for name in FEATURES[feature]):
        if module.model:
            yield f"model:{module.model}"
    if dialect:
        yield dialect


def dialect_value(language: str, dialect: str) -> str:
    """``dialect:zh-cantonese``; empty for a dialect of no known language, or what is no word."""
    known = language not in ("", "auto", "und")
    value = f"dialect:{language}-{dialect.strip().lower()}"
    return value if known and _DIALECT.fullmatch(value) else ""


@lru_cache(1024)
def _asked(names: tuple[str, ...]) -> tuple[str, ...]:
    wanted = (module for name in names for module in (STEPS.get(name) or FEATURES[name]))
    return tuple(module.has for module in closure(wanted) if module.has)
