"""One call of a script, with all that is known of it."""

from dataclasses import dataclass
from typing import Any

from lua import scripts
from lua.limits import Limits
from tests.lua.snapshot import Snapshot

Message = dict[str, str]


@dataclass(frozen=True)
class Step:
    """One call. ``events`` and ``told`` (process, message) are what it added."""

    script: str
    given: dict[str, Any]
    reply: Any
    now_ms: int
    limits: Limits
    before: Snapshot
    after: Snapshot
    events: list[Message]
    told: list[tuple[str, Message]]

    def moved(self, job: str) -> list[list[str]]:
        """What each event of the call says of a job."""
        return [e["moves"].split() for e in self.events if e["e"] == "job" and e["job"] == job]

    def told_by_reply(self, job: str) -> bool:
        """Whether the asking process learns of a job's end by the reply, and not by a message."""
        answered = self.given.get("outcome")
        ended = isinstance(self.reply, scripts.Done | scripts.Failed) and self.reply.session
        return bool(ended) and answered is not None and answered.job == job

    def refused_to(self, process: str, job: str) -> bool:
        """Whether a job was refused to the process that asked: it learns that by the reply."""
        by = "asker" if self.script == "dispatch" else "process"
        asked, asker = self.given.get("job"), self.given.get(by)
        refused = isinstance(self.reply, scripts.Refused | scripts.Recorded)
        return refused and asked is not None and asked.job == job and asker == process

    def messages(self, kind: str, job: str) -> list[Message]:
        """What processes were told of a job."""
        return [m for _, m in self.told if m["kind"] == kind and m.get("job") == job]
