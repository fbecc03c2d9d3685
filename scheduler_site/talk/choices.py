"""The languages that somebody can choose, and how it stands with each: over all cells together,
because a session is opened in one that serves its languages.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from jobs.process import Process
from lua import views
from lua.errors import StoreUnavailable
from lua.states import Reason
from pools.languages import AUTO
from pools.offered import Offered
from pools.routes import Route


@dataclass
class _Into:
    """One target: how the pools stand that translate into it, and what some of them also do."""

    reasons: set[Reason] = field(default_factory=set)
    spoken: bool = False
    typed: bool = False


async def choices(process: Process, src: str) -> dict[str, Any]:
    """``sources``: what may be spoken. ``targets``: into what ``src`` is translated, whether that
    is spoken, and whether ``src`` may be typed. Each has a ``state``: ready, busy (it would wait),
    away or none; the last two say their ``reason``. Raises StoreUnavailable.
    """
    sources: dict[str, set[Reason]] = defaultdict(set)
    targets: dict[str, _Into] = defaultdict(_Into)
    for cell in range(process.cells.count):
        if not await process.ready(cell):
            raise StoreUnavailable("the cell does not know this process")
        offered = process.snapshot.offered(cell, src)
        standing = await views.standing(process.cells, cell, offered.pools)
        _add(sources, targets, offered, standing)
    everything = {*sources, *targets, src} - {AUTO}
    return {
        "from": src,
        "sources": [_said(one, sources[one]) for one in (AUTO, *sorted(everything))],
        "targets": [
            {
                **_said(one, targets[one].reasons, _why_not(process, src, one)),
                "spoken": targets[one].spoken,
                "typed": targets[one].typed,
            }
            for one in sorted(everything - {src})
        ],
    }


def _add(
    sources: dict[str, set[Reason]],
    targets: dict[str, _Into],
    offered: Offered,
    standing: dict[str, Reason],
) -> None:
    for language, pools in offered.sources.items():
        sources[language].update(standing[pool] for pool in pools)
    for language, way in offered.ways.items():
        into = targets[language]
        into.reasons.update(standing[pool] for pool in way.written)
        into.spoken |= bool(way.spoken)
        into.typed |= bool(way.typed)


def _said(
    language: str, reasons: Iterable[Reason], why_not: Reason = Reason.ASR_LANG_UNSUPPORTED
) -> dict[str, str]:
    found = sorted({*reasons} - {Reason.NO_NODES})
    if Reason.USABLE in found:
        return {"lang": language, "state": "ready"}
    if Reason.CAPACITY_EXCEEDED in found:
        return {"lang": language, "state": "busy"}
    if found:
        return {"lang": language, "state": "away", "reason": found[0]}
    return {"lang": language, "state": "none", "reason": why_not}


def _why_not(process: Process, src: str, tgt: str) -> Reason:
    return process.snapshot.why_not(0, Route(src, tgt)).reason
