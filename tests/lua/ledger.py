"""What the events of a cell say has become of every job, checked move by move."""

from collections.abc import Iterable
from itertools import pairwise

from lua.states import JOB_MOVES, TERMINAL, JobState
from tests.lua.snapshot import Entry, Snapshot


class Ledger:
    """State of each job by its events. Give it each new snapshot of one life of a cell."""

    def __init__(self) -> None:
        self.states: dict[str, JobState] = {}
        self.fresh: list[dict[str, str]] = []
        """Events that the last snapshot brought."""
        self._read = 0

    def read(self, cell: Snapshot) -> list[str]:
        """What is wrong with the events that are new, and between them and the jobs' hashes."""
        events = cell.events()
        self.fresh = [fields for _, fields in events[self._read :]]
        self._read = len(events)
        return [*self._follow(events[-len(self.fresh) or len(events) :]), *self._compare(cell)]

    def _follow(self, events: Iterable[Entry]) -> Iterable[str]:
        for id_, event in events:
            job = event.get("job", "")
            if event["e"] == "note" and event["what"] == "unclaimed":
                self.states.pop(job, None)
            if event["e"] != "job":
                continue
            moves = [JobState(word) for word in event["moves"].split()]
            before = self.states.get(job, JobState.NEW)
            if moves[0] is not before:
                yield f"event {id_}: {job} was {before} and moves {moves}"
            for left, entered in pairwise(moves):
                if entered not in JOB_MOVES[left]:
                    yield f"event {id_}: {job} moves {left} → {entered}"
            self.states[job] = moves[-1]

    def _compare(self, cell: Snapshot) -> Iterable[str]:
        for job, fields in cell.jobs.items():
            if fields["state"] != self.states.get(job):
                yield f"{job} is {fields['state']}, by its events {self.states.get(job)}"
        for job, state in self.states.items():
            if state not in TERMINAL and job not in cell.jobs:
                yield f"{job} is gone while {state}"
