"""Nodes that come, go and change (2.2, 2.3, 2.8)."""

from __future__ import annotations

from tests.conformance.node_frames import NODE_ERROR, NODE_HEARTBEAT, NODE_REGISTER, SERVICES
from tests.conformance.peers import Service, assert_has


async def test_a_second_connection_of_a_node_takes_over(
    service: Service, languages: tuple[str, str]
) -> None:
    async with (
        service.spoken(languages) as session,
        service.node(*languages) as first,
        service.node(*languages, node_id=first.id) as second,
    ):
        assert await first.link.closed() == 4409
        await session.says()
        await second.answers(await second.job(), text_asr="a")
        assert (await session.hears())["text_asr"] == "a"


async def test_a_node_of_another_schema_is_closed(service: Service) -> None:
    async with service.node_link() as one:
        await one.say(NODE_REGISTER.having("capability_schema_version", "1.0"))
        assert (await one.next())["code"] == "INVALID_CAPABILITY_SCHEMA"
        assert await one.closed() == 4400


async def test_a_node_without_a_name_gets_one(service: Service) -> None:
    async with service.node("qaa", "qab", node_id=None) as node:
        assert node.id.startswith("node-")
        assert int(node.id[5:], 16) < 2**32
        assert node.id[5:] == node.id[5:].upper()


async def test_a_node_without_languages_gets_them_with_a_heartbeat(
    service: Service, languages: tuple[str, str]
) -> None:
    async with service.node() as node, service.spoken(languages) as session:
        names = ("asr_languages", "tts_languages", "semantic_languages")
        said = {name: list(languages) for name in names}
        beat = NODE_HEARTBEAT.having("language_capabilities", said, node_id=node.id)
        assert await node.link.answers(beat) == []
        await session.says()
        await node.answers(await node.job(), text_asr="a")
        assert (await session.hears())["text_asr"] == "a"


async def test_a_job_is_cancelled_with_its_session(
    service: Service, languages: tuple[str, str]
) -> None:
    async with service.node(*languages) as node:
        for says_so in (True, False):
            async with service.spoken(languages) as session:
                await session.says()
                job = await node.job()
                if says_so:
                    close = {"type": "session_close", "session_id": session.id, "reason": "done"}
                    await session.link.say(close)
            cancel = await node.link.expect("job_cancel")
            assert cancel["job_id"] == job["job_id"]
            await node.answers(job, text_asr="nobody hears it")


async def test_a_drained_node_is_told_and_gets_nothing_until_it_is_resumed(
    service: Service, languages: tuple[str, str]
) -> None:
    async with service.node(*languages) as node, service.spoken(languages) as session:
        service.operate(f"nodes/{node.id}/drain/", reason="new disk")
        assert_has(await node.link.expect("node_control"), {"command": "drain"})
        await session.says(deadline_ms=0)
        assert_has(await session.hears(), {"type": "missing_result", "reason": "job_failed"})
        assert node.link.of_type("job_assign") == []
        service.operate(f"nodes/{node.id}/resume/")
        assert_has(await node.link.expect("node_control"), {"command": "resume"})
        await session.says()
        await node.answers(await node.job(), text_asr="a")
        assert_has(await session.hears(), {"text_asr": "a"})


async def test_a_kicked_node_is_closed(service: Service, languages: tuple[str, str]) -> None:
    async with service.node(*languages) as node:
        service.operate(f"nodes/{node.id}/kick/", reason="not ours")
        assert await node.link.closed() == 4403


async def test_a_service_whose_model_is_missing_is_left_out(
    service: Service, languages: tuple[str, str]
) -> None:
    parts = {"installed_services": SERVICES}
    fault = {"code": "MODEL_NOT_AVAILABLE", "details": {"service_id": "asr-1"}}
    async with (
        service.node(*languages, **parts) as node,
        service.spoken(languages) as session,
    ):
        await session.says()
        await node.answers(await node.job(), text_asr="a")
        await session.hears()
        frame = {**NODE_ERROR.full, **fault, "node_id": node.id}
        assert await node.link.answers(frame) == []
        await session.says(deadline_ms=0)
        assert_has(await session.hears(), {"type": "missing_result", "reason": "job_failed"})
