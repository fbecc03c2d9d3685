"""Every frame: legal, with a field missing, of the wrong type, null, and with something extra."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from parley import frames
from parley.frames import decode as decoding
from tests.sdk.examples import (
    FREE_FORM,
    FROM_NODE,
    FROM_SESSION,
    TO_NODE,
    TO_SESSION,
    Json,
    minimal,
    strip,
)

Decode = Callable[[str | bytes], Any]

DIRECTIONS: list[tuple[Decode, dict[str, Json], set[str]]] = [
    (frames.decode_node_frame, FROM_NODE, set(decoding._from_node.classes)),
    (frames.decode_session_frame, FROM_SESSION, set(decoding._from_session.classes)),
    (frames.decode_to_node, TO_NODE, set(decoding._to_node.classes)),
    (frames.decode_to_session, TO_SESSION, set(decoding._to_session.classes)),
]
PEERS = DIRECTIONS[:2]

Step = str | int
Path = tuple[Step, ...]

WRONG: list[Any] = ["text", 5.5, [[]], {"a": 1}, True]


def fields(example: Any, path: Path = ()) -> Iterator[tuple[Path, bool]]:
    """Path of every field at every depth, and whether it is optional."""
    if isinstance(example, dict):
        for marked, value in example.items():
            here = (*path, marked.rstrip("?"))
            yield here, marked.endswith("?")
            yield from fields(value, here)
    elif isinstance(example, list):
        for index, value in enumerate(example):
            yield from fields(value, (*path, index))


def written(path: Path) -> str:
    """As in `details.field`: `installed_models[0].kind`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")


def changed(name: str, example: Json, path: Path, change: Callable[[Any, Step], None]) -> str:
    frame = copy.deepcopy({**strip(example), "type": name})
    inside: Any = frame
    for step in path[:-1]:
        inside = inside[step]
    change(inside, path[-1])
    return json.dumps(frame)


def put(value: Any) -> Callable[[Any, Step], None]:
    def change(inside: Any, step: Step) -> None:
        inside[step] = value

    return change


def remove(inside: Any, step: Step) -> None:
    del inside[step]


def value_at(example: Json, path: Path) -> Any:
    value: Any = strip(example)
    for step in path:
        value = value[step]
    return value


def is_free(name: str, path: Path) -> bool:
    """Whether any value may be there. What sessions ask for by name is looked at with the job."""
    parts = written(path).split(".")
    if (name, parts[0]) == ("utterance", "pipeline") or parts[0] == "features":
        return len(parts) > 1
    return any(".".join(parts[: n + 1]) in FREE_FORM for n in range(len(parts)))


def cases(
    directions: list[tuple[Decode, dict[str, Json], set[str]]] = DIRECTIONS,
) -> list[Any]:
    return [
        pytest.param(decode, name, example, id=f"{decode.__name__}-{name}")
        for decode, examples, _ in directions
        for name, example in examples.items()
    ]


@pytest.mark.parametrize(("_decode", "examples", "types"), DIRECTIONS)
def test_every_type_has_an_example(
    _decode: Decode, examples: dict[str, Json], types: set[str]
) -> None:
    assert set(examples) == types


@pytest.mark.parametrize(("decode", "name", "example"), cases())
def test_a_full_frame_survives_both_ways(decode: Decode, name: str, example: Json) -> None:
    frame = {"type": name, **strip(example)}
    decoded = decode(json.dumps(frame))
    assert frames.frame_type(decoded) == name
    assert json.loads(frames.encode(decoded)) == frame
    assert frames.encode(decoded).startswith(b'{"type":"%b"' % name.encode())


@pytest.mark.parametrize(("decode", "name", "example"), cases())
def test_nothing_optional_is_needed_or_written(decode: Decode, name: str, example: Json) -> None:
    frame = {"type": name, **minimal(example)}
    assert json.loads(frames.encode(decode(json.dumps(frame)))) == frame


@pytest.mark.parametrize(("decode", "name", "example"), cases())
def test_null_is_accepted_where_a_field_is_optional(
    decode: Decode, name: str, example: Json
) -> None:
    for path, optional in fields(example):
        if optional:
            assert decode(changed(name, example, path, put(None)))


@pytest.mark.parametrize(("decode", "name", "example"), cases(PEERS))
def test_null_is_refused_where_a_field_is_required(
    decode: Decode, name: str, example: Json
) -> None:
    for path, optional in fields(example):
        if not optional and not is_free(name, path):
            with pytest.raises(frames.FrameError) as caught:
                decode(changed(name, example, path, put(None)))
            assert caught.value.field == written(path)


