"""Names of a whole script are known where they are used: Redis says so only when it gets there."""

import re

import pytest

from lua import loader
from lua.composer import compose
from tests.lua import luatext, scopes


@pytest.mark.parametrize("source", luatext.scripts(), ids=lambda source: source.name)
def test_a_script_uses_no_name_out_of_its_scope(source: loader.Source) -> None:
    assert scopes.unknown(compose(source).body) == set()


def test_of_a_job_that_is_loaded_in_part_only_that_part_is_used() -> None:
    """A field that was not loaded would be nil, and equal to nothing."""
    found = 0
    for source in (*luatext.scripts(), *luatext.includes()):
        loads = re.findall(r"(\w+) = load_fields\(\w+, {(.*?)}\)", source.text, re.DOTALL)
        for name, fields in loads:
            found += 1
            used = set(re.findall(rf"\b{name}\.(\w+)", luatext.body(source)))
            known = {"id", "kept", *re.findall(r"\w+", fields)}  # owner_of finds out what is kept
            assert used <= known, source.name
    assert found


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("local function a() return b end local b = 1", {"b"}),
        ("local function a() local b = 1 end return b", {"b"}),
        ("for i, x in ipairs(KEYS) do local y = i end return x, y", {"x", "y"}),
        ("if KEYS then local z = 1 else return z end", {"z"}),
        ("local t = { w = 1 } return t.w, t:w()", set()),
        ("local function a(x, ...) return x end return a(x)", {"x"}),
    ],
)
def test_scopes_are_those_of_lua(text: str, unknown: set[str]) -> None:
    assert scopes.unknown(text) == unknown
