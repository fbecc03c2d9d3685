"""The seam by which tests and simulations hand in the time."""

import pytest
import redis

from lua import loader
from lua.composer import compose
from lua.given_time import START_MS, at_given_time
from tests.lua import luatext


@pytest.mark.parametrize("source", luatext.scripts(), ids=lambda source: source.name)
def test_no_script_asks_for_another_time(source: loader.Source) -> None:
    assert "'TIME'" not in compose(source, edit=at_given_time).body


def test_a_script_acts_at_the_time_it_is_given(redis_url: str, prefix: str) -> None:
    text = compose(loader.read("renew_lease"), edit=at_given_time).text
    with redis.Redis.from_url(redis_url) as client:
        cell = f"{prefix}{{c0}}:"
        client.eval(text, 1, cell, "p1", "mark", START_MS * 1000 + 123)
        lease_ms = client.zscore(f"{cell}timers", "process:p1")
    assert lease_ms == START_MS + 2_000