@pytest.mark.parametrize(("decode", "name", "example"), cases(PEERS))
def test_a_missing_field_is_named(decode: Decode, name: str, example: Json) -> None:
    for path, optional in fields(example):
        if not optional and not is_free(name, path):
            with pytest.raises(frames.FrameError) as caught:
                decode(changed(name, example, path, remove))
            error = caught.value
            assert (error.field, error.type, error.code) == (written(path), name, "INVALID_MESSAGE")
            assert error.expected
            assert "missing" in error.message


@pytest.mark.parametrize(("decode", "name", "example"), cases(PEERS))
def test_a_wrong_type_is_named(decode: Decode, name: str, example: Json) -> None:
    for path, _ in fields(example):
        if is_free(name, path):
            continue
        right = value_at(example, path)
        for wrong in WRONG:
            if type(wrong) is type(right) or {type(wrong), type(right)} == {int, float}:
                continue
            if isinstance(right, dict) and isinstance(wrong, dict):
                continue
            with pytest.raises(frames.FrameError) as caught:
                decode(changed(name, example, path, put(wrong)))
            error = caught.value
            assert error.field.startswith(written(path)), (path, wrong)
            assert error.expected not in ("", "other")


@pytest.mark.parametrize(("decode", "name", "example"), cases(PEERS))
def test_free_form_parts_may_be_anything(decode: Decode, name: str, example: Json) -> None:
    for path, _ in fields(example):
        if written(path) in FREE_FORM:
            for value in ("text", 5, [1, {}], {"a": {"b": None}}, None, False):
                assert decode(changed(name, example, path, put(value)))


@pytest.mark.parametrize(("decode", "name", "example"), cases())
def test_extra_fields_are_ignored(decode: Decode, name: str, example: Json) -> None:
    def extended(value: Any) -> Any:
        if isinstance(value, dict):
            return {"extra_1": [{}], **{key: extended(item) for key, item in value.items()}}
        return [extended(item) for item in value] if isinstance(value, list) else value

    plain = decode(json.dumps({"type": name, **minimal(example)}))
    assert decode(json.dumps({**extended(minimal(example)), "type": name})) == plain


@pytest.mark.parametrize("decode", [direction[0] for direction in DIRECTIONS])
@pytest.mark.parametrize(
    ("data", "field", "said"),
    [
        ("", "", "not JSON"),
        ("{", "", "not JSON"),
        ("hello", "", "not JSON"),
        ('{"type":"error"} x', "", "not JSON"),
        ('{"type":"\ud800"}', "", "not JSON"),
        ("[" * 200_000, "", "not JSON"),
        ('{"a":' * 200_000, "", "not JSON"),
        ("[]", "", "not a JSON object"),
        ("5", "", "not a JSON object"),
        ("null", "", "not a JSON object"),
        ("{}", "type", "no type"),
        ('{"type":null}', "type", "not a string"),
        ('{"type":5}', "type", "not a string"),
        ('{"type":"make_coffee"}', "type", "'make_coffee'"),
        ('{"type":""}', "type", "''"),
    ],
)
def test_what_is_no_frame_says_so(decode: Decode, data: str, field: str, said: str) -> None:
    with pytest.raises(frames.FrameError, match=re.escape(said)) as caught:
        decode(data)
    assert caught.value.field == field


@pytest.mark.parametrize("first", ['"make_coffee"', "5"])
@pytest.mark.parametrize(("decode", "examples", "_"), DIRECTIONS)
def test_a_frame_has_one_type(decode: Decode, examples: Json, _: set[str], first: str) -> None:
    for name in examples:
        with pytest.raises(frames.FrameError, match="several types") as caught:
            decode(f'{{"type":{first},"type":"{name}"}}')
        assert caught.value.field == "type"


def test_the_error_frame_of_a_wrong_frame_has_path_and_expectation() -> None:
    usage = {"cpu_percent": 1, "mem_percent": 2, "running_jobs": "three"}
    heartbeat = {"type": "node_heartbeat", **strip(FROM_NODE["node_heartbeat"])}
    with pytest.raises(frames.FrameError) as caught:
        frames.decode_node_frame(json.dumps({**heartbeat, "resource_usage": usage}))
    assert json.loads(frames.encode(caught.value.frame())) == {
        "type": "error",
        "code": "INVALID_MESSAGE",
        "message": "node_heartbeat: expected integer from 0 to 9007199254740991"
        " at resource_usage.running_jobs.",
        "details": {
            "type": "node_heartbeat",
            "field": "resource_usage.running_jobs",
            "expected": "integer from 0 to 9007199254740991",
        },
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("utterance_index", -1),
        ("utterance_index", 2**60),
        ("session_id", "x" * 257),
        ("priority", 0),
        ("priority", 6),
    ],
)
def test_numbers_and_ids_have_bounds(field: str, value: object) -> None:
    utterance = {"type": "utterance", **strip(FROM_SESSION["utterance"]), field: value}
    with pytest.raises(frames.FrameError) as caught:
        frames.decode_session_frame(json.dumps(utterance))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("changes", "legal"),
    [
        ({"audio": None}, False),
        ({"audio": None, "audio_ref": "somewhere"}, True),
        ({"audio_ref": "somewhere"}, True),
        ({"audio": ""}, True),
    ],
)
def test_an_utterance_has_audio_or_says_where_it_is(changes: Json, legal: bool) -> None:
    data = json.dumps({"type": "utterance", **strip(FROM_SESSION["utterance"]), **changes})
    if legal:
        assert frames.decode_session_frame(data)
    else:
        with pytest.raises(frames.FrameError, match="audio is missing"):
            frames.decode_session_frame(data)


