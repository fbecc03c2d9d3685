"""``session.js``, as somebody uses it who has copied it: in a browser, without the page."""

import base64
import json
from typing import Any

import pytest
from playwright.async_api import expect

from jobs.failures import Failure
from parley.audio import duration_ms
from parley.codes import ErrorCode
from tests.harness.actors import HandNode
from tests.jobs.coming_back import lose_acknowledgements
from tests.talk.browser import Talk, talk

pytestmark = pytest.mark.asyncio(loop_scope="package")

OPEN = """async () => {
  const { Session } = await import("/static/talk/session.js");
  window.session = new Session({ src: "en", tgt: "zh" });
  window.told = [];
  for (const name of ["state", "begun", "sent", "partial", "outcome"]) {
    session.on(name, (what) => {
      told.push([name, what.state ?? what.again ?? what.text ?? what.reason ?? what.index]);
    });
  }
  session.open();
}"""
SAY = "() => { window.last = session.say(new Int16Array(16000)).outcome; }"
SPEAK = """(seconds) => {
  window.stream = session.stream();
  for (let at = 0; at < seconds * 50 - 0.5; at++) stream.push(new Int16Array(320).fill(at + 1));
}"""
# Nothing goes out, and nobody notices, until `revive()`.
DEAD = """() => {
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = () => {};
  window.revive = () => { WebSocket.prototype.send = send; };
}"""
# How many seconds of sound are kept of each utterance of the stream.
COUNT = """() => {
  window.counted = [];
  session.on("sent", ({ samples }) => counted.push(samples.length / 16000));
}"""
HEAR = "async () => { const { ok, text, code } = await window.last; return ok ? text : code; }"


def seconds_of(job: dict[str, Any]) -> float:
    return duration_ms(base64.b64decode(job["audio"])) / 1000


async def told(page: Talk, kind: str) -> list[Any]:
    """What it was told of one kind, in order."""
    return [what for name, what in await page.page.evaluate("told") if name == kind]


async def goes_on(page: Talk, anna: HandNode) -> None:
    """One utterance was spoken and is answered once; what is said then is numbered behind it."""
    await page.page.evaluate(SAY)
    await anna.answers(await anna.job(15), "还在")
    assert await page.page.evaluate(HEAR) == "还在"
    assert await told(page, "begun") == [0]
    assert await told(page, "outcome") == ["全部", "还在"]


async def test_it_tells_of_each_sentence_what_becomes_of_it(browser, address, node):
    anna = await node("anna")
    async with talk(browser, address) as page:
        await page.page.evaluate(OPEN)
        await page.page.evaluate(SAY)
        job = await anna.job(15)
        assert len(base64.b64decode(job["audio"])) == 32_000
        await anna.acks(job)
        await anna.hears_so_far(job, "good")
        await anna.answers(job, "早上好")
        assert await page.page.evaluate(HEAR) == "早上好"
        assert await page.page.evaluate("told") == [
            ["state", "connecting"],
            ["state", "open"],
            ["sent", False],
            ["partial", "good"],
            ["outcome", "早上好"],
        ]
        await page.page.evaluate("session.close()")


async def test_a_lost_connection_is_made_again_and_the_session_goes_on(browser, address, node, web):
    anna = await node("anna")
    async with talk(browser, address) as page:
        await page.page.evaluate(OPEN)
        await page.page.evaluate(SAY)
        job = await anna.job(15)
        earlier = await page.page.evaluate("session.id")
        web.cut()
        await page.until("told.filter(([, what]) => what === 'open').length === 2")
        assert await page.page.evaluate("session.id") == earlier
        await anna.answers(job, "还在")
        assert await page.page.evaluate(HEAR) == "还在"
        assert await told(page, "outcome") == ["还在"]
        assert anna.jobs == [job]


async def test_a_return_whose_answer_is_lost_is_tried_again(
    browser, address, node, web, monkeypatch
):
    """With the same token, and word of what has come."""
    anna, inits = await node("anna"), []

    def sent(data):
        if "session_init" in data:
            inits.append(json.loads(data))

    async with talk(browser, address) as page:
        page.page.on("websocket", lambda socket: socket.on("framesent", sent))
        await page.page.evaluate(OPEN)
        await page.page.evaluate(SAY)
        await anna.answers(await anna.job(15), "一")
        assert await page.page.evaluate(HEAR) == "一"
        await page.page.evaluate(SAY)
        job = await anna.job(15)
        earlier = await page.page.evaluate("session.id")
        lost = lose_acknowledgements(monkeypatch, 1)
        web.process.sessions.get(earlier).line.close(1012, "cut by the test")
        await page.until("told.filter(([, what]) => what === 'open').length === 2")
        assert await page.page.evaluate("session.id") == earlier
        await anna.answers(job, "二")
        assert await page.page.evaluate(HEAR) == "二"
    assert len(lost) == 1
    first, second = (one for one in inits if "resume_token" in one)
    assert first["resume_token"] == second["resume_token"]
    assert first["last_utterance_index"] == second["last_utterance_index"] == 0


