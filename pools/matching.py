"""The rule that puts nodes into pools: one pure function, :func:`match`.

A node serves SRC→TGT only if both are among its semantic languages, SRC is among its ASR languages
(when it reports them) and its ``nmt_pairs`` allow the pair (when it reports them).
"""

import re
from dataclasses import dataclass

from pools.configuration import Configuration, OwnPool
from pools.definition import Capabilities, Definition, definition_of, name_of
from pools.kinds import Kind, Mode, Scope
from pools.modules import AUDIO_REF, BASE_FORMATS, CORE_TYPES, MODELS, OPTIONAL_TYPES

# A node enters and leaves the ready sets of its pools with its jobs, and each of these writes the
# record that names them: they must be few.
LIMIT = "limit"  # why a node is not in a pool that it serves
MOST_POOLS = 16
# A heartbeat asks anew each time; with 500 pools the rule takes a millisecond.
REMEMBERED = 1024
_FORMAT = re.compile(r"[a-z0-9][a-z0-9._+-]{0,31}")
_TURN = {Kind.CUSTOM: 1, Kind.MIXED: 2, Kind.PAIR: 3}


@dataclass(frozen=True)
class Memberships:
    """Where a node belongs: ``pools``, at most 16, the automatic one first, and ``has:`` values.

    ``reasons``: why it is in each of its pools, and why not in the others; under ``auto`` why it
    has no automatic pool. ``definition`` is that of its automatic pool, None without one.
    """

    pools: tuple[str, ...]
    has: tuple[str, ...]
    reasons: dict[str, str]
    definition: Definition | None = None


def match(capabilities: Capabilities, configuration: Configuration) -> Memberships:
    """Pools and ``has:`` values of a node."""
    found: Memberships | None = configuration.matched.get(capabilities)
    if found is None:
        found = _match(capabilities, configuration)
        if len(configuration.matched) >= REMEMBERED:
            configuration.matched.clear()
        configuration.matched[capabilities] = found
    return found


def _match(capabilities: Capabilities, configuration: Configuration) -> Memberships:
    has = tuple(sorted(_offered(capabilities)))
    if not capabilities.semantic:
        return Memberships((), has, {Kind.AUTO: "no semantic languages"})
    pools, reasons, definition = _automatic(capabilities, configuration)
    for pool in sorted(configuration.pools, key=_turn):
        fault = why_not(pool, capabilities)
        if fault:
            reasons[pool.id] = fault
        elif len(pools) == MOST_POOLS:
            reasons[pool.id] = LIMIT
        else:
            reasons[pool.id] = "serves all of it"
            pools.append(pool.id)
    return Memberships(tuple(pools), has, reasons, definition)


def why_not(pool: OwnPool, node: Capabilities) -> str:
    """What keeps a node out of a pool, the first of all; empty: nothing."""
    if not node.semantic.issuperset(pool.languages):
        return f"no semantic repair for {_some(set(pool.languages) - node.semantic)}"
    if pool.mode is Mode.EXACT and (further := node.semantic.difference(pool.languages)):
        return f"has further languages: {_some(further)}"
    if pool.kind is Kind.MIXED:
        return "" if _reaches(pool.languages[0], node) else f"nothing into {pool.languages[0]}"
    if unheard := set(pool.sources) - node.sources:
        return f"does not understand {_some(unheard)}"
    if node.pairs is not None and (missing := set(pool.pairs) - node.pairs):
        return f"does not translate {_some({f'{src} → {tgt}' for src, tgt in missing})}"
    services = frozenset(pool.services)
    if pool.scope is Scope.CORE_ONLY:
        services &= CORE_TYPES
    if unready := services - node.types:
        return f"not ready: {_some(unready)}"
    return ""


def _automatic(
    capabilities: Capabilities, configuration: Configuration
) -> tuple[list[str], dict[str, str], Definition | None]:
    """A node whose pairs are limited keeps its own class: nobody could ask it for them one by one,
    as members of ``other`` are asked for their languages.
    """
    definition, auto = definition_of(capabilities), configuration.auto
    name = name_of(definition)
    if not definition.sources or definition.pairs == []:
        return [], {Kind.AUTO: "serves no pair of its semantic languages"}, None
    if not auto.on:
        return [], {Kind.AUTO: "automatic pools are off"}, None
    if auto.classes is None or name in auto.classes or definition.pairs is not None:
        return [name], {name: "its own class"}, definition
    if auto.catch_all:
        return [Kind.OTHER.value], {Kind.OTHER: f"its class {name} has no pool"}, None
    return [], {Kind.AUTO: f"its class {name} has no pool"}, None


def _turn(pool: OwnPool) -> tuple[int, int, str]:
    return 0 if pool.tenants else _TURN[pool.kind], pool.priority, pool.id


def _reaches(tgt: str, node: Capabilities) -> bool:
    sources = node.sources - {tgt}
    return any(node.pairs is None or (src, tgt) in node.pairs for src in sources)


def _some(names: frozenset[str] | set[str]) -> str:
    """At most three of them."""
    first = ", ".join(sorted(names)[:3])
    return f"{first} and {len(names) - 3} more" if len(names) > 3 else first


def _offered(capabilities: Capabilities) -> set[str]:
    """Optional abilities. A node with speech ready that names no languages speaks all it knows.

    Members of automatic pools need not be asked for languages and usual formats; those of the other
    pools are, and so everybody offers them.
    """
    has = {f"type:{type}" for type in capabilities.types & OPTIONAL_TYPES}
    if "tts" in capabilities.types:
        languages = capabilities.semantic if capabilities.tts is None else capabilities.tts
        has |= {f"tts:{language}" for language in languages}
    has |= {f"semantic:{language}" for language in capabilities.semantic}
    has |= {f"asr:{language}" for language in capabilities.sources}
    has |= {f"model:{kind}" for kind in capabilities.models & MODELS} | capabilities.dialects
    if capabilities.audio_ref:
        has.add(AUDIO_REF)
    formats = capabilities.formats or BASE_FORMATS
    return has | {f"format:{name}" for name in formats if _FORMAT.fullmatch(name)}
