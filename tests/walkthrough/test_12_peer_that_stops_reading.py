"""A node that takes nothing from its socket any more is dropped, and its jobs go elsewhere."""

import base64

from tests.harness.actors import hand_node
from tests.peers.until import until

LARGE = base64.b64encode(bytes(3 * 2**20)).decode()
FILLS_ALL_BUFFERS = 6


def events(session, kind):
    return sum(frame["event"] == kind for frame in session.peer.of_type("ui_event"))


async def test_its_jobs_go_elsewhere(parley, stage, node, session):
    deaf = hand_node(
        parley.node_url, "deaf", languages=["en", "zh"], slots=FILLS_ALL_BUFFERS, reads=False
    )
    await stage.enter_async_context(deaf)
    ben = await session("en", "zh")
    for _ in range(FILLS_ALL_BUFFERS):
        await ben.says(LARGE, audio_format="pcm16")
    await until(lambda: events(ben, "DISPATCHED") == FILLS_ALL_BUFFERS)

    anna = await node("anna", slots=FILLS_ALL_BUFFERS)
    for _ in range(FILLS_ALL_BUFFERS):
        job = await anna.job(within_s=10)
        await anna.answers(job, f"{job['session_utterance_index']}")
    answers = [(await ben.hears(within_s=10))["text_translated"] for _ in range(FILLS_ALL_BUFFERS)]
    assert answers == list("012345")
    await until(lambda: len(parley.registry) == 1)


async def test_others_are_served_meanwhile(parley, stage, node, session):
    deaf = hand_node(
        parley.node_url, "deaf", languages=["en", "ja"], slots=FILLS_ALL_BUFFERS, reads=False
    )
    await stage.enter_async_context(deaf)
    anna, ben, kai = await node("anna"), await session("en", "zh"), await session("en", "ja")
    for _ in range(FILLS_ALL_BUFFERS):
        await kai.says(LARGE, audio_format="pcm16")

    for _ in range(5):
        await ben.says()
        await anna.answers(await anna.job(within_s=1), "你好")
        assert (await ben.hears(within_s=1))["text_translated"] == "你好"
