"""A client that goes through a script: it speaks, breaks off, comes back, and keeps what comes."""

from __future__ import annotations

import asyncio
import base64
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from jobs.session import LiveSession
from tests.harness.actors import OUTCOMES, HandSession
from tests.harness.frames import Json, opus, session_init
from tests.harness.web import Web
from tests.jobs.once.steps import TICK_S, Closed, Flaw, Left, Return, Say, Script, Stream
from tests.peers.raw import RawPeer, raw_peer
from tests.peers.until import until

SOUND = base64.b64encode(bytes(640)).decode()
FLAWS: dict[Flaw, Json] = {
    Flaw.FORMAT: {"sample_rate": 8_000},
    Flaw.SOUND: {"audio": ""},
    Flaw.LANGUAGE: {"tgt_lang": "qzz"},
    Flaw.PLACE: {"deadline_ms": 0},
}
CHUNK, DAMAGE = 7, b"\x00\x00"
WITHIN_S = 20.0


@dataclass(frozen=True)
class Said:
    """A whole utterance; `fields` send it once more."""

    name: str
    step: Say
    fields: Json = field(repr=False)


class Client:
    """``said``: whole utterances by their index; ``fates``: all that it said, by name."""

    def __init__(
        self, webs: list[Web], stack: AsyncExitStack, languages: tuple[str, str], script: Script
    ) -> None:
        self._heard: list[list[Json]] = []
        self.said: dict[int, Said] = {}
        self.fates: dict[str, Say | Stream] = {}
        self._webs = webs
        self._at = 0
        self._stack = stack
        self._languages = languages
        self._script = script

    async def begin(self) -> None:
        """Open the session, at the first process."""
        peer = await self._connected(0)
        session = await self._opened(peer, {})
        assert session is not None, "the session could not begin"
        self._session = session

    async def say(self, step: Say) -> None:
        await self._silence()
        index, name = self._next_index(), f"u-{len(self.fates)}"
        fields = {
            "audio": SOUND,
            "audio_format": "pcm16",
            **(FLAWS[step.flaw] if step.flaw else {}),
        }
        fields |= {"utterance_index": index, "trace_id": name, "request_id": f"r{name}"}
        self.fates[name] = step
        self.said[index] = Said(name, step, fields)
        await self._session.says(**fields)

    async def stream(self, step: Stream) -> None:
        number = len(self.fates)
        self.fates[f"u-{number}"] = step
        for first in range(0, step.packets, CHUNK):
            count = min(CHUNK, step.packets - first)
            await self._session.streams(opus(count, start=1_000 * number + first))
        if step.damaged:
            await self._session.streams(DAMAGE)
        if step.closed is Closed.FINAL:
            await self._session.streams(final=True)
        elif step.closed is Closed.PAUSE:
            await self._silence()

    async def leave_and_return(self, step: Return) -> None:
        """As the SDK does: it says what it has, and all that has no answer once more."""
        old = self._session
        if step.left is Left.SAID_AND_BROKEN:
            await self.say(Say())
        if step.left is Left.SEEMS_OPEN:
            await self._silence()
        live = self._live
        has = {frame["utterance_index"] for frame in self.in_turn}
        self._heard.append(list(old.peer.frames))
        if step.left is not Left.SEEMS_OPEN:
            old.peer.vanish()
            await old.peer.close()
            await until(lambda: live.away or live.ended)
        await until(lambda: all_placed(live), WITHIN_S)
        again: Json = {"resume_token": old.token}
        if self._script.says_what_it_has and has:
            again["last_utterance_index"] = max(has)
        for at in step.lost:
            peer = await self._connected(at)
            if await self._opened(peer, again):
                peer.vanish()
        self._at = step.to
        self._session = await self._resumed(again)
        for index in sorted(self.said.keys() - has):
            await self._session.says(**self.said[index].fields)

    async def hears_all(self) -> None:
        """After one utterance more, so that no gap is the last."""
        await self.say(Say())
        last = max(self.said)
        wanted = set(range(last + 1))
        try:
            await until(lambda: wanted <= {f["utterance_index"] for f in self.in_turn}, WITHIN_S)
        except TimeoutError:
            raise AssertionError(f"no answer within {WITHIN_S} s\n{self.told()}") from None

    async def end(self) -> None:
        """Say goodbye."""
        await self._session.ends()

    @property
    def outcomes(self) -> list[list[Json]]:
        """Of each connection."""
        return [[f for f in frames if f["type"] in OUTCOMES] for frames in self.frames]

    @property
    def in_turn(self) -> list[Json]:
        """All but late results."""
        return [f for frames in self.outcomes for f in frames if not f.get("late")]

    def told(self) -> str:
        """All that it knows, for who reads of a failure."""
        lines = [f"says what it has: {self._script.says_what_it_has}"]
        lines += [f"step {step}" for step in self._script.steps]
        lines += [f"said {index}: {one.name} {one.step}" for index, one in self.said.items()]
        lines += [f"fate of {name}: {step}" for name, step in self.fates.items()]
        for number, frames in enumerate(self.frames):
            lines.append(f"connection {number}:")
            lines += [f"  {brief(frame)}" for frame in frames if "utterance_index" in frame]
        return "\n".join(lines)

    @property
    def frames(self) -> list[list[Json]]:
        """All that came, connection by connection."""
        return [*self._heard, self._session.peer.frames]

    @property
    def _live(self) -> LiveSession:
        live = self._webs[self._at].process.sessions.get(self._session.id)
        assert live is not None, f"the session is not at process {self._at}\n{self.told()}"
        return live

    def _next_index(self) -> int:
        """That nobody has used: not the client, and, for its streams, not the service."""
        heard: list[int] = [f.get("utterance_index", -1) for frames in self.frames for f in frames]
        return max(self._live.intake.next_index, 1 + max((-1, *self.said, *heard)))

    async def _silence(self) -> None:
        """Until its stream is over, and has its index."""
        await self._session.peer.send(
            {"type": "client_heartbeat", "session_id": self._session.id, "timestamp": 0}
        )
        await self._session.peer.expect("server_heartbeat", WITHIN_S)
        stream, speaking = self._live.stream, self._webs[self._at].process.speaking
        await until(lambda: stream not in speaking, WITHIN_S)

    async def _connected(self, at: int) -> RawPeer:
        return await self._stack.enter_async_context(raw_peer(self._webs[at].session_url))

    async def _opened(self, peer: RawPeer, more: Json) -> HandSession | None:
        """None where it is to come back later. The session is over where it may not."""
        src, tgt = self._languages
        init = session_init(src, tgt, accepts=["resume"], **more)
        await peer.send(init)
        await until(lambda: peer.frames, WITHIN_S)
        ack = peer.frames[0]
        if ack.get("code") == "SCHEDULER_DEPENDENCY_DOWN":
            assert await peer.closed() == 1013
            return None
        assert ack["type"] == "session_init_ack", f"{ack}\n{self.told()}"
        return HandSession(peer, init, ack)

    async def _resumed(self, again: Json) -> HandSession:
        async with asyncio.timeout(WITHIN_S):
            while True:
                peer = await self._connected(self._at)
                if session := await self._opened(peer, again):
                    assert session.id == self._session.id
                    return session
                await asyncio.sleep(TICK_S)


def all_placed(live: LiveSession) -> bool:
    """Redis knows all its utterances: before that no other process can."""
    works = live.unfinished.values()
    return not len(live.refusals) and all(
        work.job and work.id not in live.process.asking for work in works
    )


def brief(frame: Json) -> str:
    """One line."""
    names = ("type", "utterance_index", "event", "text_translated", "reason", "code", "late")
    shown: dict[str, Any] = {name: frame[name] for name in names if name in frame}
    return " ".join(f"{name}={value}" for name, value in shown.items())
