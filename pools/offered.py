"""What a speaker can choose: the languages that pools serve, for a page where people talk.

By the same rule that places jobs, so that what is offered is what works.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from parley.frames import Pipeline
from pools.ask import Ask
from pools.kinds import Kind
from pools.languages import AUTO
from pools.modules import TEXT
from pools.order import ANYBODY, Chooser
from pools.routes import Route
from pools.serving import CellPools

SPEECH = "pcm16"
_WRITTEN = Pipeline(use_tts=False)


@dataclass(frozen=True)
class Way:
    """Pools, by name, with a member that translates into one language: ``written``, those that
    also speak it, and those that take what is typed.
    """

    written: frozenset[str] = frozenset()
    spoken: frozenset[str] = frozenset()
    typed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Offered:
    """``sources``: language → pools that understand it. ``ways``: out of one language into each."""

    sources: dict[str, frozenset[str]]
    ways: dict[str, Way]

    @property
    def pools(self) -> frozenset[str]:
        """All that are named."""
        ways = (way.written for way in self.ways.values())
        return frozenset[str]().union(*self.sources.values(), *ways)


def offered(known: CellPools, chooser: Chooser, src: str) -> Offered:
    """To callers without a tenant; ``src`` is a primary subtag, or ``auto``."""

    def willing(tgt: str, pipeline: Pipeline, audio_format: str) -> frozenset[str]:
        ask = Ask.of(Route(src, tgt), pipeline, audio_format)
        served = known.serving(ask)
        ranking = chooser.rank(served.pools, served.lacking, ANYBODY)
        return frozenset(ranking.pools) - served.lacking

    sources = _sources(known)
    targets = set(_targets(known)) - {src}
    ways = {
        tgt: Way(
            willing(tgt, _WRITTEN, SPEECH),
            willing(tgt, Pipeline(), SPEECH),
            willing(tgt, _WRITTEN, TEXT),
        )
        for tgt in sorted(targets)
    }
    return Offered(sources, {tgt: way for tgt, way in ways.items() if way.written})


def _sources(known: CellPools) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for pool, languages in _understood(known):
        for language in languages:
            found.setdefault(language, set()).add(pool)
    return {language: frozenset(pools) for language, pools in sorted(found.items())}


def _understood(known: CellPools) -> Iterator[tuple[str, Iterable[str]]]:
    """Pools and the languages that may be spoken to some member."""
    for name, pool in known.automatic.items():
        yield name, (*pool.sources, AUTO)
    for own in known.configuration.pools:
        if own.id in known.offers and not own.tenants:
            yield own.id, (*own.sources, AUTO)
    if heard := list(_values(known, "asr:")):
        yield Kind.OTHER.value, (*heard, AUTO)


def _targets(known: CellPools) -> Iterator[str]:
    for pool in known.automatic.values():
        yield from pool.semantic
    for own in known.configuration.pools:
        if own.id in known.offers and not own.tenants:
            yield from own.languages
    yield from _values(known, "semantic:")


def _values(known: CellPools, kind: str) -> Iterator[str]:
    """Of a kind that members of ``other`` offer."""
    for values in known.offers.get(Kind.OTHER, ()):
        yield from (value.removeprefix(kind) for value in values if value.startswith(kind))
