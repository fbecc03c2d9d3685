"""Where a job would go: the same as it then does, and nothing changes."""

from typing import Any

import pytest

from lua.receipts import words_of
from lua.scripts import Command, Need
from tests.lua.fleet import POOL
from tests.lua.stage import Stage


def told(reply: Any) -> dict[str, str]:
    return {one.node: one.reason for one in reply.listed}


def test_it_says_what_dispatch_then_does_and_writes_nothing(stage: Stage) -> None:
    stage.node("n1", capacity=4)
    stage.node("n2", capacity=4)
    stage.send("j1")
    busy = stage.field("j1", "node")
    before = stage.cell.comparable()
    reply = stage.simulate()
    assert stage.cell.comparable() == before
    assert (reply.state, reply.pool, reply.ahead) == ("RESERVED", POOL, 0)
    assert reply.node != busy
    assert told(reply) == {"n1": "usable", "n2": "usable"}
    choice = words_of(reply.receipt)
    assert choice is not None
    assert int(choice.pop("us")) >= 0
    assert choice == {"pools": POOL, "sampled": 1, "load": 0}
    assert stage.send("j2").node == reply.node


def test_every_candidate_has_its_reason(stage: Stage) -> None:
    stage.node("full", capacity=0, has=["tts:zh"])
    stage.node("mute")
    stage.node("private", public=False, has=["tts:zh"])
    stage.node("hot", hot=True, has=["tts:zh"])
    stage.node("drained", has=["tts:zh"])
    stage.control("drained", Command.DRAIN)
    stage.node("passed", has=["tts:zh"])
    stage.node("good", has=["tts:zh"])
    reply = stage.simulate(need=Need((POOL,), ("tts:zh",)), avoid=["passed"], preferred="mute")
    assert reply.node == "good"
    assert told(reply) == {
        "good": "usable",
        "full": "capacity_exceeded",
        "mute": "tts_lang_unsupported",
        "private": "not_in_public_pool",
        "hot": "resource_threshold_exceeded",
        "drained": "status_not_ready",
        "passed": "excluded",
    }
    assert reply.listed[0].node == "good"
    choice = words_of(reply.receipt)
    assert choice is not None
    assert choice["preferred"] == "tts_lang_unsupported"


@pytest.mark.parametrize(
    ("deadline_ms", "state", "code"),
    [(-1, "WAITING", ""), (0, "FAILED", "NO_AVAILABLE_NODE")],
)
def test_it_says_whether_a_job_would_wait(
    stage: Stage, deadline_ms: int, state: str, code: str
) -> None:
    stage.node("n1", capacity=1)
    stage.send("j1")
    stage.send("j2")
    reply = stage.simulate(deadline_ms=deadline_ms)
    assert (reply.state, reply.code, reply.ahead) == (state, code, 1)


def test_it_says_why_a_job_can_never_be_done(stage: Stage) -> None:
    stage.node("n1")
    reply = stage.simulate(need=Need((POOL,), ("type:tone",)))
    assert (reply.state, reply.code) == ("FAILED", "NO_CAPABLE_NODE")
    assert (reply.reason, reply.breakdown) == ("model_not_available", {"model_not_available": 1})
    unknown = stage.simulate(need=Need((), pin="nobody"))
    assert (unknown.code, told(unknown)) == ("NO_CAPABLE_NODE", {"nobody": "offline"})


def test_it_looks_at_no_more_of_a_pool_than_it_is_asked_to(stage: Stage) -> None:
    for number in range(9):
        stage.node(f"n{number}")
    assert len(stage.simulate(most=3).listed) in (3, 4)
