"""What a server says of its commands: how often each ran, and its time with all it calls."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import redis


@dataclass(frozen=True)
class Usage:
    """Calls and microseconds of ``FCALL``, and the calls of all commands together."""

    scripts: int
    script_us: int
    commands: int

    @classmethod
    def of(cls, client: redis.Redis) -> "Usage":
        """As ``INFO commandstats`` has it now."""
        stats: dict[str, Any] = client.info("commandstats")
        script = stats.get("cmdstat_fcall", {"calls": 0, "usec": 0})
        return cls(script["calls"], script["usec"], sum(row["calls"] for row in stats.values()))

    def __sub__(self, earlier: "Usage") -> "Usage":
        return Usage(
            self.scripts - earlier.scripts,
            self.script_us - earlier.script_us,
            self.commands - earlier.commands,
        )

    @property
    def us_a_script(self) -> float:
        """Server time of one script call."""
        return self.script_us / self.scripts


def undisturbed(times: Sequence[float]) -> float:
    """The tenth of some times that was quickest: at its upper end."""
    return sorted(times)[len(times) // 10]


def prefer(client: redis.Redis) -> None:
    """Let other work on this machine disturb the server less, where that is allowed."""
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, client.info("server")["process_id"], -20)
