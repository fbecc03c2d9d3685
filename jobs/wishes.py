"""The steps and features that a client asks for, by name: known ones, each true or false."""

from collections.abc import Iterator, Mapping

from parley.codes import ErrorCode
from parley.frames import FrameError, Pipeline, Switches
from pools.modules import FEATURES, STEPS


class Unsupported(Exception):
    """What no node can be asked; the text says what is possible."""

    code = ErrorCode.UNSUPPORTED_FEATURE


def pipeline_of(wish: Switches | None) -> Pipeline:
    """The defaults, key by key, but for what the client asks for or forbids. Raises FrameError and
    Unsupported.
    """
    pipeline = Pipeline()
    for name, wanted in _read("pipeline", wish, STEPS):
        setattr(pipeline, name, wanted)
    return pipeline


def features_of(wish: Switches | None) -> tuple[str, ...]:
    """The features that are asked for, in alphabetical order. Raises FrameError and Unsupported."""
    if not wish:
        return ()
    return tuple(sorted(name for name, wanted in _read("features", wish, FEATURES) if wanted))


def _read(
    field: str, wish: Switches | None, known: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[str, bool]]:
    for name, wanted in (wish or {}).items():
        if name not in known:
            raise Unsupported(
                f"{field}: {name[:64]!r} is not known here; known are {', '.join(known)}."
            )
        if wanted is None:
            continue
        if not isinstance(wanted, bool):
            raise FrameError(
                f"utterance: expected bool at {field}.{name}.",
                field=f"{field}.{name}",
                expected="bool",
                type="utterance",
            )
        yield name, wanted
