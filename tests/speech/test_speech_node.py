"""Speech in, speech out: made by espeak-ng, understood, translated and spoken by a real node."""

import base64
import io
import os
import re
import signal
import subprocess
import wave
from array import array

import msgspec
import psutil
import pytest
from examples import speech_node

from parley import Answer, Missing, Session
from parley.audio import SAMPLE_RATE, duration_ms, pcm16_from_wav
from parley.frames import AsrPartial
from tests.peers.server import FakeServer
from tests.peers.until import until
from tests.sdk.nodes import assignment, welcome

MISSING = speech_node.missing()
SPEECH_NODE = "sdk/examples/speech_node.py"

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")

LOADED_S = 60.0
ENGLISH_TO_SPANISH = {
    "I would like to go to the hospital.": {"gustaría", "hospital"},
    "Thank you very much.": {"gracias"},
    "Where is the train station?": {"dónde", "tren"},
}


def spoken(english: str) -> bytes:
    """A WAV in a voice and at a pace that the recogniser understands well."""
    voice = ("-v", "en-us+f5", "-s", "150", "-p", "60")
    return subprocess.check_output(["espeak-ng", *voice, "--stdout", english])


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def assert_is_speech(wav: bytes) -> None:
    """It can be played: 16 kHz, mono, 16 bit, for at least half a second, and it is not silence."""
    with wave.open(io.BytesIO(wav)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (16_000, 1, 2)
        samples = array("h", sound.readframes(sound.getnframes()))
    assert len(samples) > SAMPLE_RATE / 2
    assert max(map(abs, samples)) > 3_000


async def test_english_speech_comes_back_as_spanish_speech(url, start):
    node = await start(SPEECH_NODE, at=url)
    await node.says("(ready)", LOADED_S)
    async with Session(url, src_lang="en", tgt_lang="es") as session:
        answers = [await session.say(spoken(english)) for english in ENGLISH_TO_SPANISH]
        session.finish()
        shown = [event.text async for event in session if isinstance(event, AsrPartial)]

    for answer, (english, spanish) in zip(answers, ENGLISH_TO_SPANISH.items(), strict=True):
        assert isinstance(answer, Answer)
        assert answer.text_asr == english
        assert spanish <= words(answer.text_translated)
        assert_is_speech(answer.wav)
    assert shown == list(ENGLISH_TO_SPANISH)


async def test_its_timings_are_those_of_its_steps(url, start):
    node = await start(SPEECH_NODE, at=url)
    await node.says("(ready)", LOADED_S)
    async with Session(url, src_lang="en", tgt_lang="es") as session:
        answer = await session.say(spoken("Thank you very much."))
    assert isinstance(answer, Answer)
    timings = msgspec.to_builtins(answer.frame.service_timings)
    total_ms = timings.pop("total_ms")
    assert set(timings) == {"asr_ms", "nmt_ms", "tts_ms"}
    assert min(timings.values()) > 0
    assert sum(timings.values()) == total_ms


async def test_it_claims_nothing_but_english_to_spanish(url, start):
    node = await start(SPEECH_NODE, at=url)
    await node.says("(ready)", LOADED_S)
    for src_lang, tgt_lang in (("es", "en"), ("en", "en"), ("en", "zh")):
        async with Session(url, src_lang=src_lang, tgt_lang=tgt_lang) as session:
            outcome = await session.say(spoken("Thank you very much."))
        assert isinstance(outcome, Missing)
        assert outcome.code == "NO_CAPABLE_NODE"


async def test_silence_is_answered_as_such(url, start):
    node = await start(SPEECH_NODE, at=url)
    await node.says("(ready)", LOADED_S)
    async with Session(url, src_lang="en", tgt_lang="es") as session:
        outcome = await session.say(bytes(2 * SAMPLE_RATE))
    assert isinstance(outcome, Missing)
    assert outcome.reason == "silence_detected"


async def test_it_heartbeats_and_can_be_cancelled_and_stopped_while_it_listens(start):
    async with FakeServer() as server:
        node = await start(SPEECH_NODE, at=server.url)
        peer = await welcome(server, within_s=LOADED_S)
        long_speech = 10 * pcm16_from_wav(spoken("Where is the train station?"))
        assert duration_ms(long_speech) > 10_000
        await peer.send(assignment(audio=base64.b64encode(long_speech).decode(), tgt_lang="es"))
        await peer.expect("job_started")
        await peer.send({"type": "node_control", "command": "refresh"})
        await peer.expect("node_heartbeat")
        await peer.send({"type": "job_cancel", "job_id": "job-1"})
        result = await peer.expect("job_result")
        assert result["error"]["code"] == "CANCELLED"
        node.process.terminate()
        assert (await node.ended(within_s=5))[0] == 0


async def test_it_ends_when_its_recogniser_has_died(start):
    """Whoever started it starts another one; what it was sent is answered before."""
    async with FakeServer() as server:
        node = await start(SPEECH_NODE, at=server.url)
        peer = await welcome(server, within_s=LOADED_S)
        family = psutil.Process(node.process.pid).children()
        [recogniser] = [one for one in family if "spawn_main" in " ".join(one.cmdline())]
        recogniser.kill()
        await peer.send(assignment(tgt_lang="es"))
        result = await peer.expect("job_result")
        assert not result["success"]
        await node.ended(within_s=10)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_nothing_of_it_stays_behind(url, start, number):
    node = await start(SPEECH_NODE, at=url)
    await node.says("(ready)", LOADED_S)
    family = psutil.Process(node.process.pid).children(recursive=True)
    assert family
    os.kill(node.process.pid, number)
    await until(lambda: not any(child.is_running() for child in family), within_s=10)
