"""The page in a real browser, before a web process of this test."""

import base64
from array import array
from typing import Any

import pytest
from playwright.async_api import expect

from lua import scripts
from parley.audio import SAMPLE_RATE, duration_ms, load_wav
from parley.codes import ErrorCode, advice
from scheduler_site.models import TokenKind, create_token
from tests.harness.frames import AUDIO, wav
from tests.talk.browser import PLAIN_HOST, chromium, talk

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest.fixture
def wanted(transactional_db: None) -> str:
    """The token of a session."""
    return create_token(kind=TokenKind.SESSION, label="a page", tenant="acme")[1]


async def test_what_is_spoken_arrives_as_it_was_said(browser, address, node):
    anna = await node("anna")
    async with talk(browser, address) as page:
        await page.choose("en", "zh")
        best = 0.0
        for number in range(3):  # a busy machine drops pieces of sound
            await page.hold(2.2)
            job = await anna.job(15)
            assert (job["src_lang"], job["tgt_lang"]) == ("en", "zh")
            assert (job["audio_format"], job["sample_rate"]) == ("pcm16", 16_000)
            best = max(best, likeness(base64.b64decode(job["audio"])))
            await anna.answers(job, f"{number}")
            await expect(page.said(number)).to_have_text(f"{number}")
            if best > 0.8:
                return
        raise AssertionError(f"it sounds otherwise: {best:.2f}")


async def test_an_answer_appears_as_it_comes_and_is_heard(browser, address, node):
    anna = await node("anna")
    async with talk(browser, address) as page:
        await page.choose("en", "zh")
        await page.page.set_input_files("#file", AUDIO / "hello.wav")
        job = await anna.job(15)
        await anna.acks(job)
        await anna.hears_so_far(job, "hello how are")
        await expect(page.sentences.locator(".heard")).to_have_text("hello how are")
        answer = {"tts_audio": wav("hello"), "tts_format": "wav", "text_asr": "Hello, how are you?"}
        await anna.answers(job, "你好吗", **answer)
        await expect(page.said(0)).to_have_text("你好吗")
        await expect(page.sentences.locator(".heard")).to_have_text("Hello, how are you?")
        await expect(page.step(0, "placed")).to_contain_text("on anna")
        await expect(page.step(0, "spoken")).to_contain_text("ms")
        await page.until("played.length === 1")
        assert [round(sound["seconds"], 1) for sound in await page.played()] == [1.9]


async def test_in_automatic_a_pause_ends_a_sentence(browser, address, node):
    anna = await node("anna")
    async with talk(browser, address) as page:
        await page.choose("en", "zh")
        await page.page.check("input[value=automatic]")
        await page.page.click("#talk")
        await expect(page.sentences.locator(".heard")).to_have_text("…")  # while it is spoken
        job = await anna.job(15)
        assert 1_000 < duration_ms(base64.b64decode(job["audio"])) < 6_000
        assert job["turn_id"]  # it came as a stream
        await anna.acks(job)
        await anna.hears_so_far(job, "hello how")
        await expect(page.sentences.locator(".heard").first).to_have_text("hello how")
        await page.until("document.getElementById('talk').dataset.phase === 'hearing'")
        await anna.answers(job, "你好", tts_audio=wav("hello"), tts_format="wav")
        await expect(page.said(0)).to_have_text("你好")
        await page.until("played.length === 1")
        assert (await page.played())[0]["phase"] == "listening"  # nobody is interrupted

        await page.page.uncheck("#aloud")  # a stream can't say that
        job = await anna.job(15)
        while job.get("turn_id"):  # began before
            job = await anna.job(15)
        assert job["pipeline"]["use_tts"] is False


async def test_without_a_microphone_one_types_or_sends_a_file(browser, address, node):
    anna = await node("anna", audio_formats=["pcm16", "text"])
    async with chromium() as deaf, talk(deaf, address) as page:
        await page.choose("en", "zh")
        await page.page.click("#talk")
        await expect(page.page.locator("#notice")).to_contain_text("no microphone")

        await page.type("Good morning")
        job = await anna.job(15)
        assert base64.b64decode(job["audio"]) == b"Good morning"
        await anna.answers(job, "早上好", text_asr="Good morning")
        await expect(page.said(0)).to_have_text("早上好")

        await page.page.set_input_files("#file", AUDIO / "hello-44k-stereo.wav")
        job = await anna.job(15)
        assert duration_ms(base64.b64decode(job["audio"])) == 1_100
        await anna.answers(job, "你好")
        await expect(page.said(1)).to_have_text("你好")


