"""Clients that leave without a word and come back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from jobs.consumers import SessionConsumer
from tests.harness.actors import HandNode, HandSession
from tests.harness.frames import now_ms, session_init
from tests.harness.loss import forget_everything
from tests.harness.relay import Relay
from tests.harness.web import Web
from tests.peers.raw import RawPeer, raw_peer
from tests.peers.until import until

RESUME: dict[str, Any] = {"accepts": ["resume"]}


async def vanished(session: HandSession, web: Web) -> None:
    """Its network is gone, and the process has noticed."""
    live = web.process.sessions.get(session.id)
    assert live is not None
    session.peer.vanish()
    await until(lambda: live.away)


def redis_forgets(*webs: Web) -> None:
    """Everything, and these processes find out at once."""
    forget_everything(webs[0].store.url, webs[0].store.prefix)
    for web in webs:
        web.process.suspect(0)


async def heard(session: HandSession) -> None:
    """It has its acknowledgement, and says something."""
    beat = {"type": "client_heartbeat", "session_id": session.id, "timestamp": now_ms()}
    await session.peer.send(beat)
    await session.peer.expect("server_heartbeat")


async def answered(anna: HandNode, ben: HandSession, *texts: str) -> None:
    """The session says so many utterances, and hears these texts."""
    for text in texts:
        await ben.says()
        await anna.answers(await anna.job(), text)
        assert (await ben.hears())["text_translated"] == text


async def refused(url: str, code: str = "INVALID_SESSION", closed: int = 4400, **init: Any) -> None:
    """Whoever opens a session like this does not get it."""
    async with raw_peer(url) as peer:
        await peer.send(session_init("en", "zh", **init))
        await peer.expect("error", code=code)
        assert await peer.closed() == closed


@asynccontextmanager
async def asking(gone: HandSession, web: Web, **init: Any) -> AsyncIterator[tuple[RawPeer, Relay]]:
    """The client asks to come back, and nothing that the server says gets to it; the connection
    stands.
    """
    token = {"resume_token": gone.token, **RESUME}
    async with Relay(web.session_url) as relay, raw_peer(relay.url) as peer:
        relay.loses = True
        await peer.send(session_init("en", "zh", **{**token, **init}))
        yield peer, relay


@asynccontextmanager
async def unheard_of(gone: HandSession, web: Web, **init: Any) -> AsyncIterator[RawPeer]:
    """The client is back, and the answer that says so is lost."""
    async with asking(gone, web, **init) as (peer, relay):
        await until(lambda: b"session_init_ack" in relay.lost)
        yield peer


def lose_acknowledgements(monkeypatch: pytest.MonkeyPatch, count: int) -> list[str]:
    """Of so many returns from now on: the connection breaks with them. What was lost."""
    send, lost = SessionConsumer.send_frame, list[str]()

    def in_vain(consumer: SessionConsumer, frame: bytes, **how: bool) -> bool:
        if b'"session_init_ack"' not in frame or len(lost) >= count:
            return send(consumer, frame, **how)
        lost.append(frame.decode())
        consumer.outbox.drop("its cable was pulled")
        return False

    monkeypatch.setattr(SessionConsumer, "send_frame", in_vain)
    return lost
