"""`python -m parley.say` and `python -m parley.demo` as a person starts them."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

import pytest

from parley import Session, SessionError
from parley.audio import load_wav
from parley.say import say
from tests.peers.raw import RawPeer
from tests.peers.server import FakeServer
from tests.sdk import nodes, sessions

ROOT = Path(__file__).parent.parent.parent
AUDIO = ROOT / "tests" / "audio"


async def start(module: str, *arguments: object) -> Process:
    words = [sys.executable, "-m", module, *map(str, arguments)]
    return await asyncio.create_subprocess_exec(*words, cwd=ROOT / "sdk", stdout=PIPE, stderr=PIPE)


async def answer_all(server: FakeServer, answers: list[dict[str, Any]]) -> RawPeer:
    """Plays the service for one client: each utterance gets the next answer."""
    peer = await sessions.welcome(server)
    for index, answer in enumerate(answers):
        await peer.expect("utterance", utterance_index=index)
        await peer.send(answer)
    await peer.expect("session_close")
    await peer.send({"type": "session_close_ack", "session_id": "s-00000001"})
    return peer


async def test_say_prints_what_was_heard_and_said_and_saves_the_sound(
    server: FakeServer, tmp_path: Path
) -> None:
    spoken = tmp_path / "answer.wav"
    answers = [sessions.result(n, service_timings={"total_ms": 412}) for n in range(2)]
    answering = asyncio.create_task(answer_all(server, answers))
    files = [AUDIO / "hello.wav", AUDIO / "hello-44k-stereo.wav"]
    where = ["--from", "en", "--to", "zh", "--url", server.url]
    process = await start("parley.say", *files, *where, "--save", spoken)
    output, _ = await process.communicate()
    peer = await answering
    assert process.returncode == 0
    assert output.decode().splitlines() == [
        "hello.wav (1.9 s)",
        "  heard  hello",
        "  said   你好 0",
        "  took   412 ms on the node",
        f"  spoken {spoken}",
        "hello-44k-stereo.wav (1.1 s)",
        "  heard  hello",
        "  said   你好 1",
        "  took   412 ms on the node",
        f"  spoken {tmp_path / 'answer-2.wav'}",
    ]
    assert load_wav(spoken) == b"\1\0"
    init = peer.of_type("session_init")[0]
    assert (init["src_lang"], init["tgt_lang"]) == ("en", "zh")


async def test_say_tells_what_failed_and_what_to_do(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    failure = sessions.missing(0, code="QUEUE_TIMEOUT", message="waited 10 s")
    answering = asyncio.create_task(answer_all(server, [failure]))
    session = Session(server.url, src_lang="en", tgt_lang="zh")
    assert await say([AUDIO / "thanks.wav"], session) is False
    await answering
    assert capsys.readouterr().out.splitlines() == [
        "thanks.wav (1.5 s)",
        "  no translation (job_failed) QUEUE_TIMEOUT: waited 10 s",
        "  No node became free in time: try again in a moment.",
    ]


async def test_say_does_not_wait_for_ever_for_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parley.say.CONNECT_S", 0.2)
    session = Session("ws://127.0.0.1:1/ws/session", src_lang="en", tgt_lang="zh")
    with pytest.raises(SessionError, match="no answer from ws://127"):
        await say([AUDIO / "thanks.wav"], session)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([AUDIO / "make.sh", "--to", "zh"], "error: not a WAV file"),
        (["none.wav", "--to", "zh"], "No such file"),
        ([AUDIO / "hello.wav", "--to", "zh", "--url", "http://x"], "isn't a valid URI"),
    ],
)
async def test_say_explains_what_is_wrong_with_its_arguments(
    arguments: list[object], said: str
) -> None:
    process = await start("parley.say", *arguments)
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert said in errors.decode()
    assert "Traceback" not in errors.decode()


async def test_a_demo_node_answers_with_a_mark_and_a_tone_until_sigterm(
    server: FakeServer,
) -> None:
    process = await start("parley.demo", "--url", server.url, "--node-id", "x", "--latency-ms", 20)
    assert process.stdout is not None
    assert b"x: simulated" in await process.stdout.readline()
    peer = await nodes.welcome(server, "x")
    register = peer.of_type("node_register")[0]
    assert (register["node_id"], register["version"]) == ("x", "demo (simulated)")
    await peer.send(nodes.assignment())
    assert (await peer.expect("asr_partial"))["text"] == "[demo] 0.0 s of speech in en"
    result = await peer.expect("job_result")
    assert result["text_translated"] == "[demo] the same, said in zh"
    assert result["extra"]["service_timings"]["total_ms"] == 20
    assert len(result["tts_audio"]) > 10_000
    process.send_signal(signal.SIGTERM)
    assert await peer.closed() == 1000
    assert await asyncio.wait_for(process.wait(), 5) == 0


async def test_many_demo_nodes_may_fail_and_come_back(server: FakeServer) -> None:
    where = ["--url", server.url, "--languages", "en, ja"]
    process = await start(
        "parley.demo", *where, "--count", 2, "--failure-rate", 1, "--latency-ms", 0
    )
    peers = [await server.accept() for _ in range(2)]
    registers = [await peer.expect("node_register") for peer in peers]
    assert {register["node_id"] for register in registers} == {"demo-en-ja-1", "demo-en-ja-2"}
    assert registers[0]["language_capabilities"]["asr_languages"] == ["en", "ja"]
    peers[0].vanish()
    peer = await nodes.welcome(server, registers[0]["node_id"])
    await peer.send(nodes.assignment())
    assert (await peer.expect("job_result"))["error"]["code"] == "PROCESSING_ERROR"
    process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(process.wait(), 5) == 0
