"""One answer for each utterance, in order; waiting and its words (2.4, 3.2, 3.7, 3.9)."""

from __future__ import annotations

import asyncio

from tests.conformance.peers import Service, assert_has
from tests.conformance.times import seconds


async def test_a_nodes_indexes_follow_one_another(
    service: Service, languages: tuple[str, str]
) -> None:
    async with service.node(*languages) as node, service.spoken(languages) as session:
        indexes = []
        for index in (5, 6, 9, 10):  # the session's own may skip
            await session.says(utterance_index=index)
            job = await node.job(session_utterance_index=index)
            indexes.append(job["utterance_index"])
            await node.answers(job, text_asr="a")
        assert indexes == list(range(indexes[0], indexes[0] + 4))


async def test_results_are_told_in_order(service: Service, languages: tuple[str, str]) -> None:
    async with (
        service.node(*languages, max_concurrent_jobs=4) as node,
        service.spoken(languages) as session,
    ):
        for _ in range(4):
            await session.says()
        jobs = [await node.job() for _ in range(4)]
        for job in reversed(jobs):
            await node.answers(job, text_asr=str(job["session_utterance_index"]))
        heard = [await session.hears() for _ in range(4)]
    assert [answer["utterance_index"] for answer in heard] == [0, 1, 2, 3]
    assert [answer["text_asr"] for answer in heard] == ["0", "1", "2", "3"]


async def test_a_gap_is_told_and_its_result_may_follow(
    service: Service, languages: tuple[str, str]
) -> None:
    clock = asyncio.get_running_loop().time
    gap_s = seconds("PARLEY_GAP_MS")
    async with service.node(*languages) as node, service.spoken(languages) as session:
        await session.says()
        await session.says()
        first, second = await node.job(), await node.job()
        await node.answers(second, text_asr="second")
        began_s = clock()
        missing = await session.hears(gap_s + 10)
        assert clock() - began_s >= 0.9 * gap_s
        assert_has(missing, {"utterance_index": 0, "reason": "gap_timeout"})
        assert_has(await session.hears(), {"utterance_index": 1, "text_asr": "second"})
        await node.answers(first, text_asr="first")
        assert_has(await session.hears(), {"utterance_index": 0, "late": True})


async def test_a_doubled_utterance_is_answered_once(
    service: Service, languages: tuple[str, str]
) -> None:
    async with service.node(*languages) as node, service.spoken(languages) as session:
        frame = session.utterance()
        await session.link.say(frame, frame)
        await node.answers(await node.job(), text_asr="a")
        assert_has(await session.hears(), {"type": "translation_result", "utterance_index": 0})
        assert await session.link.answers(frame) == []
        assert len(node.link.of_type("job_assign")) == 1


async def test_a_request_id_makes_one_job(service: Service, languages: tuple[str, str]) -> None:
    async with service.node(*languages) as node, service.spoken(languages) as session:
        for _ in range(2):
            await session.says(request_id="r-1")
        await node.answers(await node.job(), text_asr="a")
        both = [await session.hears() for _ in range(2)]
        [job] = node.link.of_type("job_assign")
        assert {answer["job_id"] for answer in both} == {job["job_id"]}
        await session.says(request_id="r-1", audio="BBBB")
        assert_has(await session.hears(), {"reason": "job_failed", "code": "INVALID_MESSAGE"})
        assert len(node.link.of_type("job_assign")) == 1


async def test_who_may_not_wait_is_refused_at_once_and_who_may_waits(
    service: Service, languages: tuple[str, str]
) -> None:
    async with (
        service.node(*languages, max_concurrent_jobs=1) as node,
        service.spoken(languages) as session,
    ):
        await session.says()
        job = await node.job()
        await session.says(deadline_ms=0)
        await session.says()
        await session.link.expect("ui_event", event="ERROR", error_code="NO_AVAILABLE_NODE")
        await node.answers(job, text_asr="first")
        await node.answers(await node.job(), text_asr="third")
        heard = [await session.hears() for _ in range(3)]
    assert [answer["utterance_index"] for answer in heard] == [0, 1, 2]
    assert_has(heard[1], {"reason": "job_failed", "code": "NO_AVAILABLE_NODE"})
    assert {one["action"] for one in session.link.of_type("backpressure")} == {"PAUSE"}


async def test_only_pause_is_told_to_clients_that_accept_no_more(
    service: Service, languages: tuple[str, str]
) -> None:
    for accepts, action in (([], "PAUSE"), (["backpressure"], "SLOW_DOWN")):
        async with (
            service.node(*languages, max_concurrent_jobs=1) as node,
            service.spoken(languages, accepts=accepts) as session,
        ):
            await session.says()
            await node.job()
            await session.says()
            assert (await session.link.expect("backpressure"))["action"] == action
