"""Redis makes what stands at the top of an include once: no call may leave there what the next one
finds, but for what follows from a text alone (`remembered`).
"""

import re

import pytest
import redis

from lua import loader
from tests.lua import luatext

_AT_TOP = re.compile(
    r"^local (?!function\b)(?P<names>[\w, ]+?)(?: =(?! remembered\().*)?$", re.MULTILINE
)


def changed(text: str) -> set[str]:
    """Names at the top of a text that are no constants, or are assigned to, whole or in part."""
    found = set()
    for name in (name for match in _AT_TOP.finditer(text) for name in loader.names(match["names"])):
        assigned = (
            rf"^(?!local (?!function)).*\b{name}(?:\[[^]]*\]|\.\w+)* = |\btable\.\w+\({name}\b"
        )
        if not name.isupper() or re.search(assigned, text, re.MULTILINE):
            found.add(name)
    return found


@pytest.mark.parametrize("source", luatext.includes(), ids=lambda source: source.name)
def test_nothing_lasts_from_call_to_call(source: loader.Source) -> None:
    assert changed(luatext.body(source)) == set()


def test_what_is_remembered_stays_right_when_it_has_become_too_much(redis_url: str) -> None:
    check = """
    for round = 1, 2 do
      for i = 1, 2500 do
        local list = words_of('a' .. i .. ' b')
        if #list ~= 2 or list[1] ~= 'a' .. i then return 'round ' .. round .. ' text ' .. i end
      end
    end
    return words_of('a b') == words_of('a b') and 'right' or 'made again'
    """
    with redis.Redis.from_url(redis_url) as client:
        text = luatext.body(loader.read("include/text"))
        assert client.eval(f"{text}\n{check}", 0) == b"right"


@pytest.mark.parametrize(
    "text",
    [
        "local seen = {}",
        "local SEEN\nlocal function f() SEEN = 1 end",
        "local A, SEEN = {}, {}\nlocal function f(id) SEEN[id] = true end",
        "local SEEN = {}\nlocal function f() SEEN.first.name = 1 end",
        "local SEEN = {}\nlocal function f() table.insert(SEEN, 1) end",
    ],
)
def test_what_would_last_is_seen(text: str) -> None:
    assert changed(text) in ({"seen"}, {"SEEN"})
