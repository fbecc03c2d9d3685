"""The programs of the README, against a whole web process."""

from parley.audio import duration_ms, load_wav, tone
from tests.harness.frames import AUDIO
from tests.peers.until import until

HELLO = AUDIO / "hello.wav"


async def test_a_node_and_a_session_in_ten_lines(web, url, start):
    node = await start("sdk/examples/node.py", at=url)
    await until(lambda: web.process.snapshot.pools(0), 30)
    session = await start("sdk/examples/session.py", HELLO, at=url)
    assert await node.says("ms of speech") == "1898 ms of speech, en to es"
    assert await session.ended() == (0, ["buenos días"])


async def test_demo_nodes_answer_what_say_says(url, start, tmp_path):
    words = ("demo_nodes", 2, "--languages", "en,zh", "--latency-ms", 10, "--url", url)
    demo = await start("manage.py", *words)
    assert await demo.says("simulated") == (
        "demo-en-zh-1, demo-en-zh-2: simulated, translating nothing"
    )
    for _ in range(2):
        await demo.says("(ready)")
    said = ("say", HELLO, "--from", "en", "--to", "zh", "--url", url)
    status, lines = await (await start("manage.py", *said)).ended()
    assert status == 0
    assert lines == [
        "hello.wav (1.9 s)",
        "  …      [demo] 1.9 s of speech in en",
        "  heard  [demo] 1.9 s of speech in en",
        "  said   [demo] the same, said in zh",
        "  took   10 ms on the node",
        "  spoken hello.zh.wav",
    ]
    assert load_wav(tmp_path / "hello.zh.wav") == tone(0.4)
    assert duration_ms(tone(0.4)) == 400


async def test_say_explains_that_nobody_translates(url, start):
    said = ("say", HELLO, "--from", "en", "--to", "zh", "--url", url)
    status, lines = await (await start("manage.py", *said)).ended()
    assert status == 1
    assert lines[:1] == ["hello.wav (1.9 s)"]
    assert "NO_CAPABLE_NODE" in lines[1]
    assert lines[2:] == [
        "  No node does all of this: ask for less, choose other languages or add a node for them."
    ]


async def test_demo_nodes_fail_as_they_are_asked_to(url, start):
    words = ("demo_nodes", 1, "--failure-rate", 1, "--latency-ms", 0, "--url", url)
    await (await start("manage.py", *words)).says("(ready)")
    said = ("say", HELLO, "--from", "en", "--to", "zh", "--url", url)
    status, lines = await (await start("manage.py", *said)).ended()
    assert status == 1
    assert "PROCESSING_ERROR: [demo] this node fails as it was asked to" in "\n".join(lines)
