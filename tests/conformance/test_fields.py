"""Every field of every message that a peer may send (1.1, 2, 3): missing, `null`, of a wrong type,
too large, and legal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.conformance.kinds import Field, Json, Message
from tests.conformance.link import Link
from tests.conformance.node_frames import AFTER_REGISTRATION, NODE_REGISTER
from tests.conformance.peers import Service
from tests.conformance.session_frames import AFTER_INIT, SESSION_CLOSE, SESSION_INIT

EXTRA = {"extra_field": 5, "Type": "x", "": None, "nested": {"type": "error"}}


def wrong(message: Message, field: Field, **own: Any) -> Iterator[Json]:
    """Everything that must not be in a field."""
    for value in (*field.kind.bad, *field.kind.large):
        yield message.having(field.path, value, **own)
    if field.needed:
        yield message.lacking(field.path, **own)
        yield message.having(field.path, None, **own)


def right(message: Message, field: Field, **own: Any) -> Iterator[Json]:
    """Everything that may be in it, or that it may be without."""
    for value in field.kind.good:
        yield message.having(field.path, value, **own)
    if not field.needed:
        yield message.lacking(field.path, **own)
        yield message.having(field.path, None, **own)


def cases(*messages: Message) -> list[Any]:
    return [
        pytest.param(message, field, id=f"{message.type}-{field.path}")
        for message in messages
        for field in message.fields
    ]


def assert_refused(answers: Sequence[Json], message: Message, field: Field, sent: Json) -> None:
    """By one error that says where, what belongs there, and in which message. A wrong element is
    named as well as the list that it is in.
    """
    errors = [frame for frame in answers if frame["type"] == "error"]
    assert [error["code"] for error in errors] == ["INVALID_MESSAGE"], (sent, answers)
    details = errors[0]["details"]
    assert details["field"].startswith(field.path), (sent, errors)
    assert details["field"][len(field.path) :].strip("[]0123456789") == "", (sent, errors)
    assert details["expected"], (sent, errors)
    assert details["type"] == message.type, (sent, errors)


def complaints(answers: Sequence[Json]) -> list[Json]:
    return [frame for frame in answers if frame.get("code") == "INVALID_MESSAGE"]


@pytest.mark.parametrize(("message", "field"), cases(NODE_REGISTER))
async def test_a_field_of_node_register(service: Service, message: Message, field: Field) -> None:
    async with service.node_link() as one:
        for sent in wrong(message, field):
            assert_refused(await one.answers(sent), message, field, sent)
        await registered(one, message.full)  # nothing of that has closed it
    for sent in right(message, field):
        async with service.node_link() as one:
            await registered(one, sent)


async def registered(one: Link, frame: Json) -> None:
    answers = await one.answers(frame)
    assert [answer["type"] for answer in answers] == ["node_register_ack"], (frame, answers)
    if frame.get("node_id"):
        assert answers[0]["node_id"] == frame["node_id"]


@pytest.mark.parametrize(("message", "field"), cases(*AFTER_REGISTRATION))
async def test_a_field_of_a_registered_node(
    service: Service, message: Message, field: Field
) -> None:
    async with service.node("qaa", "qab") as node:
        own = {"node_id": node.id}
        for sent in wrong(message, field, **own):
            assert_refused(await node.link.answers(sent), message, field, sent)
        for sent in right(message, field, **own):
            assert await node.link.answers(sent) == [], sent


@pytest.mark.parametrize(("message", "field"), cases(SESSION_INIT))
async def test_a_field_of_session_init(service: Service, message: Message, field: Field) -> None:
    for sent in wrong(message, field):
        async with service.session_link() as one:  # an error is told once to a new client
            await one.say(sent)
            assert_refused([await one.next()], message, field, sent)
            await one.say(message.full)
            await one.expect("session_init_ack")
    for sent in right(message, field):
        async with service.session_link() as one:
            await one.say(sent)
            assert (await one.next())["type"] == "session_init_ack", sent


@pytest.mark.parametrize(("message", "field"), cases(*AFTER_INIT))
async def test_a_field_of_an_open_session(
    service: Service, message: Message, field: Field, languages: tuple[str, str]
) -> None:
    async with service.session(src_lang=languages[0], tgt_lang=languages[1]) as session:
        own = {"session_id": session.id}
        for sent in wrong(message, field, **own):
            assert_refused(await session.link.answers(sent), message, field, sent)
        for number, sent in enumerate(right(message, field, **own)):
            if message.type == "utterance":
                sent |= {"utterance_index": number, "request_id": f"r-{number}"}
            answers = await session.link.answers(sent)
            assert not complaints(answers), (sent, answers)


@pytest.mark.parametrize("message", [one for one in AFTER_INIT if one is not SESSION_CLOSE])
async def test_extra_fields_are_ignored_in_a_session(service: Service, message: Message) -> None:
    async with service.session() as session:
        frame = {**message.full, "session_id": session.id, **EXTRA}
        assert not complaints(await session.link.answers(frame))


@pytest.mark.parametrize("message", AFTER_REGISTRATION)
async def test_extra_fields_are_ignored_of_a_node(service: Service, message: Message) -> None:
    async with service.node("qaa", "qab") as node:
        assert await node.link.answers({**message.full, "node_id": node.id, **EXTRA}) == []


async def test_extra_fields_are_ignored_in_the_first_message(service: Service) -> None:
    async with service.session_link() as one:
        await one.say({**SESSION_INIT.full, **EXTRA})
        assert (await one.next())["type"] == "session_init_ack"
    async with service.node_link() as one:
        await registered(one, {**NODE_REGISTER.full, **EXTRA})


async def test_only_what_must_be_there_is_enough(service: Service) -> None:
    async with service.session() as session:
        for message in AFTER_INIT:
            if message is not SESSION_CLOSE:
                frame = message.minimal(session_id=session.id)
                assert not complaints(await session.link.answers(frame))
    async with service.node_link() as one:
        await registered(one, NODE_REGISTER.minimal())
        for message in AFTER_REGISTRATION:
            assert await one.answers(message.minimal()) == []


def test_every_field_of_the_full_frames_has_its_row() -> None:
    for message in (SESSION_INIT, *AFTER_INIT, NODE_REGISTER, *AFTER_REGISTRATION):
        rows = {field.path.split("[")[0].split(".")[0] for field in message.fields}
        assert message.full.keys() - {"type"} <= rows