async def test_where_the_microphone_is_denied_it_says_what_to_do(browser, address, node):
    await node("anna")
    async with talk(browser, address, permissions=[]) as page:
        await page.choose("en", "zh")
        await page.page.click("#talk")
        await expect(page.page.locator("#notice")).to_contain_text("Allow it in the address bar")
        await expect(page.page.locator("#typeHint")).to_contain_text("takes typed text")


async def test_from_another_machine_without_tls_it_says_why_there_is_no_microphone(
    browser, address, node, settings
):
    settings.ALLOWED_HOSTS = [PLAIN_HOST]
    anna = await node("anna", audio_formats=["pcm16", "text"])
    async with talk(browser, address.replace("127.0.0.1", PLAIN_HOST), permissions=[]) as page:
        await page.choose("en", "zh")
        await expect(page.page.locator("#hint")).to_contain_text("only to secure pages")
        await page.type("Good morning")
        await anna.answers(await anna.job(15), "早上好")
        await expect(page.said(0)).to_have_text("早上好")


async def test_without_a_node_it_says_so_until_one_comes(browser, address, node):
    async with talk(browser, address) as page:
        await expect(page.page.locator("#choice")).to_contain_text("No node is connected")
        await page.page.set_input_files("#file", AUDIO / "hello.wav")
        await expect(page.trouble(0)).to_contain_text("This could not be translated.")
        await expect(page.trouble(0)).to_contain_text("choose other languages or add a node")

        anna = await node("anna", languages=["en", "es"], nmt_pairs=[["en", "es"]])
        await expect(page.page.locator("#choice")).to_have_text("")
        await page.page.select_option("#from", "es")
        await expect(page.page.locator("#to option:disabled")).to_have_text(
            "English – no node translates Spanish into it"  # noqa: RUF001
        )
        await expect(page.page.locator("#choice")).to_contain_text("choose others")
        await page.choose("en", "es")
        await page.page.get_by_role("button", name="Send again").click()
        await anna.answers(await anna.job(15), "hola")
        await expect(page.said(1)).to_have_text("hola")


async def test_what_goes_wrong_is_told_in_plain_words_of_ones_own_language(browser, address, node):
    anna = await node("anna")
    phone: dict[str, Any] = {"viewport": {"width": 360, "height": 640}, "has_touch": True}
    async with talk(browser, address, locale="zh-CN", **phone) as page:
        await expect(page.page.locator("#connection")).to_have_text("已连接")
        await page.choose("en", "zh")
        await page.page.set_input_files("#file", AUDIO / "hello.wav")
        await anna.fails(await anna.job(15), "INVALID_AUDIO")
        await expect(page.trouble(0)).to_contain_text("这句话未能翻译。")
        await expect(page.trouble(0)).to_contain_text("节点报告了自身错误")
        assert await page.page.evaluate("document.documentElement.scrollWidth") == 360
        await page.page.get_by_role("button", name="English").click()
        await expect(page.trouble(0)).to_contain_text("This could not be translated.")


async def test_an_answer_that_comes_late_still_takes_its_place(browser, address, node):
    anna = await node("anna")
    async with talk(browser, address) as page:
        await page.choose("en", "zh")
        for name in ("hello", "thanks"):
            await page.page.set_input_files("#file", AUDIO / f"{name}.wav")
        slow, quick = await anna.job(15), await anna.job(15)
        await anna.answers(quick, "谢谢")
        await expect(page.said(1)).to_have_text("谢谢")
        await expect(page.trouble(0)).to_contain_text("It may still come.")
        await anna.answers(slow, "你好")
        await expect(page.said(0)).to_have_text("你好")
        await expect(page.trouble(0)).to_be_hidden()


async def test_answers_in_opus_are_heard(browser, address, node):
    anna = await node("anna")
    async with talk(browser, address) as page:
        packets = await page.page.evaluate(ENCODE)
        await page.choose("en", "zh")
        await page.page.set_input_files("#file", AUDIO / "hello.wav")
        sound = {"tts_audio": packets, "tts_format": "opus"}
        await anna.answers(await anna.job(15), "你好", **sound)
        await page.until("played.length === 1")
        [played] = await page.played()
        assert 0.9 < played["seconds"] < 1.1
        assert 0.3 < played["peak"] < 0.7


