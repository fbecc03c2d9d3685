"""What is there against what should be."""

from collections.abc import Iterator, Mapping


def differ(
    what: str, present: Mapping[str, object], expected: Mapping[str, object]
) -> Iterator[str]:
    """A text for each entry of ``what`` that is missing, too many, or has another value."""
    for name in sorted(present.keys() | expected.keys()):
        if name not in expected:
            yield f"{what}/{name}: is there and should not be"
        elif name not in present:
            yield f"{what}/{name}: is missing"
        elif present[name] != expected[name]:
            yield f"{what}/{name}: is {present[name]} and should be {expected[name]}"
