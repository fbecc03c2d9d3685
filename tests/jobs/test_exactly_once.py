"""Each utterance has one answer, in its turn, whatever becomes of nodes, jobs and connections."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.settings import JobSettings, OrderSettings
from nodes.settings import NodeSettings
from tests.harness.actors import HandNode, HandSession, hand_node, hand_session
from tests.harness.frames import job_result
from tests.harness.web import Web
from tests.peers.until import until

QUICK = JobSettings(
    order=OrderSettings(gap_ms=150, patient_gap_ms=300), lease_pause_ms=200, reap_pause_ms=50
)
TICK_S = 0.02
NODES = ("anna", "mary")


@dataclass
class Fate:
    """What becomes of an utterance: how nodes end it, and how long that takes; whether the
    connection breaks after it was said, and to which process it is made again.
    """

    end: str
    ticks: int
    back_at: int | None


@dataclass
class Story:
    """One session; ``heard`` is what came over all its connections."""

    webs: list[Web]
    fates: list[Fate]
    session: HandSession
    stack: AsyncExitStack
    heard: list[dict] = field(default_factory=list)
    held: list[tuple[HandNode, dict]] = field(default_factory=list)

    @property
    def in_turn(self) -> list[dict]:
        """All but late results."""
        return [frame for frame in [*self.heard, *self.session.outcomes] if not frame.get("late")]

    @property
    def everything(self) -> list[dict]:
        return [*self.heard, *self.session.outcomes]

    async def work(self, node: HandNode) -> None:
        """A node does with each job what it is fated to, one beside the other."""
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(self._end(node, await node.job(within_s=60)))

    async def _end(self, node: HandNode, job: dict) -> None:
        index = job["session_utterance_index"]
        fate = self.fates[index] if index < len(self.fates) else Fate("answered", 0, None)
        await asyncio.sleep(fate.ticks * TICK_S)
        if fate.end == "kept":
            self.held.append((node, job))
        elif fate.end == "refused":
            await node.fails(job, "INVALID_SPEECH")
        elif fate.end == "tried again" and job["attempt_id"] == 1:
            await node.fails(job, "INTERNAL_ERROR")
        elif fate.end == "silent":
            nothing = {"text_asr": "", "extra": {"reason": "ASR_EMPTY"}}
            await node.peer.send(job_result(job, node.name, **nothing))
        else:
            await node.answers(job, str(index))

    async def say(self) -> None:
        """All of it, and one more, so that no gap is the last."""
        for index, fate in enumerate(self.fates):
            await self._say(index)
            if fate.back_at is not None:
                await self._break(fate.back_at, said=index + 1)
        await self._say(len(self.fates))
        await until(lambda: len(self.in_turn) > len(self.fates), 20)

    async def _say(self, index: int) -> None:
        await self.session.says(utterance_index=index, request_id=f"r-{index}")

    async def _break(self, at: int, *, said: int) -> None:
        """The client comes back and does as the SDK: says what it has, and the rest again."""
        gone = self.session
        gone.peer.vanish()
        await gone.peer.close()
        self.heard += gone.outcomes
        last = {frame["utterance_index"] for frame in self.heard if not frame.get("late")}
        init = {"last_utterance_index": max(last)} if last else {}
        init |= {"resume_token": gone.token, "accepts": ["resume"]}
        joining = hand_session(self.webs[at].session_url, "en", "zh", **init)
        self.session = await self.stack.enter_async_context(joining)
        assert self.session.id == gone.id
        for index in sorted(set(range(said)) - last):
            await self._say(index)

    async def answer_what_was_kept(self) -> None:
        """Too late, mostly."""
        for node, job in self.held:
            await node.answers(job, str(job["session_utterance_index"]))
        await self._say(len(self.fates) + 1)
        await until(lambda: len(self.in_turn) > len(self.fates) + 1, 20)

    def assert_each_has_one_answer(self) -> None:
        assert [frame["utterance_index"] for frame in self.in_turn] == list(
            range(len(self.fates) + 2)
        )
        late = [frame for frame in self.everything if frame.get("late")]
        assert all(n == 1 for n in Counter(frame["utterance_index"] for frame in late).values())
        gaps = {f["utterance_index"] for f in self.in_turn if f.get("reason") == "gap_timeout"}
        assert {frame["utterance_index"] for frame in late} <= gaps
        for frame in self.everything:
            if frame["type"] == "translation_result":
                assert frame["text_translated"] == str(frame["utterance_index"])
            else:
                self._assert_fated(frame)

    def _assert_fated(self, missing: dict) -> None:
        end = self.fates[missing["utterance_index"]].end
        expected = {"refused": "job_failed", "silent": "silence_detected"}.get(end)
        assert missing["reason"] in (expected, "gap_timeout")


ENDS = ("answered", "answered", "answered", "tried again", "refused", "silent", "kept")
FATES = st.builds(
    Fate,
    end=st.sampled_from(ENDS),
    ticks=st.integers(0, 6),
    back_at=st.sampled_from((None, None, None, 0, 1)),
)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(fates=st.lists(FATES, min_size=2, max_size=8))
async def test_whatever_happens_each_utterance_has_one_answer_in_its_turn(store, fates):
    async with AsyncExitStack() as stack:
        webs = [await stack.enter_async_context(Web(store, QUICK, NodeSettings())) for _ in "ab"]
        nodes = [
            await stack.enter_async_context(
                hand_node(web.node_url, name, languages=["en", "zh"], slots=8)
            )
            for web, name in zip(webs, NODES, strict=True)
        ]
        first = hand_session(webs[0].session_url, "en", "zh", accepts=["resume"])
        story = Story(webs, fates, await stack.enter_async_context(first), stack)
        working = [asyncio.create_task(story.work(node)) for node in nodes]
        await story.say()
        await story.answer_what_was_kept()
        story.assert_each_has_one_answer()
        await story.session.ends()
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
