"""What a batch of events means for the rows of the history; nothing here touches SQL or Redis."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import CharField, Model

from jobs.models import Job, JobEvent, NodeEvent, Note, PoolEvent
from jobs.notes import code_of
from lua import events
from lua.states import TERMINAL, JobState

TotalKey = tuple[date, str, str]


@dataclass
class Rows:
    """New rows, changed jobs and what is added to the totals: count and ms by day, state, code."""

    jobs: dict[str, Job]
    events: dict[type[Model], list[Model]] = field(default_factory=lambda: defaultdict(list))
    totals: dict[TotalKey, tuple[int, int]] = field(default_factory=dict)

    def count(self, at: datetime, state: str, code: str = "", ms: int = 0) -> None:
        key = (at.date(), state, code)
        count, sum_ms = self.totals.get(key, (0, 0))
        self.totals[key] = (count + 1, sum_ms + ms)


def rows_of(cell: int, batch: events.Batch, known: dict[str, Job]) -> Rows:
    """Rows for a batch; ``known`` are the jobs of it that SQL has already (they are changed)."""
    rows = Rows(jobs=known)
    for entry in batch.entries:
        place = {"cell": cell, "epoch": batch.epoch, "entry": entry.id, "at": when(entry.at_ms)}
        _ADD[type(entry.event)](rows, entry.event, place)
    return rows


def jobs_in(batch: events.Batch) -> Iterable[str]:
    """Ids of the jobs that a batch moves."""
    return {entry.event.job for entry in batch.entries if isinstance(entry.event, events.JobMoved)}


def when(ms: int) -> datetime:
    """Milliseconds since 1970 as an aware time."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def fitted(model: type[Model], **values: Any) -> dict[str, Any]:
    """The values, texts cut to their columns; PostgreSQL takes neither longer ones nor NUL."""
    lengths = _lengths(model)
    return {
        name: value.replace("\0", "")[: lengths[name]] if name in lengths else value
        for name, value in values.items()
    }


_known_lengths: dict[type[Model], dict[str, int]] = {}


def _lengths(model: type[Model]) -> dict[str, int]:
    if model not in _known_lengths:
        _known_lengths[model] = {
            column.name: column.max_length
            for column in model._meta.get_fields()
            if isinstance(column, CharField) and column.max_length
        }
    return _known_lengths[model]


def _add_job(rows: Rows, event: events.JobMoved, place: dict[str, Any]) -> None:
    if event.code:
        event = replace(event, code=code_of(event.code))  # a node may have put anything there
    row = fitted(
        JobEvent,
        job_id=event.job,
        moves=" ".join(event.moves),
        attempt=event.attempt or 0,
        node=event.node,
        left=event.left,
        code=event.code,
        pool=event.pool,
        reason=event.reason,
        ms=event.ms,
        receipt=event.receipt,
    )
    rows.events[JobEvent].append(JobEvent(**place, **row))
    at = place["at"]
    job = rows.jobs.get(event.job)
    if job is not None and job.state in TERMINAL:
        return  # an older copy of Redis lives through its end once more: the first one stands
    if job is None:
        job = Job(job_id=event.job[:64], created_at=at, cell=place["cell"], state="")
        rows.jobs[event.job] = job
        rows.count(at, JobState.NEW)
    if JobState.RETRYING in event.moves:
        rows.count(at, JobState.RETRYING, row["code"])
    fold(job, event, at)
    if job.state in TERMINAL:
        rows.count(at, job.state, job.code, job.duration_ms or 0)


_LATEST = ("attempt", "node", "code", "pool", "reason", "breakdown", "tries")


def fold(job: Job, event: events.JobMoved, at: datetime) -> None:
    """Bring a job up to an event. What the event has no word on stays as it was."""
    given = {
        name: value
        for name in (*events.ORIGIN, *_LATEST)
        if (value := getattr(event, name)) not in ("", None)
    }
    for name, value in fitted(Job, **given).items():
        setattr(job, name, value)
    if event.brief:
        job.timings = event.brief
    if event.moves:
        job.state = event.moves[-1][:12]
    job.updated_at = at
    job.finished_at = at if job.state in TERMINAL else None
    if job.state in TERMINAL:
        job.duration_ms = event.ms if event.ms is not None else _ms(at, job.created_at)
    if job.state == JobState.DONE:
        job.code = fitted(Job, code=event.code)["code"]


def _ms(end: datetime, start: datetime) -> int:
    return max(0, round((end - start).total_seconds() * 1000))


def _add_node(rows: Rows, event: events.NodeMoved, place: dict[str, Any]) -> None:
    values = {"node": event.node, "moves": " ".join(event.moves), "why": event.why}
    more = {"process": event.process, "address": event.address, "text": event.text}
    rows.events[NodeEvent].append(NodeEvent(**place, **fitted(NodeEvent, **values, **more)))


def _add_pools(rows: Rows, event: events.PoolsChanged, place: dict[str, Any]) -> None:
    values = {"joined": " ".join(event.joined), "left": " ".join(event.left), "why": event.why}
    row = fitted(PoolEvent, node=event.node, reasons=event.reasons, **values)
    rows.events[PoolEvent].append(PoolEvent(**place, **row))


def _add_note(rows: Rows, event: events.Noted, place: dict[str, Any]) -> None:
    values = {"what": event.what, "job": event.job, "node": event.node, "text": event.text}
    rows.events[Note].append(Note(**place, alert=event.alert, **fitted(Note, **values)))


_ADD: dict[type, Any] = {
    events.JobMoved: _add_job,
    events.NodeMoved: _add_node,
    events.PoolsChanged: _add_pools,
    events.Noted: _add_note,
}
