"""Debian's Chromium with a WAV file as its microphone, and the page as a person uses it."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Locator, Page, ViewportSize, async_playwright, expect

from parley.audio import SAMPLE_RATE, load_wav, wav_from_pcm16
from tests.harness.frames import AUDIO

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
MISSING = "" if CHROMIUM else "not installed: chromium (apt)"
DESKTOP: ViewportSize = {"width": 1100, "height": 800}
# A name of this machine that browsers do not trust without TLS.
PLAIN_HOST = "parley.test"
PATIENCE_MS = 15_000
# What was played: how long, how loud, and what the button did then.
LISTEN = """
  window.played = [];
  const start = AudioBufferSourceNode.prototype.start;
  AudioBufferSourceNode.prototype.start = function (...when) {
    const samples = this.buffer.getChannelData(0);
    const peak = samples.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
    const { phase } = document.getElementById("talk").dataset;
    window.played.push({ seconds: this.buffer.duration, peak, phase });
    return start.apply(this, when);
  };
"""

expect.set_options(timeout=PATIENCE_MS)


def microphone(folder: Path, name: str = "hello", silence_s: float = 1.2) -> Path:
    """One of the speech samples and a pause, to be heard again and again."""
    wav = folder / f"{name}-again.wav"
    wav.write_bytes(
        wav_from_pcm16(load_wav(AUDIO / f"{name}.wav") + bytes(int(2 * silence_s * SAMPLE_RATE)))
    )
    return wav


@asynccontextmanager
async def chromium(hears: Path | None = None) -> AsyncIterator[Browser]:
    """``hears``: what its microphone hears; without it there is no microphone."""
    sound = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={hears}"]
    names = f"--host-resolver-rules=MAP {PLAIN_HOST} 127.0.0.1"
    arguments = ["--no-sandbox", names, *(sound if hears else [])]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield browser
        finally:
            await browser.close()


class Talk:
    """The page. ``faults``: what the browser complains of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", self._console)

    def _console(self, message: Any) -> None:
        if "Content Security Policy" in message.text:
            self.faults.append(message.text)

    @property
    def sentences(self) -> Locator:
        return self.page.locator(".sentence")

    def said(self, number: int) -> Locator:
        """The translation of a sentence, counted from 0."""
        return self.sentences.nth(number).locator(".said")

    def trouble(self, number: int) -> Locator:
        return self.sentences.nth(number).locator(".trouble")

    def step(self, number: int, name: str) -> Locator:
        """A step of its time line that it has reached."""
        return self.sentences.nth(number).locator(f".steps .reached[data-step={name}]")

    async def choose(self, src: str, tgt: str) -> None:
        await self.page.select_option("#from", src, timeout=PATIENCE_MS)
        await self.page.select_option("#to", tgt, timeout=PATIENCE_MS)

    async def hold(self, seconds: float) -> None:
        """Hold the button, and let go."""
        await self.page.hover("#talk")
        await self.page.mouse.down()
        await expect(self.page.locator("#talk")).to_have_attribute("data-phase", "holding")
        await asyncio.sleep(seconds)  # so long somebody speaks
        level = "document.getElementById('talk').style.getPropertyValue('--level')"
        assert float(await self.page.evaluate(level)) >= 0
        await self.page.mouse.up()

    async def type(self, text: str) -> None:
        await self.page.fill("#typed", text)
        await self.page.press("#typed", "Enter")

    async def until(self, condition: str) -> None:
        """Until an expression is true; the page's own policy lets the browser poll nothing."""
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while not await self.page.evaluate(condition):  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.02)

    async def played(self) -> list[dict[str, Any]]:
        """Every sound that came out so far."""
        found: list[dict[str, Any]] = await self.page.evaluate("window.played")
        return found


@asynccontextmanager
async def talk(
    browser: Browser, address: str, *, page: str = "/talk/", **context: Any
) -> AsyncIterator[Talk]:
    """The page, opened by somebody who allows the microphone; no fault may be left behind."""
    context = {"permissions": ["microphone"], "locale": "en-GB", "viewport": DESKTOP, **context}
    opened = await browser.new_context(**context)
    tab = await opened.new_page()
    await tab.add_init_script(LISTEN)
    found = Talk(tab)
    await tab.goto(f"{address}{page}")
    try:
        yield found
    finally:
        await opened.close()
    assert found.faults == []
