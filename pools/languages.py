"""Language tags (BCP-47) as the dispatcher compares them: by primary subtag, in lower case."""

from collections.abc import Sequence
from functools import lru_cache

import langcodes

AUTO = "auto"
# A different script (zh-Hans for zh-Hant) is the farthest that still counts as the language.
FARTHEST = 60


@lru_cache(4096)
def primary(tag: str) -> str:
    """``zh-Hans`` → ``zh``, ``EN_us`` → ``en``, ``iw`` → ``he``; empty for what is no tag.

    ``auto`` stays what it is. A well-formed tag of an unknown language is kept.
    """
    if tag.strip().lower() == AUTO:
        return AUTO
    try:
        language = langcodes.Language.get(tag.strip()).language or ""
    except ValueError:
        return ""
    return language if language.isascii() and language.isalpha() else ""


def primaries(tags: Sequence[str]) -> frozenset[str]:
    """The languages of a list, without what is no language."""
    return frozenset(map(primary, tags)) - {"", AUTO, "und"}


@lru_cache(4096)
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