async def test_it_is_used_by_keyboard_and_read_by_a_screen_reader(browser, address, node):
    anna = await node("anna", audio_formats=["pcm16", "text"])
    async with talk(browser, address) as page:
        await page.choose("en", "zh")
        order = []
        for _ in range(11):
            await page.page.keyboard.press("Tab")
            order.append(await page.page.evaluate("document.activeElement.id"))
        assert [name for name in order if name] == [
            "from", "swap", "to", "talk", "aloud", "typed", "file"
        ]  # fmt: skip
        names = await page.page.evaluate(NAMELESS)
        assert names == []

        await page.page.focus("#talk")
        await page.page.keyboard.down(" ")
        await expect(page.page.locator("#talk")).to_have_attribute("data-phase", "holding")
        await expect(page.page.locator("#hint")).to_contain_text("let go to send")
        await page.page.wait_for_timeout(600)  # so long somebody speaks
        await page.page.keyboard.up(" ")
        await anna.answers(await anna.job(15), "你好", text_asr="Hello")
        await expect(page.page.locator("#spoken")).to_have_text("Hello. Translation: 你好")

        await page.page.keyboard.down(" ")
        await expect(page.page.locator("#talk")).to_have_attribute("data-phase", "holding")
        await page.page.wait_for_timeout(600)
        await page.page.evaluate("window.dispatchEvent(new Event('blur'))")  # to another window
        await anna.answers(await anna.job(15), "再见")


async def test_where_a_token_is_wanted_one_gives_it(browser, address, node, settings, wanted):
    settings.PARLEY_AUTH = "required"
    async with talk(browser, address) as page:
        await expect(page.page.locator("#connection")).to_contain_text("check the token")
        await page.page.get_by_label("This service wants a token").fill(wanted)
        await page.page.get_by_role("button", name="Use it").click()
        await expect(page.page.locator("#connection")).to_have_text("Connected")
        await expect(page.page.locator("#credential")).to_be_hidden()
    async with talk(browser, address, page=f"/talk/#token={wanted}") as page:
        await expect(page.page.locator("#connection")).to_have_text("Connected")
        assert wanted not in page.page.url


async def test_where_its_node_cannot_do_what_is_chosen_it_says_so(browser, address, node, web):
    both, all_three = ["en", "zh"], ["en", "ja", "zh"]
    anna = await node("anna", languages=both)
    await node("mary", languages=all_three)
    code = scripts.issue_code(web.process.cells, cell=0, code="123456", node="anna", mark="m")
    assert isinstance(await code, scripts.Issued)
    async with talk(browser, address, page="/talk/#pairing=123456") as page:
        await expect(page.page.locator("#connection")).to_have_text(
            "Connected, to the node anna only"
        )
        assert page.page.url.endswith("/talk/")
        await page.choose("en", "ja")
        await page.page.set_input_files("#file", AUDIO / "hello.wav")
        await expect(page.trouble(0)).to_contain_text("paired with the node anna, which can't")
        await page.page.get_by_role("button", name="简体中文").click()
        await expect(page.trouble(0)).to_contain_text("本页与节点 anna 配对")
        await page.choose("en", "zh")
        await page.page.set_input_files("#file", AUDIO / "hello.wav")
        await anna.answers(await anna.job(15), "你好")
        await expect(page.said(1)).to_have_text("你好")

    async with talk(browser, address, page="/talk/#pairing=123456") as page:  # used already
        await expect(page.page.locator("#connection")).to_contain_text("to all nodes")


async def test_what_is_said_with_the_button_held_is_neither_interrupted_nor_lost(
    browser, address, node
):
    """By an answer, by letting go for a moment, or by its length."""
    anna = await node("anna")
    async with talk(browser, address) as page:
        await page.choose("en", "zh")
        await page.page.set_input_files("#file", AUDIO / "hello.wav")
        earlier = await anna.job(15)
        await page.hold(0.5)
        await page.page.mouse.down()  # it was not the end
        await expect(page.page.locator("#talk")).to_have_attribute("data-phase", "holding")
        await anna.answers(earlier, "你好", tts_audio=wav("hello"), tts_format="wav")
        await expect(page.said(0)).to_have_text("你好")
        await page.page.wait_for_timeout(500)  # so long somebody speaks
        await page.page.mouse.up()
        job = await anna.job(15)
        assert duration_ms(base64.b64decode(job["audio"])) > 900
        await page.until("played.length === 1")
        assert (await page.played())[0]["phase"] == "idle"

        await page.page.clock.install()
        await page.page.mouse.down()
        await page.page.wait_for_timeout(600)
        await page.page.clock.fast_forward(60_000)
        await anna.answers(job, "一")
        part = await anna.job(15)
        await expect(page.page.locator("#talk")).to_have_attribute("data-phase", "holding")
        await anna.answers(part, "二")
        await page.page.wait_for_timeout(600)
        await page.page.mouse.up()
        await anna.answers(await anna.job(15), "三")
        await expect(page.said(3)).to_have_text("三")


