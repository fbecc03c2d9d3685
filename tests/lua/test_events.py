"""What the scripts write to the event stream is what the history reads from it."""

import json
from typing import Any

import pytest

from lua.events import Entry, JobMoved, NodeMoved, Noted, PoolsChanged, decode
from lua.receipts import Receipt


def entry(**fields: Any) -> dict[bytes, bytes]:
    return {name.encode(): str(value).encode() for name, value in fields.items()}


def test_the_first_event_of_a_job_says_where_it_came_from() -> None:
    event = decode(
        entry(
            e="job", job="job-1", moves="NEW SELECTING RESERVED", attempt=1, node="node-1",
            pool="auto:en-zh", session="s-1", index=4, tenant="acme", src="en", tgt="zh",
            request="acme/s-1/r", size=300, trace="t",
        )
    )  # fmt: skip
    assert event == JobMoved(
        "job-1", ("NEW", "SELECTING", "RESERVED"), attempt=1, node="node-1", pool="auto:en-zh",
        session="s-1", index=4, tenant="acme", src="en", tgt="zh", request="acme/s-1/r", size=300,
        trace="t",
    )  # fmt: skip


def test_objects_are_read_and_empty_ones_are_none() -> None:
    counts = {"offline": 2}
    event = decode(entry(e="job", job="j", moves="A B", breakdown=json.dumps(counts), brief=""))
    assert isinstance(event, JobMoved)
    assert (event.breakdown, event.brief, event.ms) == (counts, None, None)


def test_a_receipt_says_in_words_what_there_is_to_say() -> None:
    receipt = Receipt(
        sampled=20, lacking=0, excluded=1, stale=0, busy=3, searched=0, load=1 / 3, next=-1,
        took_s=0.000070, pools="auto:en-zh,pair:en-zh", preferred="",
        passed="no\tsuch node:other_cell",
    )  # fmt: skip
    fields = entry(e="job", job="j", moves="NEW SELECTING RESERVED")
    event = decode(fields | {b"receipt": receipt.packed})
    assert isinstance(event, JobMoved)
    assert event.receipt == {
        "pools": "auto:en-zh,pair:en-zh",
        "sampled": 20,
        "excluded": 1,
        "busy": 3,
        "passed": "no,such,node:other_cell",
        "load": 0.333,
        "us": 70,
    }


@pytest.mark.parametrize("receipt", ["", "pools=auto:en-zh sampled=20 us=70", "x" * 36])
def test_an_event_without_a_choice_or_with_a_damaged_one_has_no_receipt(receipt: str) -> None:
    event = decode(entry(e="job", job="j", moves="NEW SELECTING FAILED", receipt=receipt))
    assert isinstance(event, JobMoved)
    assert event.receipt is None


def test_a_retried_job_names_the_node_it_left() -> None:
    event = decode(entry(e="job", job="j", moves="ACKED RETRYING RESERVED", left="node-1"))
    assert isinstance(event, JobMoved)
    assert event.left == "node-1"


def test_the_other_kinds() -> None:
    node = entry(e="node", node="n", moves="ready draining", why="drain", text="new driver")
    assert decode(node) == NodeMoved("n", ("ready", "draining"), "drain", text="new driver")
    pool = entry(
        e="pool", node="n", joined="auto:en auto:de", left="", why="register", reasons="{}"
    )
    assert decode(pool) == PoolsChanged("n", ("auto:en", "auto:de"), (), "register", "{}")
    assert decode(entry(e="note", what="late_result", job="j")) == Noted("late_result", job="j")
    assert decode(entry(e="alert", what="id_fought_over", node="n")) == Noted(
        "id_fought_over", alert=True, node="n"
    )


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"e": "riddle"},
        {"e": "job", "moves": "A"},
        {"e": "job", "job": "j", "moves": "A", "ms": "soon"},
        {"e": "job", "job": "j", "moves": "A", "brief": "[1]"},
        {"e": "job", "job": "j", "moves": "A", "breakdown": "{"},
    ],
)
def test_a_damaged_entry_becomes_an_alert_without_its_values(fields: dict[str, str]) -> None:
    event = decode(entry(**fields, secret="of theirs"))
    assert isinstance(event, Noted)
    assert (event.what, event.alert) == ("bad_event", True)
    assert "of theirs" not in event.text


def test_an_entry_knows_its_time() -> None:
    assert Entry("1767225600123-7", Noted("x")).at_ms == 1767225600123
