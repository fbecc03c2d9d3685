"""The drain turns the event stream into rows, exactly once."""

import pytest
import redis

from jobs import audit
from jobs.models import AuditCursor, Job, JobEvent, JobTotal, NodeEvent, Note, PoolEvent
from lua import events
from lua.reader import client
from tests.jobs.streams import Stream

pytestmark = pytest.mark.django_db


def drain(stream: Stream) -> int:
    return audit.drain(stream.store, stream.cell)


def test_a_finished_job_becomes_one_row_with_its_timeline(stream: Stream) -> None:
    entries = stream.finished_job("job-1")

    assert drain(stream) == 3

    job = Job.objects.get()
    assert (job.state, job.session, job.index, job.tenant) == ("DONE", "s-1", 4, "acme")
    assert (job.src, job.tgt, job.node, job.pool) == ("en", "zh", "node-1", "auto:en-zh")
    assert (job.attempt, job.tries, job.size, job.duration_ms) == (1, 0, 300, 40)
    assert job.timings == {"asr_ms": 30, "nmt_ms": 5}
    assert [f"{int(job.created_at.timestamp() * 1000)}"] == [entries[0].split("-")[0]]
    assert job.finished_at == job.updated_at
    timeline = JobEvent.objects.values_list("epoch", "entry", "moves", "ms")
    assert list(timeline) == [
        ("first", entries[0], "NEW SELECTING RESERVED", None),
        ("first", entries[1], "RESERVED DISPATCHED", 2),
        ("first", entries[2], "DISPATCHED DONE", 40),
    ]


def test_a_refused_job_keeps_why(stream: Stream) -> None:
    counts = {"capacity_exceeded": 3}
    stream.job(
        "job-1", "NEW SELECTING FAILED", code="NO_AVAILABLE_NODE", reason="capacity_exceeded",
        breakdown=counts, src="en", tgt="zh", size=10, index=0, ms=0,
    )  # fmt: skip

    drain(stream)

    job = Job.objects.get()
    assert (job.state, job.code, job.reason) == (
        "FAILED", "NO_AVAILABLE_NODE", "capacity_exceeded",
    )  # fmt: skip
    assert job.breakdown == counts
    assert job.finished_at is not None


def test_a_job_that_succeeded_elsewhere_keeps_no_code(stream: Stream) -> None:
    stream.job("job-1", "NEW SELECTING RESERVED", attempt=1, node="node-1")
    stream.job("job-1", "DISPATCHED RETRYING RESERVED", attempt=2, node="node-2", tries=1, code="X")
    drain(stream)
    assert Job.objects.get().code == "X"

    stream.job("job-1", "DISPATCHED DONE", attempt=2, node="node-2", tries=1, code="", ms=9)
    drain(stream)

    job = Job.objects.get()
    assert (job.state, job.code, job.node, job.attempt, job.tries) == ("DONE", "", "node-2", 2, 1)


@pytest.mark.parametrize(
    "again",
    [
        ["DISPATCHED CANCELLED"],
        ["DISPATCHED RETRYING FAILED"],
        ["DISPATCHED RETRYING RESERVED", "RESERVED DISPATCHED", "DISPATCHED DONE"],
    ],
)
def test_a_job_that_has_ended_does_not_end_otherwise_when_an_older_copy_of_redis_takes_over(
    stream: Stream, again: list[str]
) -> None:
    stream.finished_job("job-1")
    drain(stream)
    first, counted = Job.objects.values().get(), list(JobTotal.objects.values())

    stream.begin_life("second")
    for moves in again:
        stream.job("job-1", moves, attempt=2, node="node-2", tries=1, code="CANCELLED", ms=90_000)
    drain(stream)

    assert Job.objects.values().get() == first
    assert list(JobTotal.objects.values()) == counted
    assert list(JobEvent.objects.filter(epoch="second").values_list("moves", flat=True)) == again


def test_totals_count_each_end_once(stream: Stream) -> None:
    stream.finished_job("job-1")
    stream.finished_job("job-2")
    stream.job("job-3", "NEW SELECTING FAILED", code="NO_CAPABLE_NODE", ms=1)
    drain(stream)
    stream.finished_job("job-4")
    drain(stream)

    totals = JobTotal.objects.values_list("state", "code", "count", "ms")
    assert set(totals) == {
        ("NEW", "", 4, 0),
        ("DONE", "", 3, 120),
        ("FAILED", "NO_CAPABLE_NODE", 1, 1),
    }


def test_nodes_pools_notes_and_alerts_are_kept(stream: Stream) -> None:
    stream.add(
        e="node", node="node-1", moves="registering ready", why="types ready", process="p1",
        address="10.0.0.1",
    )  # fmt: skip
    stream.add(
        e="pool", node="node-1", joined="auto:en-zh", left="", why="register", reasons='{"a":"b"}'
    )
    stream.add(e="note", what="late_result", job="job-1", node="node-1")
    stream.add(e="alert", what="id_conflict", node="node-1", text="3 replacements")

    assert drain(stream) == 4

    node = NodeEvent.objects.get()
    assert (node.moves, node.why, node.process) == ("registering ready", "types ready", "p1")
    moved = PoolEvent.objects.get()
    assert (moved.joined, moved.reasons) == ("auto:en-zh", '{"a":"b"}')
    assert list(Note.objects.values_list("what", "alert", "text")) == [
        ("late_result", False, ""),
        ("id_conflict", True, "3 replacements"),
    ]


def test_texts_that_an_entry_should_not_have_are_not_kept(stream: Stream) -> None:
    stream.job("job-1", "NEW SELECTING RESERVED", text_asr="my secret", audio="UklGRg==")

    drain(stream)

    kept = str([list(Job.objects.values()), list(JobEvent.objects.values())])
    assert "job-1" in kept
    assert "secret" not in kept
    assert "UklGRg" not in kept


