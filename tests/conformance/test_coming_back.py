"""Sessions that resume, and sessions that are paired with a node (3.1, 3.10)."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from tests.conformance.peers import Service, Session, assert_has
from tests.conformance.session_frames import CLIENT_HEARTBEAT, SESSION_CLOSE, SESSION_INIT

RESUME = {"accepts": ["resume", "errors"]}


def back(service: Service, gone: Session, **changes: Any) -> AbstractAsyncContextManager[Session]:
    """The client of a session, over another connection."""
    languages = gone.init["src_lang"], gone.init["tgt_lang"]
    token = {"resume_token": gone.ack["resume_token"]}
    return service.spoken(languages, **{**RESUME, **token, **changes})


async def test_a_token_is_for_those_that_accept_it(service: Service) -> None:
    async with service.session() as old, service.session(**RESUME) as new:
        assert "resume_token" not in old.ack
        assert new.ack["resume_token"]


async def test_answers_that_came_meanwhile_are_told_in_order(
    service: Service, languages: tuple[str, str]
) -> None:
    async with service.node(*languages, max_concurrent_jobs=4) as node:
        async with service.spoken(languages, **RESUME) as gone:
            for _ in range(3):
                await gone.says()
            jobs = [await node.job(), await node.job(), await node.job()]
        for job in reversed(jobs):
            await node.answers(job, text_asr=str(job["session_utterance_index"]))
        async with back(service, gone) as session:
            assert session.id == gone.id
            assert session.ack["resume_token"] != gone.ack["resume_token"]
            heard = [await session.hears() for _ in range(3)]
            assert [one["text_asr"] for one in heard] == ["0", "1", "2"]
            await session.says(utterance_index=3)
            await node.answers(await node.job(), text_asr="3")
            assert_has(await session.hears(), {"utterance_index": 3, "text_asr": "3"})


@pytest.mark.parametrize(("last", "again"), [(1, [2]), (None, [0, 1, 2])])
async def test_what_the_client_has_is_not_told_again(
    service: Service, languages: tuple[str, str], last: int | None, again: list[int]
) -> None:
    async with service.node(*languages) as node:
        async with service.spoken(languages, **RESUME) as gone:
            for _ in range(2):
                await gone.says()
                await node.answers(await node.job(), text_asr="a")
                await gone.hears()
            await gone.says()
            job = await node.job()
        await node.answers(job, text_asr="a")
        async with back(service, gone, last_utterance_index=last) as session:
            heard = [(await session.hears())["utterance_index"] for _ in again]
            assert heard == again


async def test_a_client_that_was_not_heard_since_its_return_may_come_back_the_same_way(
    service: Service,
) -> None:
    """The acknowledgement may have been lost."""
    async with service.session(**RESUME) as gone:
        pass
    for _ in range(3):
        async with back(service, gone) as session:
            assert session.id == gone.id


async def test_a_token_is_good_once(service: Service) -> None:
    async with service.session(**RESUME) as gone:
        pass
    async with back(service, gone) as session:
        await session.link.say(CLIENT_HEARTBEAT.minimal(session_id=session.id))
        await session.link.expect("server_heartbeat")
    await refused(service, gone.ack["resume_token"])
    async with back(service, session) as again:
        assert again.id == gone.id


async def test_who_comes_back_replaces_a_connection_that_only_seemed_open(
    service: Service,
) -> None:
    async with service.session(**RESUME) as gone, back(service, gone) as session:
        assert await gone.link.closed() == 4409
        assert session.id == gone.id


@pytest.mark.parametrize("token", ["", "x", "s-00000000." + 32 * "x", "s-7FFFFFFF", "é" * 50])
async def test_what_is_no_token_is_refused(service: Service, token: str) -> None:
    await refused(service, token)


async def test_another_sessions_token_with_ones_own_name_is_refused(service: Service) -> None:
    async with service.session(**RESUME) as one, service.session(**RESUME) as other:
        secret = str(other.ack["resume_token"]).partition(".")[2]
        await refused(service, f"{one.id}.{secret}")


async def test_a_session_that_was_closed_is_over(service: Service) -> None:
    async with service.session(**RESUME) as gone:
        await gone.link.say(SESSION_CLOSE.minimal(session_id=gone.id))
        assert await gone.link.closed() == 1000
    await refused(service, gone.ack["resume_token"])


async def refused(service: Service, token: str) -> None:
    async with service.session_link() as one:
        await one.say(SESSION_INIT.minimal(resume_token=token, **RESUME))
        assert_has(await one.next(), {"type": "error", "code": "INVALID_SESSION"})
        assert await one.closed() == 4400


async def test_a_pairing_code_pins_a_session_to_its_node_once(
    service: Service, languages: tuple[str, str]
) -> None:
    async with (
        service.node(*languages, accept_public_jobs=False) as node,
        service.node(*languages) as public,
    ):
        paired = {"pairing_code": pairing_code(service, node.id), "pairing_required": True}
        async with service.spoken(languages, **paired) as session:
            assert session.ack["assigned_node_id"] == node.id
            await session.says()
            await node.answers(await node.job(), text_asr="a")
            assert_has(await session.hears(), {"text_asr": "a"})
        paired["pairing_required"] = False
        async with service.spoken(languages, **paired) as session:
            assert session.ack["assigned_node_id"] is None
            await session.says()
            await public.answers(await public.job(), text_asr="b")
            assert_has(await session.hears(), {"text_asr": "b"})


def pairing_code(service: Service, node: str) -> str:
    """As an operator gives it out."""
    told = service.operate(f"nodes/{node}/pairing-code/")
    [code] = [value for value in told.values() if isinstance(value, str) and len(value) == 6]
    assert code.isdigit()
    return code
