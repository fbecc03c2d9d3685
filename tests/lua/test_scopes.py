"""Names of a whole script are known where they are used: Redis says so only when it gets there."""

import re

import pytest

from lua import loader
from lua.composer import compose
from tests.lua import luatext, scopes


@pytest.mark.parametrize("source", luatext.scripts(), ids=lambda source: source.name)
def test_a_script_uses_no_name_out_of_its_scope(source: loader.Source) -> None:
    assert scopes.unknown(compose(source).body) == set()


def test_what_is_read_of_a_job_is_in_its_table_or_is_written_to_its_hash() -> None:
    """Any other field would be nil, and equal to nothing."""
    text = luatext.body(*luatext.scripts(), *luatext.includes())
    table = luatext.body(loader.read("include/job"))
    used = set(re.findall(r"\bjob\.(\w+)", text))
    assert used <= {*re.findall(r"(\w+) = ", table), *luatext.strings(text)}


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
