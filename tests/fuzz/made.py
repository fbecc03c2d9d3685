"""What Hypothesis makes: frames that are nearly right, and some that are not at all.

A frame is made from those of the conformance tables, by changing it at a few places. `SESSION` and
`JOB` stand for ids that are known only when it is sent (`play`).
"""

from __future__ import annotations

import copy
import json
import struct
from typing import Any

from hypothesis import strategies as st

from tests.conformance.kinds import Field, Json, Message, put, remove
from tests.conformance.node_frames import AFTER_REGISTRATION, JOB_RESULT, NODE_REGISTER
from tests.conformance.session_frames import (
    AFTER_INIT,
    AUDIO_CHUNK,
    ROOMS,
    SESSION_INIT,
    UTTERANCE,
    WEBRTC,
)

SESSION, JOB = "@session", "@job"
FRAMES = 20  # on each of two sockets

Frame = str | bytes

ODD: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1,
    2**31,
    2**53 - 1,
    2**53,
    2**64,
    10**40,
    -(10**400),
    0.5,
    -0.0,
    1e308,
    "",
    "x",
    "\x00",
    "\u202e\U0001f600",
    "%s{0}$ref",
    "x" * 257,
    "x" * 5_000,
    "auto",
    "qab",
    "two_way_auto",
    "opus",
    "wav",
    "pcm16",
    "AAAA",
    "AAA",
    "////",
    "UklGRiQAAABXQVZFZm10IA==",
    "2.0",
    "job-0123456789ABCDEF",
    "s-01234567",
    "s-01234567." + "x" * 32,
    "node-01234567",
    SESSION,
    JOB,
    [],
    {},
    [None],
    [[]],
    ["x", 5],
    ["errors", "backpressure", "resume", "binary"],
    [["qaa", "qab"]],
    {"type": "error"},
    {"x": {"x": {"x": []}}},
    {"code": "MODEL_NOT_AVAILABLE", "message": "", "details": {"service_id": "asr-1"}},
    {"code": "", "message": "DUPLICATE_JOB"},
    {"reason": "NO_TEXT_ASSIGNED"},
    {"service_timings": {"asr_ms": "x"}},
]
KNOWN = [
    *(message.type for message in (SESSION_INIT, *AFTER_INIT, NODE_REGISTER, *AFTER_REGISTRATION)),
    *ROOMS,
    *WEBRTC,
    "error",
    "job_assign",
    "",
]
odd = st.sampled_from(ODD)
some_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def of_session(message: Message) -> Json:
    """The full frame, of the session that is open, in the node's languages."""
    frame = copy.deepcopy(message.full)
    if "session_id" in frame:
        frame["session_id"] = SESSION
    return frame


def of_node(message: Message) -> Json:
    """The full frame, of a job that the node has, if it has one."""
    frame = copy.deepcopy(message.full) | {"node_id": "fuzz"}
    if "job_id" in frame:
        frame |= {"job_id": JOB, "session_id": SESSION}
    return frame


def chunk(sound: str, *, final: bool) -> Json:
    frame = {"type": "audio_chunk", "session_id": SESSION, "seq": 7, "payload": sound}
    return {**frame, "is_final": final}


OPUS = "AwABAgMDAAECAw=="  # two packets of three bytes
CHUNKS = [chunk(OPUS, final=False), chunk(OPUS, final=True), chunk("", final=True)]
PAIRS = {
    "session": [
        *((json.dumps(of_session(message)), message) for message in (SESSION_INIT, *AFTER_INIT)),
        *(12 * [(json.dumps(of_session(UTTERANCE)), UTTERANCE)]),
        *(5 * [(json.dumps(frame), AUDIO_CHUNK) for frame in CHUNKS]),
    ],
    "node": [
        *((json.dumps(of_node(message)), message) for message in AFTER_REGISTRATION),
        *(8 * [(json.dumps(of_node(JOB_RESULT)), JOB_RESULT)]),
        (json.dumps(of_node(NODE_REGISTER)), NODE_REGISTER),
    ],
}
NUMBERS = ("utterance_index", "seq")  # the same one twice would be ignored


