"""What a frame's field should be, in the words of JSON, for error messages."""

from __future__ import annotations

import re

import msgspec
from msgspec import inspect

_NAMES: dict[type[inspect.Type], str] = {
    inspect.StrType: "string",
    inspect.BoolType: "boolean",
    inspect.FloatType: "number",
    inspect.IntType: "integer",
    inspect.ListType: "array",
    inspect.TupleType: "array",
    inspect.StructType: "object",
    inspect.DictType: "object",
    inspect.RawType: "string",
    inspect.NoneType: "null",
}


def expected_at(cls: type[msgspec.Struct], path: str) -> str:
    """What `cls` declares at a JSON path: `"integer of at least 0"`, `"string or null"`."""
    found: inspect.Type = inspect.type_info(cls)
    for step in re.findall(r"\[\d+\]|[^.\[\]]+", path):
        found = _inside(found, step)
    return _describe(found)


def _inside(found: inspect.Type, step: str) -> inspect.Type:
    for option in _options(found):
        if isinstance(option, inspect.ListType):
            return option.item_type
        if isinstance(option, inspect.TupleType):
            return option.item_types[int(step.strip("[]"))]
        if isinstance(option, inspect.StructType):
            types = (field.type for field in option.fields if field.encode_name == step)
            return next(types, inspect.AnyType())
    return inspect.AnyType()


def _options(found: inspect.Type) -> tuple[inspect.Type, ...]:
    return found.types if isinstance(found, inspect.UnionType) else (found,)


def _describe(found: inspect.Type) -> str:
    names = [_name(option) for option in _options(found)]
    if "number" in names:
        names = [name for name in names if name != "integer"]
    return " or ".join(sorted(names, key=lambda name: name == "null"))


def _name(option: inspect.Type) -> str:
    if isinstance(option, inspect.StrType) and option.max_length is not None:
        return f"string of at most {option.max_length} characters"
    if isinstance(option, inspect.IntType) and option.ge is not None:
        return f"integer from {option.ge} to {option.le}"
    if isinstance(option, inspect.TupleType):
        return f"array of {len(option.item_types)}"
    return _NAMES.get(type(option), "other")
