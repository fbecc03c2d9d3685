"""What a session is told of how long things took, with a known delay at each hop."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from tests.harness.actors import hand_node, hand_session
from tests.harness.frames import now_ms
from tests.harness.relay import Relay

TO_SERVICE_S, TO_NODE_S, FROM_NODE_S, TO_CLIENT_S = 0.1, 0.2, 0.3, 0.4
WORK_S = 0.2
HELD_S = 0.2  # what a final may overtake is waited for
ALL_S = TO_SERVICE_S + TO_NODE_S + WORK_S + FROM_NODE_S + TO_CLIENT_S
SLACK_MS = 40


class Watch:
    """Runs from the first word on. What all took longer than it must, each part may have taken."""

    def __init__(self) -> None:
        self._began_ms = now_ms()

    def stop(self, least_s: float) -> None:
        """All is over, which takes at least so long."""
        self._excess_ms = now_ms() - self._began_ms - 1000 * least_s
        assert self._excess_ms >= -5

    def agrees(self, told_ms: float, *hops_s: float) -> bool:
        """Whether these hops may have taken as long as is told."""
        return abs(told_ms - 1000 * sum(hops_s)) <= self._excess_ms + SLACK_MS


@pytest.fixture
async def far(stage: AsyncExitStack, web):
    """A node and a session, each behind a slow line."""
    to_node = Relay(web.node_url, there_s=FROM_NODE_S, back_s=TO_NODE_S)
    to_session = Relay(web.session_url, there_s=TO_SERVICE_S, back_s=TO_CLIENT_S)
    for relay in (to_node, to_session):
        await stage.enter_async_context(relay)
    anna = hand_node(to_node.url, "anna", languages=["en", "zh"], slots=2)
    raw = {"audio_format": "pcm16", "sample_rate": 16_000}
    ben = hand_session(to_session.url, "en", "zh", **raw)
    return await stage.enter_async_context(anna), await stage.enter_async_context(ben)


async def worked(anna, job, *, acks: bool) -> None:
    if acks:
        await anna.acks(job)
    await asyncio.sleep(WORK_S)
    timings = {"service_timings": {"asr_ms": 120, "nmt_ms": 80, "total_ms": 200}}
    await anna.answers(job, "one", node_completed_at_ms=now_ms(), extra=timings)


async def test_each_hop_takes_as_long_as_is_said(far):
    (anna, ben), watch = far, Watch()
    await ben.streams(b"\1\0" * 1_600, final=True, client_timestamp_ms=now_ms())
    await worked(anna, await anna.job(), acks=True)
    result = await ben.hears()
    heard_ms = now_ms()
    watch.stop(ALL_S)
    network = result["network_timings"]
    assert network.keys() == {
        "web_to_scheduler_ms",
        "scheduler_to_node_ms",
        "node_to_scheduler_ms",
    }
    assert watch.agrees(network["web_to_scheduler_ms"], TO_SERVICE_S)
    assert watch.agrees(network["scheduler_to_node_ms"], TO_NODE_S)
    assert watch.agrees(network["node_to_scheduler_ms"], FROM_NODE_S)
    assert watch.agrees(heard_ms - result["scheduler_sent_at_ms"], TO_CLIENT_S)
    assert result["service_timings"] == {"asr_ms": 120, "nmt_ms": 80, "total_ms": 200}


async def test_what_cannot_be_known_is_left_out(far):
    """The client gives no time, and the node does not acknowledge: as deployed ones do."""
    anna, ben = far
    await ben.streams(b"\1\0" * 1_600, final=True)
    await worked(anna, await anna.job(), acks=False)
    network = (await ben.hears())["network_timings"]
    assert network.keys() == {"node_to_scheduler_ms"}


async def test_events_say_when_each_step_was_reached(far):
    (anna, ben), watch = far, Watch()
    await ben.streams(b"\1\0" * 1_600)
    await asyncio.sleep(0.1)
    await ben.streams(final=True)
    job = await anna.job()
    await anna.acks(job)
    await asyncio.sleep(WORK_S)
    await anna.hears_so_far(job, "o")
    await anna.answers(job, "one")
    await ben.hears()
    watch.stop(0.1 + HELD_S + ALL_S)
    told = {event["event"]: event["elapsed_ms"] for event in ben.peer.of_type("ui_event")}
    hops = (TO_NODE_S, FROM_NODE_S)
    assert watch.agrees(told["INPUT_STARTED"])
    assert watch.agrees(told["INPUT_ENDED"], 0.1, HELD_S)
    assert watch.agrees(told["DISPATCHED"])
    assert watch.agrees(told["NODE_ACCEPTED"], *hops)
    assert watch.agrees(told["ASR_PARTIAL"], *hops, WORK_S)
    assert watch.agrees(told["NMT_DONE"], *hops, WORK_S)
