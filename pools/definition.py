"""Classes of nodes: what every member of an automatic pool serves, and how the pool is called."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from hashlib import sha1

import msgspec

from pools.languages import AUTO
from pools.modules import BASE_FORMATS

LANGUAGES_IN_A_NAME = 12


@dataclass(frozen=True)
class Capabilities:
    """What a node reports, languages as primary subtags. None: not reported, so no limit.
    ``dialects`` as ``has:`` values, such as ``dialect:zh-cantonese``.
    """

    types: frozenset[str] = frozenset()
    semantic: frozenset[str] = frozenset()
    asr: frozenset[str] | None = None
    tts: frozenset[str] | None = None
    pairs: frozenset[tuple[str, str]] | None = None
    formats: frozenset[str] | None = None
    audio_ref: bool = False
    models: frozenset[str] = frozenset()
    dialects: frozenset[str] = frozenset()

    @property
    def sources(self) -> frozenset[str]:
        """Languages that may be spoken to it."""
        return self.semantic if self.asr is None else self.asr & self.semantic


def ready_types(
    reported: Iterable[tuple[str, bool]],
    services: Iterable[tuple[str, str, str]],
    *,
    semantic_core: bool,
    out: Collection[str] = (),
) -> frozenset[str]:
    """Types that work, as ``reported``; without those whose every running service is ``out``.

    Of semantic repair the ``semantic_core`` of its languages counts where its type is not said.
    ``services``: id, type and status of each; ``out``: ids.
    """
    ready = {"semantic": semantic_core} | dict(reported)
    types = {type for type, is_ready in ready.items() if is_ready}
    if out:
        known = list(services)
        left = {type for id, type, status in known if status == "running" and id not in out}
        types -= {type for id, type, _ in known if id in out} - left
    return frozenset(types)


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


def definition_of(capabilities: Capabilities) -> Definition:
    """The class of a node: what it reports, reduced to what can decide a pair."""
    semantic = capabilities.semantic
    sources, pairs = capabilities.sources, capabilities.pairs
    if pairs is not None:
        pairs = frozenset(pair for pair in pairs if pair[0] in sources and pair[1] in semantic)
        every = len(sources) * len(semantic)
        pairs = None if len(pairs) == every else pairs
    return Definition(
        asr=None if sources == semantic else sorted(sources),
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
