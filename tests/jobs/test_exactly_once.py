"""Each utterance has one answer, in its turn, whatever becomes of nodes, jobs and connections."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from jobs.settings import JobSettings, OrderSettings, StreamSettings
from lua.client import StoreSettings
from lua.limits import Limits
from nodes.settings import NodeSettings
from tests.harness.web import Web
from tests.jobs.once.client import Client
from tests.jobs.once.rules import broken_rules
from tests.jobs.once.steps import (
    LONGEST_PART,
    TICK_S,
    Cut,
    Pass,
    Return,
    Say,
    Script,
    Stream,
    scripts,
)
from tests.jobs.once.workers import Worker
from tests.lua.proxy import Proxy

QUICK = JobSettings(
    order=OrderSettings(gap_ms=150, patient_gap_ms=300),
    streams=StreamSettings(
        stream_timeout_ms=120, stream_duration_ms=20 * LONGEST_PART, final_hold_ms=5
    ),
    unfinished_jobs=8,
    pause_ms=150,
    lease_pause_ms=200,
    reap_pause_ms=50,
)
LIMITS = Limits(grace_ms=100, lonely_grace_ms=300, job_timeout_ms=1_000, session_jobs=2)


class Story:
    """A client and two nodes that only it has, one at each process."""

    def __init__(
        self,
        webs: list[Web],
        proxies: list[Proxy],
        stack: AsyncExitStack,
        number: int,
        script: Script,
    ) -> None:
        languages = (f"q{chr(ord('a') + number)}a", f"q{chr(ord('a') + number)}b")
        self._proxies = proxies
        self._script = script
        self._client = Client(webs, stack, languages, script)
        self._workers = [
            Worker(web.node_url, f"{number}-{at}", languages, self._client.fates)
            for at, web in enumerate(webs)
        ]

    async def run(self, *, cuts: bool) -> list[str]:
        """What was wrong with it. ``cuts``: it, or another one, cuts connections to Redis."""
        working = [asyncio.create_task(worker.live()) for worker in self._workers]
        try:
            for worker in self._workers:
                await worker.is_in.wait()
            await self._client.begin()
            for step in self._script.steps:
                await self._take(step)
            await self._client.hears_all()
            for worker in self._workers:
                await worker.answer_what_it_kept()
            await self._client.hears_all()
            await self._client.end()
        finally:
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)
        repeats = not self._script.says_what_it_has
        wrong = list(broken_rules(self._client, repeats=repeats, cuts=cuts))
        return [*wrong, self._client.told()] if wrong else []

    async def _take(self, step: object) -> None:
        match step:
            case Say():
                await self._client.say(step)
            case Stream():
                await self._client.stream(step)
            case Return():
                await self._client.leave_and_return(step)
            case Cut(of, unanswered):
                self._proxies[of].cut_reply() if unanswered else self._proxies[of].cut()
            case Pass(ticks):
                await asyncio.sleep(ticks * TICK_S)


@pytest.mark.timeout(300)
@settings(
    max_examples=12,
    deadline=None,
    phases=(Phase.reuse, Phase.generate),  # a failure names its story: no need to look for others
    report_multiple_bugs=False,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(told=st.lists(scripts, min_size=1, max_size=6))
async def test_whatever_happens_each_utterance_has_one_answer_in_its_turn(redis_url, prefix, told):
    """The sessions have nothing to do with each other but the processes, and what cuts them off."""
    async with AsyncExitStack() as stack:
        proxies = [await stack.enter_async_context(Proxy(redis_url)) for _ in "ab"]
        stores = [StoreSettings(proxy.url, prefix, limits=LIMITS) for proxy in proxies]
        webs = [await stack.enter_async_context(Web(one, QUICK, NodeSettings())) for one in stores]
        stories = [Story(webs, proxies, stack, number, one) for number, one in enumerate(told)]
        cuts = any(isinstance(step, Cut) for one in told for step in one.steps)
        wrong = await asyncio.gather(*(story.run(cuts=cuts) for story in stories))
    assert not any(wrong), "\n".join(line for lines in wrong for line in lines)