async def test_where_the_session_is_over_a_new_one_takes_its_place(browser, address, node, web):
    anna = await node("anna")
    async with talk(browser, address) as page:
        await page.page.evaluate(OPEN)
        await page.until("session.state === 'open'")
        earlier = await page.page.evaluate("session.id")
        await page.page.context.set_offline(True)
        await page.page.evaluate(SAY)
        ours = web.process.sessions.get(earlier)
        assert ours is not None
        ours.line.close(1012, "cut by the test")
        await page.until("session.state === 'lost'")
        await web.process.sessions.close(ours)
        await page.page.context.set_offline(False)
        await anna.answers(await anna.job(15), "重来")
        assert await page.page.evaluate(HEAR) == "重来"
        assert await page.page.evaluate("session.id") != earlier


async def test_what_is_said_without_a_connection_is_sent_later(browser, address, node):
    anna = await node("anna")
    async with talk(browser, address) as page:
        await page.page.context.set_offline(True)
        await page.page.evaluate(OPEN)
        await page.page.evaluate(SAY)
        await page.until("told.some(([, what]) => what === 'lost')")
        await page.page.context.set_offline(False)
        await anna.answers(await anna.job(15), "来了")
        assert await page.page.evaluate(HEAR) == "来了"


async def test_what_is_spoken_is_cut_by_the_server_and_comes_back(browser, address, node):
    anna = await node("anna")
    async with talk(browser, address) as page:
        await page.page.evaluate(OPEN)
        await page.until("session.state === 'open'")
        await page.page.evaluate(SPEAK, 11.0)
        first = await anna.job(15)
        assert first["is_max_duration_triggered"]
        await page.page.evaluate("stream.end()")
        last = await anna.job(15)
        assert (last["is_manual_cut"], last["turn_id"]) == (True, first["turn_id"])
        assert [seconds_of(job) for job in (first, last)] == [10.2, 0.8]
        await anna.answers(first, "早上")
        await anna.answers(last, "好")
        await page.until("told.filter(([name]) => name === 'outcome').length === 2")
        every = await page.page.evaluate("told")
        assert [one for one in every if one[0] != "state"] == [
            ["begun", 0],
            ["sent", False],
            ["begun", 1],
            ["sent", False],
            ["outcome", "早上"],
            ["outcome", "好"],
        ]


async def test_what_was_being_said_as_the_connection_broke_is_heard_in_one_piece(
    browser, address, node, web
):
    anna = await node("anna")
    async with talk(browser, address) as page:
        await page.page.evaluate(OPEN)
        await page.until("session.state === 'open'")
        await page.page.evaluate(SPEAK, 0.5)
        await page.until("told.some(([name]) => name === 'begun')")
        web.cut()
        await page.until("session.state === 'lost'")
        half = await anna.job(15)
        assert (half["is_timeout_triggered"], seconds_of(half)) == (True, 0.5)
        await page.page.evaluate(SPEAK, 0.7)
        await page.page.evaluate("stream.end()")
        whole = await anna.job(15)
        assert seconds_of(whole) == 1.2
        await anna.answers(half, "半")
        await anna.answers(whole, "全部")
        await goes_on(page, anna)


async def test_what_is_being_said_is_not_answered_by_its_former_half(browser, address, node, web):
    """That may come by its number: another process had heard it, over a connection that is lost."""
    anna = await node("anna")
    async with talk(browser, address) as page:
        await page.page.evaluate(OPEN)
        await page.until("session.state === 'open'")
        await page.page.evaluate(SPEAK, 0.5)
        await page.until("told.some(([name]) => name === 'begun')")
        ours = web.process.sessions.get(await page.page.evaluate("session.id"))
        half = ours.intake.begin()
        assert half.index == 0
        ours.intake.unheard(half, Failure(ErrorCode.PROCESSING_ERROR))
        await page.page.evaluate(SPEAK, 0.5)
        await page.page.evaluate("stream.end()")
        await anna.answers(await anna.job(15), "全部")
        await goes_on(page, anna)


