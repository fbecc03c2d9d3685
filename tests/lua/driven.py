"""The typed calls over one blocking connection, at a time that the test sets.

The scripts are the product's, but for their clock: see :mod:`lua.given_time`. No call suspends, so
none needs an event loop.
"""

import random
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import redis
from redis.exceptions import ResponseError

from lua import loader
from lua.client import Cells, StoreSettings
from lua.composer import Composed, Edit, compose
from lua.errors import ScriptFailed, StoreFull
from lua.given_time import START_MS, at_given_time
from lua.script import Arg, Script, word_of

Reply = TypeVar("Reply")


def finished(call: Coroutine[Any, Any, Reply]) -> Reply:
    """The result of a call that does not suspend."""
    try:
        call.send(None)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    raise AssertionError("the call suspended")


@dataclass(frozen=True)
class Made:
    """A script call as it went to Redis."""

    script: Script
    cell: int
    args: tuple[Arg, ...]


class DrivenCells(Cells):
    """Cells whose clock stands still until the test moves it.

    ``edit`` makes of each Lua file's text what is run. ``calls`` counts the script calls,
    ``last`` is the latest one by a typed function. While it ``loses``, large values don't arrive.
    """

    def __init__(self, settings: StoreSettings, edit: Edit = at_given_time) -> None:
        super().__init__(settings)
        self.blocking = redis.Redis.from_url(settings.url, protocol=2)
        self.now_ms = START_MS
        self.calls = 0
        self.replies: Counter[tuple[str, str]] = Counter()
        """How often each script gave each word."""
        self.loses = False
        self._edit = edit
        self._tokens = random.Random(0)
        self._known: dict[str, Composed] = {}

    def advance(self, ms: int) -> None:
        """Let time pass for the scripts; what Redis itself ends by a TTL stays."""
        self.now_ms += ms

    async def run(self, script: Script, cell: int, *args: Arg) -> Any:
        self.last = Made(script, cell, args)
        return self.repeat(self.last)

    def repeat(self, made: "Made") -> Any:
        """Make a call again with the same arguments, as after a lost reply."""
        reply = made.script.decode(self.evaluate(made.script.name, made.cell, *made.args))
        self.replies[made.script.name, word_of(type(reply))] += 1
        return reply

    def evaluate(self, name: str, cell: int, *args: Arg) -> Any:
        """The bare reply of a script."""
        whole = self._composed_of(name)
        # Microseconds: the scripts draw lots by them.
        arguments = (1, self.prefixes[cell], *args, self.now_ms * 1000 + self.calls % 1000)
        self.calls += 1
        try:
            return self.blocking.execute_command(*self.command(whole), *arguments)
        except redis.exceptions.OutOfMemoryError as error:
            raise StoreFull(str(error)) from error
        except ResponseError as error:
            raise ScriptFailed(f"{name}: {error}") from error

    def command(self, whole: Composed) -> tuple[str, str]:
        """How a script is called: the function that was loaded of it."""
        return "FCALL", whole.name

    def _composed_of(self, name: str) -> Composed:
        if name not in self._known:
            whole = self._known[name] = compose(loader.read(name), self.limits, self._edit)
            self.blocking.function_load(whole.library, replace=True)
        return self._known[name]

    async def put(self, cell: int, value: bytes, *, ttl_ms: int) -> str:
        token = f"{self._tokens.getrandbits(64):016x}"
        if not self.loses:
            self.blocking.set(f"{self.prefixes[cell]}inbox:{token}", value, px=ttl_ms)
        return token

    def wipe(self) -> None:
        """Remove everything under the prefix, as a loss of Redis does."""
        for prefix in self.prefixes:
            keys = self.blocking.keys(f"{prefix}*")
            if keys:
                self.blocking.unlink(*keys)

    def end(self) -> None:
        """Remove everything and disconnect."""
        self.wipe()
        self.blocking.close()
