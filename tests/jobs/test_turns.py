"""Turns between a session and a node: what is said without a pause, in several jobs."""

import pytest

from jobs.settings import JobSettings
from lua import views
from tests.harness.frames import opus
from tests.jobs.test_streams import FULL, cut_of, settings


@pytest.fixture
def jobs() -> JobSettings:
    return settings()


async def turn(ben, anna):
    """Two long parts and a last one; their jobs."""
    await ben.streams(opus(2 * FULL + 1), final=True)
    return [await anna.job() for _ in range(3)]


@pytest.mark.parametrize("where", ["here", "elsewhere"])
async def test_the_last_part_answers_for_those_before_it(where, node, elsewhere, session):
    anna = await (node if where == "here" else elsewhere)("anna")
    ben = await session()
    first, second, last = await turn(ben, anna)
    await anna.answers(last, "all that was said")
    heard = [await ben.hears() for _ in range(3)]
    assert [one.get("reason") for one in heard] == ["silence_detected", "silence_detected", None]
    assert [one["utterance_index"] for one in heard] == [0, 1, 2]
    assert heard[2]["text_translated"] == "all that was said"
    for job in (first, second):
        assert (await anna.peer.expect("job_cancel", job_id=job["job_id"]))["reason"] == "TURN_DONE"
    assert ben.peer.of_type("error") == []


async def test_a_turn_ends_with_sound_also_where_its_parts_are_full(node, session):
    anna, ben = await node(), await session()
    await ben.streams(opus(2 * FULL), final=True)
    first, last = await anna.job(), await anna.job()
    assert [cut_of(first), cut_of(last)] == [["is_max_duration_triggered"], ["is_manual_cut"]]
    assert first["turn_id"] == last["turn_id"]
    await anna.answers(last, "all that was said")
    heard = [await ben.hears() for _ in range(2)]
    assert [one.get("reason") for one in heard] == ["silence_detected", None]


async def test_parts_may_be_answered_one_by_one(node, session):
    anna, ben = await node(), await session()
    for number, job in enumerate(await turn(ben, anna)):
        await anna.answers(job, f"part {number}")
    heard = [(await ben.hears())["text_translated"] for _ in range(3)]
    assert heard == ["part 0", "part 1", "part 2"]


@pytest.mark.parametrize("reason", ["ASR_EMPTY", "NO_TEXT_ASSIGNED"])
async def test_a_part_without_text_of_its_own_is_done(node, session, reason):
    anna, ben = await node(), await session()
    first, second, last = await turn(ben, anna)
    for job in (first, second):
        await anna.answers(job, "", extra={"reason": reason})
    await anna.answers(last, "all that was said")
    heard = [await ben.hears() for _ in range(3)]
    assert [one.get("reason") for one in heard] == ["silence_detected", "silence_detected", None]


async def test_a_result_counts_whatever_attempt_it_names(node, session):
    anna, ben = await node(), await session()
    first, *_ = await turn(ben, anna)
    await anna.answers({**first, "attempt_id": 7}, "one")
    assert (await ben.hears())["text_translated"] == "one"


async def test_another_process_would_know_the_turn(web, node, session):
    anna, ben = await node(), await session(accepts=["resume"])
    turn_id = (await turn(ben, anna))[0]["turn_id"]
    found = await views.session_jobs(web.process.cells, ben.id)
    parts = sorted(found.live, key=lambda job: job.spec.index)
    assert [job.spec.turn for job in parts] == [turn_id, turn_id, f"{turn_id}."]