async def test_what_went_out_over_a_dead_connection_keeps_its_number(browser, address, node, web):
    """A sentence and the beginning of another one: neither gets the other's answer."""
    anna = await node("anna")
    async with talk(browser, address) as page:
        await page.page.evaluate(OPEN)
        await page.until("session.state === 'open'")
        await page.page.evaluate(DEAD)
        await page.page.evaluate(SAY)
        await page.page.evaluate(SPEAK, 0.5)
        await page.page.evaluate("revive()")
        web.cut()
        await page.until("told.filter(([, what]) => what === 'open').length === 2")
        await page.page.evaluate("stream.end()")
        jobs = [await anna.job(15) for _ in range(2)]
        assert [seconds_of(job) for job in jobs] == [1.0, 0.5]
        for job in jobs:
            await anna.answers(job, f"{seconds_of(job)}")
        await page.until("told.filter(([name]) => name === 'outcome').length === 2")
        assert await page.page.evaluate(HEAR) == "1.0"
        assert await told(page, "outcome") == ["1.0", "0.5"]


async def test_what_was_said_without_a_connection_is_kept_in_its_own_parts(browser, address, node):
    """A long speech all at once: each part as the server cut it, but for half a second."""
    anna = await node("anna", slots=4)
    async with talk(browser, address) as page:
        await page.page.context.set_offline(True)
        await page.page.evaluate(OPEN)
        await page.page.evaluate(COUNT)
        await page.page.evaluate(SPEAK, 35.0)
        await page.page.evaluate("stream.push(new Int16Array(80000).fill(1)); stream.end()")
        await page.page.context.set_offline(False)
        jobs = [await anna.job(15) for _ in range(4)]
        assert [seconds_of(job) for job in jobs] == [10.2, 10.2, 10.2, 9.4]
        await page.until("counted.length === 4")
        counted = await page.page.evaluate("counted")
        assert all(9.4 <= seconds <= 11.2 for seconds in counted), counted


async def test_what_a_lost_session_had_heard_is_said_again_to_the_next_one(
    browser, address, node, web
):
    anna = await node("anna", slots=4)
    async with talk(browser, address) as page:
        await page.page.evaluate(OPEN)
        await page.until("session.state === 'open'")
        await page.page.evaluate(SPEAK, 0.5)
        await page.page.evaluate("stream.end()")
        await anna.job(15)
        await page.until("told.some(([name]) => name === 'sent')")
        await page.page.evaluate(SPEAK, 0.3)
        await page.until("told.filter(([name]) => name === 'begun').length === 2")
        await page.page.context.set_offline(True)
        ours = web.process.sessions.get(await page.page.evaluate("session.id"))
        ours.line.close(1012, "cut by the test")
        await page.until("session.state === 'lost'")
        await web.process.sessions.close(ours)
        await page.page.evaluate("stream.end()")
        await page.page.context.set_offline(False)
        said: list[float] = []
        while len(said) < 2:
            job = await anna.job(15)
            if job["session_id"] != ours.id:
                said.append(seconds_of(job))
                await anna.answers(job, f"{seconds_of(job)}")
        await page.until("told.filter(([name]) => name === 'outcome').length === 2")
        assert await told(page, "outcome") == ["0.5", "0.3"]


async def test_a_whole_sentence_waits_for_the_end_of_what_is_being_said(browser, address, node):
    anna = await node("anna", slots=3)
    async with talk(browser, address) as page:
        await page.page.evaluate(OPEN)
        await page.until("session.state === 'open'")
        await page.page.evaluate(SPEAK, 0.5)
        await page.page.evaluate(SAY)
        await page.page.evaluate(SPEAK, 0.5)
        await page.page.evaluate("stream.end()")
        await page.page.evaluate(SPEAK, 0.2)
        await page.page.evaluate("stream.end()")
        jobs = [await anna.job(15) for _ in range(3)]
        assert [seconds_of(job) for job in jobs] == [1.0, 1.0, 0.2]
        assert [job["session_utterance_index"] for job in jobs] == [0, 1, 2]
        assert [bool(job.get("turn_id")) for job in jobs] == [True, False, True]
        for number, job in enumerate(jobs):
            await anna.answers(job, f"{number}")
        await page.until("told.filter(([name]) => name === 'outcome').length === 3")
        assert await page.page.evaluate(HEAR) == "1"


async def test_what_is_refused_while_it_is_spoken_holds_nothing_up(browser, address, node):
    anna = await node("anna")
    wrong_rate = OPEN.replace('tgt: "zh"', 'tgt: "zh", init: { sample_rate: 48000 }')
    async with talk(browser, address) as page:
        await page.page.evaluate(wrong_rate)
        await page.until("session.state === 'open'")
        await page.page.evaluate(SPEAK, 0.5)
        await page.until("told.some(([name]) => name === 'outcome')")
        await page.page.evaluate(SPEAK, 0.5)
        await page.page.evaluate(SAY)
        await page.page.evaluate("stream.end()")
        await anna.answers(await anna.job(15), "你好")
        assert await page.page.evaluate(HEAR) == "你好"
        assert await told(page, "begun") == [0]
        assert await told(page, "outcome") == ["job_failed", "你好"]


