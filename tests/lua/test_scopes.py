"""Names of a whole script are known where they are used: Redis says so only when it gets there."""

import pytest

from lua import loader
from tests.lua import luatext, scopes


@pytest.mark.parametrize("source", luatext.scripts(), ids=lambda source: source.name)
def test_a_script_uses_no_name_out_of_its_scope(source: loader.Source) -> None:
    _, _, text = loader.compose(source).partition("\n")
    assert scopes.unknown(text) == set()


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
