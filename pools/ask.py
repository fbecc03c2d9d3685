"""What a job asks of nodes, before anybody looks where they are."""

from collections.abc import Collection
from functools import lru_cache

import msgspec

from parley.frames import Pipeline
from pools.modules import dialect_value, values_of, wishes_of
from pools.routes import Route


class Ask(msgspec.Struct, frozen=True):
    """Languages, audio format, the ``has:`` values that its node must offer, and those that it had
    better offer.
    """

    route: Route
    audio_format: str
    has: tuple[str, ...] = ()
    wishes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        route: Route,
        pipeline: Pipeline,
        audio_format: str,
        *,
        by_reference: bool = False,
        features: Collection[str] = (),
        dialect: str | None = None,
    ) -> "Ask":
        """``by_reference``: the sound is not in the job, the node must fetch it."""
        steps = msgspec.structs.astuple(pipeline)
        spoken = dialect_value("" if route.both_ways else route.src, dialect) if dialect else ""
        return _ask(route, steps, audio_format, by_reference, tuple(features), spoken)


@lru_cache(4096)
def _ask(
    route: Route,
    steps: tuple[bool, ...],
    audio_format: str,
    by_reference: bool,
    features: tuple[str, ...],
    dialect: str,
) -> Ask:
    has = values_of(
        Pipeline(*steps),
        route.targets,
        audio_format,
        by_reference=by_reference,
        features=features,
    )
    return Ask(route, audio_format, tuple(has), tuple(wishes_of(features, dialect)))