@pytest.mark.parametrize(
    "fields", [{"e": "job"}, {"e": "new"}, {"no": "kind"}, {"e": "job", "job": "1", "ms": "x"}]
)
def test_a_damaged_entry_becomes_an_alert_and_holds_nothing_up(
    stream: Stream, fields: dict[str, str]
) -> None:
    stream.add(**fields)
    stream.finished_job("job-1")

    assert drain(stream) == 4

    assert Note.objects.filter(what="bad_event", alert=True).count() == 1
    assert Job.objects.get().state == "DONE"


def test_texts_are_cut_to_their_columns(stream: Stream) -> None:
    stream.job("job-1", "NEW SELECTING RESERVED", node="n" * 999, pool="a\0b")

    drain(stream)

    assert (len(Job.objects.get().node), Job.objects.get().pool) == (256, "ab")


def test_a_code_that_is_none_is_kept_out_of_the_history(stream: Stream) -> None:
    """Nodes make up codes of their own; one may put what was said there."""
    stream.job("job-1", "DISPATCHED RETRYING RESERVED", code="OUT_OF_CUDA-7")
    stream.job("job-1", "DISPATCHED RETRYING FAILED", code="good morning, Ben")

    drain(stream)

    codes = [event.code for event in JobEvent.objects.order_by("entry")]
    assert (codes, Job.objects.get().code) == (["OUT_OF_CUDA-7", "OTHER"], "OTHER")
    assert set(JobTotal.objects.values_list("code", flat=True)) <= {"", *codes}


def test_what_is_in_sql_leaves_the_stream(stream: Stream) -> None:
    stream.finished_job("job-1")
    drain(stream)
    assert stream.waiting_entries() == 0
    assert drain(stream) == 0
    assert JobEvent.objects.count() == 3


def test_batches_follow_each_other_until_the_stream_is_empty(stream: Stream) -> None:
    for number in range(5):
        stream.finished_job(f"job-{number}")

    assert audit.drain(stream.store, 0, batch=4) == 15
    assert Job.objects.filter(state="DONE").count() == 5


def test_cells_are_drained_apart(stream: Stream) -> None:
    other = Stream(stream.store, stream.client, cell=1)
    stream.client.set(f"{other.prefix}epoch", "first")
    stream.job("job-1", "NEW SELECTING RESERVED", id="5-0")
    other.job("job-2", "NEW SELECTING RESERVED", id="5-0")

    assert (drain(stream), drain(other)) == (1, 1)
    assert JobEvent.objects.count() == 2


def test_nothing_leaves_the_stream_while_sql_fails(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream.finished_job("job-1")

    def fail(*_: object) -> None:
        Note.objects.create(
            cell=0, epoch="first", entry="half", at="2026-01-01T00:00Z", what="half"
        )
        raise RuntimeError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(audit, "write", fail)
        with pytest.raises(RuntimeError):
            drain(stream)
    assert (stream.waiting_entries(), Note.objects.count()) == (3, 0)
    assert audit.cursor_of(0) == audit.Place()

    assert drain(stream) == 3


def test_a_drain_that_died_before_it_trimmed_is_made_good(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream.finished_job("job-1")

    def die(*_: object, **__: object) -> int:
        raise redis.ConnectionError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(events, "trim", die)
        with pytest.raises(redis.ConnectionError):
            drain(stream)
    assert stream.waiting_entries() == 3

    assert drain(stream) == 0
    assert (stream.waiting_entries(), JobEvent.objects.count()) == (0, 3)


def test_the_slower_of_two_drains_changes_nothing(stream: Stream) -> None:
    start = audit.cursor_of(0)
    stream.finished_job("job-1")
    read = events.read(client(stream.store), stream.prefix, epoch="", after="0-0", count=9)
    drain(stream)

    end = audit.Place("first", read.entries[-1].id)
    with pytest.raises(audit.CursorMoved):
        audit.record(0, start, end, read)

    assert (Job.objects.count(), JobEvent.objects.count()) == (1, 3)
    assert JobTotal.objects.get(state="DONE").count == 1


def test_a_new_life_of_redis_is_read_from_its_start(stream: Stream) -> None:
    stream.job("job-1", "NEW SELECTING RESERVED", id="100-0")
    stream.job("job-1", "RESERVED DISPATCHED", id="100-1")
    drain(stream)
    stream.begin_life("second")
    stream.job("job-1", "NEW WAITING", id="100-0")
    stream.job("job-1", "WAITING RESERVED", id="100-1")
    stream.job("job-1", "RESERVED DISPATCHED", id="101-0")

    assert drain(stream) == 3

    assert Job.objects.get().state == "DISPATCHED"
    places = JobEvent.objects.values_list("epoch", "entry")
    assert set(places) == {
        ("first", "100-0"), ("first", "100-1"),
        ("second", "100-0"), ("second", "100-1"), ("second", "101-0"),
    }  # fmt: skip
    assert AuditCursor.objects.get().epoch == "second"


def test_a_life_without_a_mark_waits_for_it(stream: Stream) -> None:
    stream.client.delete(f"{stream.prefix}epoch")
    stream.finished_job("job-1")
    assert (drain(stream), stream.waiting_entries()) == (0, 3)

    stream.client.set(f"{stream.prefix}epoch", "late")
    assert drain(stream) == 3


def test_entries_of_another_life_are_not_trimmed(stream: Stream) -> None:
    stream.begin_life("second")
    stream.job("job-1", "NEW SELECTING RESERVED", id="100-0")

    removed = events.trim(client(stream.store), stream.prefix, epoch="first", upto="200-0")

    assert (removed, stream.waiting_entries()) == (0, 1)
