"""Two people talk for 200 utterances, over the page and the agent that are deployed."""

from __future__ import annotations

import asyncio
import base64
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from jobs.settings import JobSettings, StreamSettings
from lua.client import Cells, StoreSettings
from lua.limits import Limits
from nodes.settings import NodeSettings
from tests.harness.web import Web
from tests.lua.invariants import assert_cell_sound
from tests.peers.agent import Agent
from tests.peers.until import until
from tests.peers.web_client import WebClient

Json = dict[str, Any]

UTTERANCES = 200
PACE = 0.02  # of the peers; the service's own times are in about the same proportion
STREAMS = StreamSettings(stream_timeout_ms=150, final_hold_ms=20, playing_ms=1_200)
JOBS = JobSettings(streams=STREAMS, pause_ms=150, flush_ms=150, lease_pause_ms=200)
LIMITS = Limits(lonely_grace_ms=5_000)
BOTH_WAYS = {
    "src_lang": "en",
    "tgt_lang": "zh",
    "mode": "two_way_auto",
    "lang_a": "en",
    "lang_b": "zh",
}
SILENT = b"\x00"
SLOW_S = 0.15  # how long a slow agent works on a job
BREATH_S = 0.03  # between two sentences: longer than a final is held
FULL = 510  # packets, as many as one utterance may have
LONG = 560


def spoken_in(job: Json) -> list[bytes]:
    """The packets of a job."""
    sound, packets = base64.b64decode(job["audio"]), []
    while sound:
        length = int.from_bytes(sound[:2], "little")
        packets.append(sound[2 : 2 + length])
        sound = sound[2 + length :]
    return packets


def heard_by_agent(job: Json) -> Json | None:
    """Nothing in silence; for a part of a long turn it waits for the rest, and says nothing."""
    if all(packet.startswith(SILENT) for packet in spoken_in(job)):
        return {"success": False, "extra": {"reason": "ASR_EMPTY"}}
    if job["is_max_duration_triggered"]:
        return None
    return {"text_asr": "a", "text_translated": "b", "tts_audio": "AAAA", "tts_format": "wav"}


class Talk:
    """What is said: every packet is another one, so that none is lost or doubled unseen."""

    def __init__(self, page: WebClient, agent: Agent) -> None:
        self.page = page
        self.agent = agent
        self.said: list[bytes] = []
        self._heard: list[bytes] = []
        self._listened = 0  # jobs of the agent
        self._numbers = itertools.count()

    def packets(self, count: int, *, silent: bool = False) -> list[bytes]:
        begin = SILENT if silent else b"\x01"
        return [begin + next(self._numbers).to_bytes(4, "little") for _ in range(count)]

    async def say(self, count: int, *, silent: bool = False, **how: bool) -> None:
        """One utterance."""
        packets = self.packets(count, silent=silent)
        self.said += packets
        await self.page.says(packets, **how)

    async def hear(self) -> None:
        """Waits until all that was said has its answer."""
        await self.page.quiet()
        await until(lambda: len(self.heard()) >= len(self.said) and self._all_answered(), 20)
        assert self.heard() == self.said

    def heard(self) -> list[bytes]:
        """By the agent, job after job."""
        for job in self.agent.jobs[self._listened :]:
            self._listened += 1
            self._heard += spoken_in(job)
        return self._heard

    def _all_answered(self) -> bool:
        jobs = {(job["session_id"], job["session_utterance_index"]) for job in self.agent.jobs}
        told = {(one["session_id"], one["utterance_index"]) for one in self.page.answers}
        return jobs <= told


@pytest.fixture
async def talk(redis_url: str, prefix: str) -> AsyncIterator[Talk]:
    store = StoreSettings(url=redis_url, prefix=prefix, limits=LIMITS)
    async with AsyncExitStack() as stage:
        web = await stage.enter_async_context(Web(store, JOBS, NodeSettings()))
        agent = Agent(web.node_url, node_id="old", pace=PACE, answer=heard_by_agent)
        await stage.enter_async_context(agent)
        page = WebClient(web.session_url, pace=PACE, **BOTH_WAYS)
        await stage.enter_async_context(page)
        yield Talk(page, agent)
        async with Cells(store) as cells:
            await assert_cell_sound(cells)


async def usual(talk: Talk) -> None:
    await talk.say(20)
    await talk.hear()


async def silence(talk: Talk) -> None:
    """Something that is no speech, and no final: only the timeout ends it."""
    await talk.say(10, silent=True, final=False)
    await talk.hear()


async def hasty(talk: Talk) -> None:
    """The final overtakes the last sound."""
    await talk.say(20, early=True)
    await talk.hear()


async def barge_in(talk: Talk) -> None:
    """The other one begins while the translation is still being played."""
    await talk.say(10)
    await asyncio.wait_for(talk.page.playing.wait(), 10)
    await talk.say(10)
    await talk.hear()


async def long_turn(talk: Talk) -> None:
    await talk.say(LONG)
    await talk.hear()


async def full_turn(talk: Talk) -> None:
    """As long as an utterance may be, and not a packet more: that is how the turn ends."""
    await talk.say(FULL)
    await talk.hear()


async def crowded(talk: Talk) -> None:
    """Four sentences in a row, for a slow agent with two slots: some wait, the page is paused."""
    talk.agent.silence_s = SLOW_S
    for _ in range(4):
        await talk.say(5)
        await asyncio.sleep(BREATH_S)
    await talk.hear()
    talk.agent.silence_s = 0.0


async def page_goes(talk: Talk) -> None:
    """In the middle of a sentence, which is lost, and said again."""
    await talk.hear()
    talk.page.vanish()
    await talk.page.says(talk.packets(5))
    await asyncio.wait_for(talk.page.ready.wait(), 10)
    await usual(talk)


async def agent_goes(talk: Talk) -> None:
    """What is said meanwhile waits for it."""
    talk.agent.vanish()
    await talk.say(20)
    await asyncio.wait_for(talk.agent.registered.wait(), 10)
    await talk.hear()


COUNTED = {usual: 1, silence: 1, hasty: 1, barge_in: 2, long_turn: 1, full_turn: 1, crowded: 4}
SHORT = (usual, silence, hasty, barge_in, usual, usual)
ROUND = (*SHORT, long_turn, crowded, usual, full_turn, silence)


@pytest.mark.timeout(180)
async def test_nobody_is_muted_locked_out_or_shown_an_error(talk: Talk) -> None:
    said = 0
    for number, scene in enumerate(itertools.cycle(ROUND)):
        await scene(talk)
        said += COUNTED[scene]
        if said >= UTTERANCES:
            break
        if number == len(ROUND):
            await page_goes(talk)
        if number == 2 * len(ROUND):
            await agent_goes(talk)

    page, agent = talk.page, talk.agent
    assert (page.boxes, page.muted, page.refusals) == ([], False, 0)
    assert (len(page.sessions), page.closes) == (2, [1006])
    assert (agent.refused, agent.gave_up.is_set()) == ([], False)
    assert {one["action"] for one in page.received if one["type"] == "backpressure"} == {"PAUSE"}
    assert page.pauses >= 3
    for session in page.sessions:
        indexes = [one["utterance_index"] for one in page.answers if one["session_id"] == session]
        assert indexes == list(range(len(indexes)))
    reasons = Counter(one.get("reason", "result") for one in page.answers)
    assert reasons.keys() == {"result", "silence_detected"}, reasons
    assert reasons["result"] >= 0.7 * UTTERANCES