def test_the_type_may_come_last_and_bytes_do_as_well() -> None:
    frame = {**strip(FROM_NODE["job_ack"]), "type": "job_ack"}
    assert isinstance(frames.decode_node_frame(json.dumps(frame).encode()), frames.JobAck)


def test_unknown_values_of_enumerations_are_kept() -> None:
    register = strip(FROM_NODE["node_register"])
    register["platform"] = "beos"
    register["installed_services"][0] |= {"type": "smell", "device": "npu", "status": "asleep"}
    frame = frames.decode_node_frame(json.dumps({"type": "node_register", **register}))
    assert isinstance(frame, frames.NodeRegister)
    assert frame.platform == "beos"
    assert frame.installed_services is not None
    assert frame.installed_services[0].status == "asleep"


def test_a_head_and_a_payload_make_an_assignment() -> None:
    whole = {"type": "job_assign", **strip(TO_NODE["job_assign"])}
    head = msgspec.json.encode(msgspec.convert(whole, frames.JobHead))
    body = {name: value for name, value in whole.items() if name not in json.loads(head)}
    payload = frames.encode(msgspec.json.decode(json.dumps(body), type=frames.JobPayload))
    spliced = frames.splice(msgspec.convert(whole, frames.JobHead), payload)
    assert json.loads(spliced) == whole


def test_a_head_and_a_body_make_a_result() -> None:
    whole = {"type": "translation_result", **strip(TO_SESSION["translation_result"])}
    head = msgspec.convert(whole, frames.ResultHead)
    known = json.loads(frames.encode(head))
    body = {name: value for name, value in whole.items() if name not in known}
    result = frames.encode(msgspec.json.decode(json.dumps(body), type=frames.ResultBody))
    assert json.loads(frames.splice(head, result)) == whole


def test_splicing_copies_the_body_as_it_is() -> None:
    head = frames.SessionCloseAck(session_id="s-1")
    assert frames.splice(head, b'{"a": 1.50,"b":"\\u00e9"}') == (
        b'{"type":"session_close_ack","session_id":"s-1","a": 1.50,"b":"\\u00e9"}'
    )
    assert frames.splice(head, b"{}") == frames.encode(head)
    assert frames.splice(frames.Features(), b'{"a":1}') == b'{"a":1}'


def test_base64_is_passed_on_as_it_came_and_decoded_on_request() -> None:
    data = r'{"type":"audio_chunk","session_id":"s","seq":1,"is_final":false,"payload":"YW\/j"}'
    chunk = frames.decode_session_frame(data)
    assert isinstance(chunk, frames.AudioChunk)
    assert bytes(chunk.payload) == rb'"YW\/j"'
    assert frames.from_base64(chunk.payload) == b"ao\xe3"
    assert bytes(frames.to_base64(b"ao\xe3")) == b'"YW/j"'
    assert frames.from_base64(frames.ABSENT) == b""
    with pytest.raises(msgspec.ValidationError):
        frames.from_base64(msgspec.Raw(b'"not base64"'))


@pytest.mark.parametrize(
    ("extra", "reason", "asr_ms"),
    [
        ('{"reason":"ASR_EMPTY","service_timings":{"asr_ms":3.5}}', "ASR_EMPTY", 3.5),
        ('{"reason":5,"service_timings":{"asr_ms":3}}', None, 3),
        ('{"reason":"ASR_EMPTY","service_timings":"soon"}', "ASR_EMPTY", None),
        ('{"reason":null,"other":[1,2]}', None, None),
        ("[]", None, None),
        ("null", None, None),
        ("", None, None),
    ],
)
def test_what_counts_of_extra_is_read_and_the_rest_left(
    extra: str, reason: str | None, asr_ms: float | None
) -> None:
    found = frames.read_extra(msgspec.Raw(extra.encode()))
    assert found.reason == reason
    assert (found.service_timings.asr_ms if found.service_timings else None) == asr_ms
