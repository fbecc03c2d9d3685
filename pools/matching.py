"""The rule that puts nodes into pools: one pure function, :func:`match`.

A node serves SRC→TGT only if both are among its semantic languages, SRC is among its ASR languages
(when it reports them) and its ``nmt_pairs`` allow the pair (when it reports them).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha1

import msgspec

from pools.languages import AUTO
from pools.modules import AUDIO_REF, BASE_FORMATS, OPTIONAL_TYPES

LANGUAGES_IN_A_NAME = 12
_FORMAT = re.compile(r"[a-z0-9][a-z0-9._+-]{0,31}")


@dataclass(frozen=True)
class Capabilities:
    """What a node reports, languages as primary subtags. None: not reported, so no limit."""

    types: frozenset[str] = frozenset()
    semantic: frozenset[str] = frozenset()
    asr: frozenset[str] | None = None
    tts: frozenset[str] | None = None
    pairs: frozenset[tuple[str, str]] | None = None
    formats: frozenset[str] | None = None
    audio_ref: bool = False


@dataclass(frozen=True)
class Configuration:
    """What operators decided: nodes that are not used at all, and that take no new jobs."""

    version: int = 0
    disabled: frozenset[str] = frozenset()
    drained: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Memberships:
    """Where a node belongs. ``definition`` is that of its auto pool, None without one.

    ``reasons``: per pool why it is in it, and under ``auto`` why it is in none.
    """

    pools: tuple[str, ...]
    has: tuple[str, ...]
    reasons: dict[str, str]
    definition: "Definition | None" = None


class Definition(msgspec.Struct, frozen=True):
    """What every member of an auto pool serves; kept in Redis while the pool has members.

    ``asr`` None: every semantic language may be spoken; ``pairs`` None: every pair of both;
    ``lacks``: usual audio formats that its members do not take.
    """

    asr: list[str] | None = None
    semantic: list[str] = []
    pairs: list[tuple[str, str]] | None = None
    lacks: list[str] = []

    def serves(self, src: str, tgt: str) -> bool:
        """Whether its members serve the pair; from ``auto``: from any language."""
        if src == AUTO:
            return any(self.serves(source, tgt) for source in self.sources)
        if src not in self.sources or tgt not in self.semantic:
            return False
        return self.pairs is None or (src, tgt) in self.pairs

    @property
    def sources(self) -> list[str]:
        """Languages that may be spoken to its members."""
        return self.semantic if self.asr is None else self.asr

    def encoded(self) -> bytes:
        """As JSON, the same for equal definitions."""
        return msgspec.json.encode(self)


def match(capabilities: Capabilities, configuration: Configuration) -> Memberships:
    """Pools and ``has:`` values of a node."""
    has = tuple(sorted(_offered(capabilities)))
    definition = definition_of(capabilities)
    if not definition.semantic:
        return Memberships((), has, {AUTO: "no semantic languages"})
    if not definition.sources or definition.pairs == []:
        return Memberships((), has, {AUTO: "serves no pair of its semantic languages"})
    name = name_of(definition)
    return Memberships((name,), has, {name: "its own class"}, definition)


def definition_of(capabilities: Capabilities) -> Definition:
    """The class of a node: what it reports, reduced to what can decide a pair."""
    semantic = capabilities.semantic
    asr = None if capabilities.asr is None else capabilities.asr & semantic
    sources = semantic if asr is None else asr
    pairs = capabilities.pairs
    if pairs is not None:
        pairs = frozenset(pair for pair in pairs if pair[0] in sources and pair[1] in semantic)
        every = len(sources) * len(semantic)
        pairs = None if len(pairs) == every else pairs
    return Definition(
        asr=None if asr == semantic else _sorted(asr),
        semantic=sorted(semantic),
        pairs=None if pairs is None else sorted(pairs),
        lacks=sorted(BASE_FORMATS - capabilities.formats) if capabilities.formats else [],
    )


def name_of(definition: Definition) -> str:
    """``auto:en-zh``; ``auto:en-zh:4hex`` when the languages alone do not say what it serves."""
    languages = definition.semantic
    shown = "-".join(languages[:LANGUAGES_IN_A_NAME])
    plain = Definition(semantic=languages)
    if len(languages) > LANGUAGES_IN_A_NAME:
        return f"auto:{shown}+{len(languages) - LANGUAGES_IN_A_NAME}:{_hash(definition, 8)}"
    return f"auto:{shown}" if definition == plain else f"auto:{shown}:{_hash(definition, 4)}"


def _hash(definition: Definition, digits: int) -> str:
    return sha1(definition.encoded(), usedforsecurity=False).hexdigest()[:digits]


def _sorted(languages: Iterable[str] | None) -> list[str] | None:
    return None if languages is None else sorted(languages)


def _offered(capabilities: Capabilities) -> set[str]:
    """Optional abilities. A node with speech ready that names no languages speaks all it knows."""
    has = {f"type:{type}" for type in capabilities.types & OPTIONAL_TYPES}
    if "tts" in capabilities.types:
        languages = capabilities.semantic if capabilities.tts is None else capabilities.tts
        has |= {f"tts:{language}" for language in languages}
    if capabilities.audio_ref:
        has.add(AUDIO_REF)
    formats = (capabilities.formats or frozenset()) - BASE_FORMATS
    return has | {f"format:{name}" for name in formats if _FORMAT.fullmatch(name)}
