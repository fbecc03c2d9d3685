"""Scripts that keep a log of their commands, and fail at one when told to.

A line ``-- STEP`` in a script marks the start of the writes of one step: all that the step reads
lies before it.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import redis

from lua import loader
from lua.client import StoreSettings
from lua.composer import Composed
from lua.given_time import at_given_time
from tests.lua.driven import DrivenCells

STEP = "STEP"
PRELUDE = """
local LOG, FAIL_AT, COUNT = {}, tonumber(ARGV[#ARGV - 1]), 0
local function step(line) LOG[#LOG + 1] = 'STEP ' .. line end
local function watched(run)
  return function(name, ...)
    COUNT = COUNT + 1
    LOG[#LOG + 1] = name .. ' ' .. tostring((...))
    if COUNT == FAIL_AT then error('told to fail') end
    return run(name, ...)
  end
end
local function watched_script()
"""
EPILOGUE = """
end
local reply = watched_script()
return { reply, LOG }
"""
_MARK = re.compile(r"^( *)-- STEP\n *(.*)$", re.MULTILINE)


def with_log(text: str) -> str:
    """A file's text with its marks and commands written to a log."""
    text = _MARK.sub(lambda mark: f"{mark[1]}step([[{mark[2]}]])\n{mark[2]}", text)
    text = re.sub(r"\bredis\.(p?call)(?=\()", r"watched(redis.\1)", text)
    return at_given_time(text.replace("= redis.call", "= watched(redis.call)"))


def marks() -> set[str]:
    """The line after each mark in all files."""
    files = loader.HERE.glob("**/*.lua")
    return {mark[2] for path in files for mark in _MARK.finditer(path.read_text())}


@dataclass(frozen=True)
class Command:
    """One command of a script, or a mark with the line after it."""

    name: str
    argument: str


class WatchedCells(DrivenCells):
    """``log`` is what the last call did; the ``fail_at``-th command of a call fails, 0: none."""

    def __init__(self, settings: StoreSettings) -> None:
        super().__init__(settings, with_log)
        self.fail_at = 0
        self.log: list[Command] = []

    def evaluate(self, name: str, cell: int, *args: Any) -> Any:
        reply, log = super().evaluate(name, cell, *args, self.fail_at)
        self.log = [Command(*entry.decode().split(" ", 1)) for entry in log]
        return reply

    def command(self, whole: Composed) -> tuple[str, str]:
        """Each call makes the whole script anew, and with it the log."""
        shebang, _, body = whole.text.partition("\n")
        return "EVAL", "\n".join([shebang, PRELUDE, body, EPILOGUE])

    def writes(self, command: Command) -> bool:
        """Whether a command changes anything."""
        return command.name in _writing(self.blocking)


@cache
def _writing(client: redis.Redis) -> frozenset[str]:
    """Commands that the server calls writing."""
    known: dict[str, Any] = client.execute_command("COMMAND")
    return frozenset(name.upper() for name, about in known.items() if "write" in about["flags"])


def unannounced(cells: WatchedCells) -> list[Command]:
    """Writes of the last call that no mark announces, or that come after a later read."""
    found, writing = [], False
    for command in cells.log:
        if command.name == STEP:
            writing = True
        elif not cells.writes(command):
            writing = False
        elif not writing:
            found.append(command)
    return found