async def test_a_stream_in_other_languages_takes_the_session_along(browser, address, node):
    anna = await node("anna")
    async with talk(browser, address) as page:
        await page.page.evaluate(OPEN)
        await page.page.evaluate(SAY)
        said = await anna.job(15)
        await page.page.evaluate("session.stream({ src: 'zh', tgt: 'en' })")
        await page.page.evaluate(SPEAK, 0.5)
        await page.page.evaluate("stream.end()")
        job = await anna.job(15)
        assert (job["src_lang"], job["tgt_lang"]) == ("zh", "en")
        assert job["session_id"] == said["session_id"]
        await anna.answers(said, "早上好")
        assert await page.page.evaluate(HEAR) == "早上好"


async def test_each_sentence_keeps_the_languages_that_it_was_said_in(browser, address, node):
    anna = await node("anna", slots=4)
    async with talk(browser, address) as page:
        await page.page.context.set_offline(True)
        await page.page.evaluate(OPEN)
        said = [("en", "zh", 0.3), ("zh", "en", 0.5), ("en", "zh", 0.7)]
        for src, tgt, seconds in said:
            await page.page.evaluate(f"session.stream({{ src: '{src}', tgt: '{tgt}' }})")
            await page.page.evaluate(SPEAK, seconds)
        await page.page.evaluate("stream.end()")
        await page.page.context.set_offline(False)
        jobs = [await anna.job(15) for _ in said]
        assert [(job["src_lang"], job["tgt_lang"], seconds_of(job)) for job in jobs] == said
        assert len({job["session_id"] for job in jobs}) == 1

        await page.page.evaluate("session.stream({ src: 'zh', tgt: 'en' }); session.close()")
        await page.page.evaluate("session.open()")
        await page.page.evaluate(SPEAK, 0.9)
        await page.page.evaluate("stream.end()")
        job = await anna.job(15)
        assert (job["src_lang"], job["tgt_lang"], seconds_of(job)) == ("zh", "en", 0.9)


async def test_closing_gives_up_what_is_unanswered(browser, address, node):
    await node("anna")
    async with talk(browser, address) as page:
        await page.page.evaluate(OPEN)
        await page.page.evaluate(SAY)
        await page.page.evaluate("session.close()")
        code = "async () => { try { await window.last } catch (error) { return error.code } }"
        assert await page.page.evaluate(code) == "SESSION_CLOSED"
        assert await page.page.evaluate("session.state") == "closed"


async def test_a_refusal_for_good_is_not_tried_again(browser, address, web):
    opened = OPEN.replace('tgt: "zh"', 'tgt: "zh", init: { pairing_required: true }')
    async with talk(browser, address) as page:
        await page.page.evaluate(opened)
        await page.until("session.state === 'refused'")
        assert await page.page.evaluate("told") == [["state", "connecting"], ["state", "refused"]]
        await expect(page.page.locator("#connection")).to_have_text("Connected")


async def test_sentences_are_cut_at_pauses_also_in_a_noisy_room(browser, address):
    async with talk(browser, address) as page:
        lengths_s = await page.page.evaluate(CUT)
        noise_only, two, long, streamed = lengths_s
        assert noise_only == []
        assert [round(length) for length in streamed] == [26]  # and no click before it
        assert len(two) == 2
        assert all(1.5 < length < 3.0 for length in two)
        assert [round(length) for length in long[:2]] == [10, 10]


# Seconds of noise and of speech, by their loudness, cut into sentences: how long each is.
CUT = """async () => {
  const { Cutter } = await import("/static/talk/cutter.js");
  const lengths = (...parts) => {
    const found = [];
    return cut({ onSentence: (samples) => found.push(samples.length / 16000) }, found, parts);
  };
  const streamed = (...parts) => {
    const [found, heard] = [[], []];
    const end = () => found.push(heard.splice(0).reduce((sum, length) => sum + length, 0) / 16000);
    const sink = { push: (samples) => heard.push(samples.length), end };
    return cut({ onSentence: () => found.push("whole"), stream: () => sink }, found, parts);
  };
  const cut = (options, found, parts) => {
    const cutter = new Cutter(options);
    for (const [seconds, level] of parts) {
      for (let at = 0; at < seconds * 50; at++) {
        cutter.push(new Int16Array(320), level * (1 + 0.3 * Math.sin(at)));
      }
    }
    cutter.flush();
    return found;
  };
  const noise = 0.01, speech = 0.08;
  return [
    lengths([5, 0.001], [5, 0.002]),
    lengths([3, noise], [1.5, speech], [1.5, noise], [1.5, speech], [2, noise]),
    lengths([1, 0], [25, speech]),
    streamed([1, 0], [0.1, speech], [1, 0], [25, speech], [2, 0]),
  ];
}"""