@st.composite
def nearly_right(draw: st.DrawFn, socket: str) -> Frame:
    """A frame of one of the tables, changed at a few places, often into another right one."""
    whole, message = draw(st.sampled_from(PAIRS[socket]))
    frame = json.loads(whole)
    for name in NUMBERS:
        if name in frame:
            frame[name] = draw(st.integers(0, 60))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 2, 3]))):
        change(draw, frame, draw(st.sampled_from(message.fields)))
    if draw(st.integers(0, 9)) == 0:
        frame[draw(st.text(max_size=4))] = draw(some_json)
    text = json.dumps(frame)
    again = frame and frame.get("type") not in ROOMS and draw(st.integers(0, 9)) == 0
    return twice(draw, frame, text) if again else text


def twice(draw: st.DrawFn, frame: Json, text: str) -> str:
    """With another value of a name that is there already, before the rest or after it. Where one of
    several types is that of a room it is open which of two errors comes, and rooms are counted.
    """
    name = draw(st.sampled_from([*frame, *(4 * ["type"])]))
    values = st.one_of(st.just(frame.get(name)), st.sampled_from([*KNOWN, 5]), odd)
    value = draw(values.filter(lambda value: value not in ROOMS))
    more = f"{json.dumps(name)}: {json.dumps(value)}"
    return f"{{{more}, {text[1:]}" if draw(st.booleans()) else f"{text[:-1]}, {more}}}"


def change(draw: st.DrawFn, frame: Json, field: Field) -> None:
    """What is above the path may have been changed before: then there is nothing to change."""
    how = draw(st.sampled_from(["right", "right", "odd", "gone"]))
    try:
        if how == "gone":
            remove(frame, field.path)
        elif how == "odd":
            put(frame, field.path, draw(odd))
        elif field.kind.good:
            put(frame, field.path, draw(st.sampled_from(field.kind.good)))
    except (TypeError, KeyError, IndexError, AttributeError):
        frame["changed"] = field.path


@st.composite
def hardly_right(draw: st.DrawFn) -> Frame:
    """Any JSON, mostly with a type that is known."""
    content = draw(some_json)
    if isinstance(content, dict):
        content["type"] = draw(st.sampled_from(KNOWN))
    return json.dumps(content)


@st.composite
def torn(draw: st.DrawFn, socket: str) -> Frame:
    """A part of a frame, with something else in the middle."""
    text, _ = draw(st.sampled_from(PAIRS[socket]))
    cut = draw(st.integers(0, len(text)))
    return text[:cut] + draw(st.text(max_size=6)) + text[cut + draw(st.integers(0, 9)) :]


@st.composite
def binary(draw: st.DrawFn) -> Frame:
    """A binary frame with a head, most often of the open session, or any bytes."""
    if draw(st.integers(0, 4)) == 0:
        return draw(st.binary(max_size=40))
    kind = draw(st.sampled_from([0x01, 0x01, 0x02, 0x10, 0x11, 0x00, 0xFF]))
    length = draw(st.sampled_from([10, 10, 10, 0, 9, 255]))
    numbers = draw(st.sampled_from([0, 1, 2**31, 2**32 - 1]))
    head = struct.pack("<BBII", kind, length, numbers, numbers)
    middle = draw(st.sampled_from([b"\x00\x00", b"\x01\x00", b"\x02\xff"])) if kind == 1 else b""
    sound = draw(st.sampled_from([b"", b"\x03\x00abc", b"\x00", b"\xff\xff", b"\x01\x00a\x02"]))
    return head + middle + SESSION.encode() + sound


@st.composite
def frames(draw: st.DrawFn, socket: str) -> Frame:
    """One frame for a socket; most are nearly right."""
    kinds = [hardly_right(), torn(socket), binary(), st.text(max_size=20)]
    which = draw(st.integers(0, 15))
    frame: Frame = draw(kinds[which] if which < len(kinds) else nearly_right(socket))
    return frame


@st.composite
def plays(draw: st.DrawFn) -> tuple[bool, list[Frame], bool, list[Frame]]:
    """Whether the session begins properly and what it sends; the same of the node."""
    many = {socket: st.lists(frames(socket), min_size=FRAMES, max_size=FRAMES) for socket in PAIRS}
    begins = st.sampled_from([True, True, True, False])
    return draw(begins), draw(many["session"]), draw(begins), draw(many["node"])
