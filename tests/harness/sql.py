"""The history as a deployment left it in its SQLite file."""

import sqlite3
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from lua.states import JOB_MOVES, JobState


@dataclass(frozen=True)
class History:
    """``done``: session and index of each job that is DONE. ``moves``: of each job, per event."""

    done: dict[str, tuple[str, int]]
    states: dict[str, str]
    moves: dict[str, list[list[JobState]]]

    def assert_every_job_is_told_from_its_beginning_to_its_end(self) -> None:
        """One row a job; its events follow on each other, by allowed moves, from NEW to its end."""
        assert set(self.states) == set(self.moves)
        for job, events in self.moves.items():
            for earlier, later in pairwise(events):
                assert earlier[-1] is later[0], (job, events)
            steps = [step for event in events for step in pairwise(event)]
            assert all(after in JOB_MOVES[before] for before, after in steps), (job, events)
            assert events[0][0] is JobState.NEW, (job, events)
            assert events[-1][-1] == self.states[job], (job, events)


def history_of(database: Path) -> History:
    """What has been written so far."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        jobs = connection.execute('SELECT job_id, session, "index", state FROM jobs_job').fetchall()
        rows = connection.execute("SELECT job_id, moves FROM jobs_jobevent ORDER BY id").fetchall()
    connection.close()
    moves: dict[str, list[list[JobState]]] = defaultdict(list)
    for job, words in rows:
        moves[job].append([JobState(word) for word in words.split()])
    return History(
        done={job: (session, index) for job, session, index, state in jobs if state == "DONE"},
        states={job: state for job, _, _, state in jobs},
        moves=dict(moves),
    )
