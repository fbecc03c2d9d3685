"""What the steps of a pipeline ask of a node, in one table.

Core types are the same for every job and are asked of every node; the rest a job asks for through
``has:`` sets.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from parley.frames import Pipeline

CORE_TYPES = frozenset({"asr", "nmt", "semantic"})
OPTIONAL_TYPES = frozenset({"tts", "tone"})
# What every agent takes unless it lists its formats: 16 kHz mono.
BASE_FORMATS = frozenset({"opus", "pcm16"})
# Fetches sound that a job only refers to.
AUDIO_REF = "audio:ref"


@dataclass(frozen=True)
class Module:
    """A step of the pipeline: the switch that asks for it, and the ``has:`` value it needs.

    ``{tgt}`` in ``has`` stands for the language to be spoken.
    """

    name: str
    switch: str
    type: str
    has: str = ""


MODULES = (
    Module("asr", "use_asr", "asr"),
    Module("nmt", "use_nmt", "nmt"),
    Module("semantic", "use_semantic", "semantic"),
    Module("tts", "use_tts", "tts", "tts:{tgt}"),
    Module("tone", "use_tone", "tone", "type:tone"),
)
_ASKED = tuple(module for module in MODULES if module.has)


def values_of(
    pipeline: Pipeline, targets: tuple[str, ...], audio_format: str, *, by_reference: bool = False
) -> Iterator[str]:
    """The ``has:`` values that a job needs, those of its sound first."""
    if by_reference:
        yield AUDIO_REF
    if audio_format not in BASE_FORMATS:
        yield f"format:{audio_format}"
    for module in _ASKED:
        if getattr(pipeline, module.switch):
            yield from dict.fromkeys(module.has.format(tgt=target) for target in targets)