async def test_what_is_heard_without_a_connection_is_not_gathered_for_ever(
    browser, address, node, web
):
    await node("anna")
    async with talk(browser, address) as page:
        await page.choose("en", "zh")
        await page.page.check("input[value=automatic]")
        await page.page.clock.install()
        await page.page.click("#talk")
        await expect(page.page.locator("#hint")).to_contain_text("earing you")
        await page.page.clock.fast_forward(300_000)
        await page.page.context.set_offline(True)
        web.cut()
        await expect(page.page.locator("#connection")).to_contain_text("Trying again")
        await expect(page.page.locator("#talk")).to_have_attribute("aria-pressed", "true")
        await page.page.clock.fast_forward(300_000)
        await expect(page.page.locator("#notice")).to_contain_text("does not listen any more")
        await expect(page.page.locator("#talk")).to_have_attribute("data-phase", "idle")


async def test_where_part_of_the_page_cannot_be_fetched_the_microphone_says_so(
    browser, address, node
):
    anna = await node("anna")
    async with talk(browser, address) as page:
        await page.page.add_init_script(FETCH_NOTHING)
        await page.page.reload()
        await page.choose("en", "zh")
        await page.page.click("#talk")
        await expect(page.page.locator("#notice")).to_contain_text("could not be opened")
        await page.page.evaluate("mend()")
        await page.hold(0.5)
        await anna.job(15)


async def test_nothing_inline_and_no_other_host_is_allowed(http):
    answer = await http.get("/talk/")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; ")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert " style=" not in answer.text
    codes = (await http.get("/talk/advice/")).json()
    assert codes["QUEUE_TIMEOUT"]["en"] == advice("QUEUE_TIMEOUT")
    assert codes["QUEUE_TIMEOUT"]["zh"] == advice("QUEUE_TIMEOUT", "zh")
    assert set(codes) == {*ErrorCode, "ANY_OTHER"}


def likeness(heard: bytes) -> float:
    """How well the loudness over time of what was heard follows that of the sample: 1 is equal."""
    sample, found = loudness(load_wav(AUDIO / "hello.wav")), loudness(heard)
    found += found  # it may begin in the middle of the sample
    shifts = range(len(found) - len(sample)) if len(found) > len(sample) else range(1)
    return max(correlation(sample, found[shift : shift + len(sample)]) for shift in shifts)


def loudness(pcm16: bytes) -> list[float]:
    samples, step = array("h", pcm16), SAMPLE_RATE // 50
    parts = (samples[at : at + step] for at in range(0, len(samples) - step, step))
    return [sum(map(abs, part)) / step for part in parts]


def correlation(one: list[float], other: list[float]) -> float:
    pairs = list(zip(one, other, strict=False))
    mean_one, mean_other = (sum(side) / len(pairs) for side in zip(*pairs, strict=True))
    near = [(a - mean_one, b - mean_other) for a, b in pairs]
    spread = sum(a * a for a, _ in near) * sum(b * b for _, b in near)
    return float(sum(a * b for a, b in near) / (spread**0.5 or 1))


# A second of a tone, as packets of Opus behind their lengths, in base64.
ENCODE = """async () => {
  const packets = [];
  const encoder = new AudioEncoder({
    output: (chunk) => {
      const data = new Uint8Array(chunk.byteLength);
      chunk.copyTo(data);
      packets.push(data);
    },
    error: (fault) => { throw fault; },
  });
  encoder.configure({ codec: "opus", sampleRate: 48000, numberOfChannels: 1, bitrate: 24000 });
  const data = Float32Array.from({ length: 48000 }, (_, at) => 0.5 * Math.sin(at / 20));
  encoder.encode(new AudioData({ format: "f32", sampleRate: 48000, numberOfFrames: data.length,
                                 numberOfChannels: 1, timestamp: 0, data }));
  await encoder.flush();
  const bytes = packets.flatMap((data) => [data.length & 255, data.length >> 8, ...data]);
  return btoa(String.fromCharCode(...bytes));
}"""
# What runs beside the page can't be fetched, until `mend()`.
FETCH_NOTHING = """
  const { addModule } = AudioWorklet.prototype;
  AudioWorklet.prototype.addModule = () => Promise.reject(new Error("no connection"));
  window.mend = () => { AudioWorklet.prototype.addModule = addModule; };
"""
# What can be used, but has no name that could be read.
NAMELESS = """() => [...document.querySelectorAll("button, input, select")]
  .filter((one) => ![one.ariaLabel, one.labels?.[0]?.textContent, one.textContent]
    .some((name) => name?.trim()))
  .map((one) => one.outerHTML)"""
