"""Says odd frames over one connection after the other; none may end that the protocol keeps."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from typing import Any, ClassVar

from websockets.exceptions import ConnectionClosed

from tests.conformance.kinds import Json
from tests.conformance.link import Link, link
from tests.conformance.node_frames import AFTER_REGISTRATION, NODE_REGISTER
from tests.conformance.session_frames import AFTER_INIT, ROOMS, SESSION_INIT, WEBRTC
from tests.fuzz.made import SESSION, Frame

# What is said last, and what answers it, whatever came before.
FENCE: Json = {"type": "fence"}
UNKNOWN: Json = {"kind": "error", "details": {"field": "type", "type": "fence"}}
ROOM_JOIN: Json = {"type": "room_join"}
ROOM_ERROR: Json = {"kind": "room_error"}


class Speaker:
    """One peer at one socket. Each of its connections that ``begins`` does so with ``FIRST``; of
    one that does not, the frames go one by one, because each may be its first message.
    """

    TYPES: ClassVar[frozenset[str]]
    FIRST: ClassVar[str]
    # of a refused first message: the close code, and the error that says why
    REFUSALS: ClassVar[dict[int, set[str]]]

    def __init__(self, stack: AsyncExitStack, url: str, init: Json, *, begins: bool) -> None:
        self.links: list[Link] = []
        self._stack = stack
        self._url = url
        self._init = init
        self._begins = begins

    @property
    def link(self) -> Link:
        """Its present connection."""
        return self.links[-1]

    async def open(self) -> None:
        self.links.append(await self._stack.enter_async_context(link(self._url)))
        if self._begins:
            await self.link.say(self._init)
            await self.began()

    async def began(self) -> None:
        """Its first message is answered."""
        raise NotImplementedError

    async def says(self, frames: list[Frame], names: dict[str, str]) -> None:
        """All are handled, in their order; over other connections where one had to end. ``names``
        are put in place of marks.
        """
        rest = frames
        while rest:
            some = rest if self._begins else rest[:1]
            handled = await self._say([filled(frame, self.marks | names) for frame in some])
            rest = rest[handled:]

    @property
    def marks(self) -> dict[str, str]:
        """Names that its present connection gives."""
        return {}

    async def _say(self, frames: list[Frame]) -> int:
        """How many of them were handled before the connection ended, or all."""
        start = len(self.link.frames)
        try:
            await self.link.say(*frames)
            await self.fence(frames)
        except (AssertionError, ConnectionClosed):
            handled = self._ended_by(frames, self.link.frames[start:])
            await self.open()
            return handled
        self._complains(frames, self.link.frames[start:])
        return len(frames)

    async def fence(self, frames: list[Frame]) -> None:
        """The last of these frames is handled."""
        await self.link.say(FENCE)
        await self.link.expect(**UNKNOWN)

    def _ended_by(self, frames: list[Frame], heard: list[Json]) -> int:
        """The first frame that may end a connection did so, and that was said as it must be."""
        code = self.link.socket.close_code
        last = heard[-1] if heard else {"type": "nothing"}
        for count, frame in enumerate(frames, 1):
            if self.may_end(frame, code, last):
                return count
        raise AssertionError(f"closed with {code} after {last}, having been sent {frames}")

    def may_end(self, frame: Frame, code: int | None, last: Json) -> bool:
        """Whether the frame may have ended the connection with this code, after ``last``."""
        refused = last["type"] == "error" and last["code"] in self.REFUSALS.get(code or 0, ())
        return not self._begins and refused and type_of(frame) == self.FIRST

    def _complains(self, frames: list[Frame], heard: list[Json]) -> None:
        """Each frame that is no message has its ``error``, and the fence."""
        if not self._complains_always:
            return
        wanted = 1 + sum(self.is_no_message(frame) for frame in frames)
        came = sum(is_complaint(frame) for frame in heard)
        assert came >= wanted, f"{came} complaints of {wanted} frames: {frames}, {heard}"

    def is_no_message(self, frame: Frame) -> bool:
        """Not JSON, no object, without a type, or with one that nobody knows."""
        return type_of(frame) not in self.TYPES

    @property
    def _complains_always(self) -> bool:
        return True


class Client(Speaker):
    """At the session socket. It accepts errors, so that none is held back, once it has begun."""

    TYPES = frozenset({SESSION_INIT.type, *(one.type for one in AFTER_INIT), *ROOMS, *WEBRTC})
    FIRST = SESSION_INIT.type
    REFUSALS: ClassVar = {4400: {"INVALID_PAIRING_CODE", "INVALID_SESSION"}, 1013: {"RATE_LIMITED"}}

    async def began(self) -> None:
        ack = await self.link.expect("session_init_ack")
        self.link.session = ack["session_id"]

    @property
    def name(self) -> str:
        """Of its session."""
        return self.link.session or "s-0"

    @property
    def marks(self) -> dict[str, str]:
        return {SESSION: self.name}

    async def fence(self, frames: list[Frame]) -> None:
        """What has not begun may be told an error only once, but of rooms always."""
        if self._begins:
            await super().fence(frames)
            return
        await self.link.say(ROOM_JOIN)
        for _ in range(1 + sum(type_of(frame) in ROOMS for frame in frames)):
            await self.link.expect(**ROOM_ERROR)

    def is_no_message(self, frame: Frame) -> bool:
        """Binary frames are something else."""
        return isinstance(frame, str) and super().is_no_message(frame)

    def may_end(self, frame: Frame, code: int | None, last: Json) -> bool:
        if not self._begins:
            return super().may_end(frame, code, last)
        close = read(frame)
        asked = isinstance(close, dict) and close.get("type") == "session_close"
        mine = asked and close.get("session_id") == self.link.session
        told = (code, last["type"]) == (1000, "session_close_ack")
        return bool(mine and isinstance(close.get("reason"), str) and told)

    @property
    def _complains_always(self) -> bool:
        return self._begins


class Agent(Speaker):
    """At the node socket, which nothing ends once it is registered."""

    TYPES = frozenset({NODE_REGISTER.type, *(one.type for one in AFTER_REGISTRATION)})
    FIRST = NODE_REGISTER.type
    REFUSALS: ClassVar = {4400: {"INVALID_CAPABILITY_SCHEMA"}}

    async def began(self) -> None:
        await self.link.expect("node_register_ack")

    @property
    def last_job(self) -> str:
        """The job that it was sent last, if there is one."""
        jobs = self.link.of_type("job_assign")
        return str(jobs[-1]["job_id"]) if jobs else "job-0"


def filled(frame: Frame, names: dict[str, str]) -> Frame:
    """With the ids in place."""
    for mark, name in names.items():
        if isinstance(frame, bytes):
            frame = frame.replace(mark.encode(), name.encode())
        else:
            frame = frame.replace(mark, name)
    return frame


def read(frame: Frame) -> Any:
    """What it is as strict JSON; None for what is none."""
    try:
        return json.loads(frame, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(constant: str) -> None:
    raise ValueError(constant)  # NaN and such are not JSON


def type_of(frame: Frame) -> str:
    """The message that it is; empty for none."""
    said = read(frame)
    kind = said.get("type") if isinstance(said, dict) else None
    return kind if isinstance(kind, str) else ""


def is_complaint(frame: Json) -> bool:
    """Whether it tells the peer that it has sent no message, or none that is known."""
    details = frame.get("details") or {}
    wrong = frame["type"] == "error" and frame["code"] == "INVALID_MESSAGE"
    return (
        wrong
        and set(details) <= {"field", "type", "expected"}
        and (details.get("field", "type") == "type")
    )
