"""Language tags (BCP-47) as the dispatcher compares them: by primary subtag, in lower case."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import langcodes
from langcodes import language_distance

AUTO = "auto"
LONGEST_TAG = 128  # RFC 5646 knows of none longer than 35
KEPT = 4096
# A different script (zh-Hans for zh-Hant) is the farthest that still counts as the language.
FARTHEST = 60


def primary(tag: str) -> str:
    """``zh-Hans`` → ``zh``, ``EN_us`` → ``en``, ``iw`` → ``he``; empty for what is no tag.

    ``auto`` stays what it is. A well-formed tag of an unknown language is kept.
    """
    return _primary(tag) if len(tag) <= LONGEST_TAG else ""


@lru_cache(KEPT)
def _primary(tag: str) -> str:
    if tag.strip().lower() == AUTO:
        return AUTO
    _forget_old()
    try:
        language = langcodes.Language.get(tag.strip()).language or ""
    except ValueError:
        return ""
    return language if language.isascii() and language.isalpha() else ""


def primaries(tags: Sequence[str]) -> frozenset[str]:
    """The languages of a list, without what is no language."""
    return frozenset(map(primary, tags)) - {"", AUTO, "und"}


@lru_cache(KEPT)
def own_code(tag: str, codes: tuple[str, ...]) -> str:
    """The node's own code for ``tag``: the nearest of the same language, else ``tag`` itself."""
    if tag in codes:
        return tag
    wanted = primary(tag)
    same = [code for code in codes if primary(code) == wanted]
    if not wanted or not same:
        return tag
    nearest, _ = langcodes.closest_match(tag, same, max_distance=FARTHEST)
    return nearest if nearest in same else same[0]


def _forget_old() -> None:
    """langcodes keeps all that it was ever asked, and clients may ask for what they like."""
    kept: tuple[dict[Any, Any], ...] = (
        langcodes.Language._PARSE_CACHE,
        langcodes.Language._INSTANCES,
        language_distance._DISTANCE_CACHE,
    )
    if max(map(len, kept)) > KEPT:
        for cache in kept:
            cache.clear()
