"""An utterance goes to a node, and its translation comes back."""

import base64

from parley import Job, Node, Result, Session
from parley.audio import tone, unwrap_wav
from tests.harness.books import life_of
from tests.harness.frames import AUDIO


async def test_an_utterance_is_answered_with_its_translation(parley):
    node = Node(parley.node_url, languages=["en", "zh"])

    @node.translate
    async def translate(job: Job) -> Result:
        return Result(text_asr="hello", text_translated="你好", audio=tone(0.2))

    async with node, Session(parley.session_url, src_lang="en", tgt_lang="zh") as session:
        outcome = await session.say(AUDIO / "hello.wav")

    assert outcome.ok
    assert (outcome.text_asr, outcome.text_translated) == ("hello", "你好")
    assert outcome.audio == tone(0.2)


async def test_on_the_wire_it_is_one_frame_to_the_node_and_one_back(parley, node, session):
    anna, ben = await node("anna"), await session("en", "zh")
    index = await ben.says()

    job = await anna.job()
    assert (job["src_lang"], job["tgt_lang"], job["attempt_id"]) == ("en", "zh", 1)
    await anna.answers(job, "你好", tts_audio="AAAA", tts_format="pcm16")

    result = await ben.hears()
    assert (result["utterance_index"], result["job_id"]) == (index, job["job_id"])
    assert (result["text_translated"], result["tts_audio"]) == ("你好", "AAAA")


async def test_the_node_hears_exactly_what_was_said(node, session):
    anna, ben = await node("anna"), await session("en", "zh")
    await ben.says()
    job = await anna.job()
    samples, rate = unwrap_wav((AUDIO / "hello.wav").read_bytes())
    assert base64.b64decode(job["audio"]) == samples
    assert (job["audio_format"], job["sample_rate"]) == ("pcm16", rate)


async def test_its_life_is_recorded(parley, node, session):
    anna, ben = await node("anna"), await session("en", "zh")
    await ben.says()
    job = await anna.job()
    await anna.acks(job)
    await anna.answers(job, "你好")
    await ben.hears()
    assert life_of(parley.store, job["job_id"]) == (
        "NEW SELECTING RESERVED DISPATCHED / DISPATCHED ACKED / ACKED DONE"
    )
