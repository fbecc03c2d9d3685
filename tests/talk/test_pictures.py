"""Pictures of the page for the README: made by ``make pictures``, into the folder PICTURES."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.harness.actors import HandNode
from tests.harness.frames import AUDIO, wav
from tests.talk.browser import Talk, talk

FOLDER = os.environ.get("PICTURES", "")

pytestmark = [
    pytest.mark.asyncio(loop_scope="package"),
    pytest.mark.skipif(not FOLDER, reason="`make pictures` takes them"),
]

PHONE = {"viewport": {"width": 390, "height": 740}, "device_scale_factor": 1.5, "has_touch": True}
DESKTOP = {"viewport": {"width": 960, "height": 700}}
ASR_S, NMT_S, TTS_S = 0.14, 0.05, 0.06
SAID = [
    ("station", "Where is the train station?", "¿Dónde está la estación de tren?"),
    ("thanks", "Thank you very much.", "Muchas gracias."),
]


async def test_pictures_of_a_talk(browser, address, node):
    languages = ["en", "es", "fr"]
    pairs = {"nmt_pairs": [["en", "es"], ["es", "en"]]}
    anna = await node("node-A1", languages=languages, audio_formats=["pcm16", "text"], **pairs)
    await take(browser, address, anna, Path(FOLDER, "talk.png"), color_scheme="light", **DESKTOP)
    await take(browser, address, anna, Path(FOLDER, "talk-phone.png"), color_scheme="dark", **PHONE)


async def take(browser: Browser, address: str, anna: HandNode, file: Path, **look: Any) -> None:
    async with talk(browser, address, reduced_motion="reduce", **look) as page:
        await page.choose("en", "es")
        for number, (name, heard, said) in enumerate(SAID):
            await page.page.set_input_files("#file", AUDIO / f"{name}.wav")
            await translate(anna, name, heard, said)
            await expect(page.step(number, "spoken")).to_be_visible()
            await expect(page.page.locator("[data-playing]")).to_have_count(0)
        await listening(page)
        assert len(await page.page.screenshot(path=file)) > 10_000


async def translate(anna: HandNode, name: str, heard: str, said: str) -> None:
    job = await anna.job(15)
    await anna.acks(job)
    await asyncio.sleep(ASR_S + NMT_S + TTS_S)  # so long it takes
    steps = {"asr_ms": ASR_S, "nmt_ms": NMT_S, "tts_ms": TTS_S}
    timings = {name: round(1000 * seconds) for name, seconds in steps.items()}
    answer = {"text_asr": heard, "tts_audio": wav(name), "tts_format": "wav"}
    await anna.answers(job, said, extra={"service_timings": timings}, **answer)


async def listening(page: Talk) -> None:
    """While somebody speaks and is heard."""
    screen: Page = page.page
    await screen.check("input[value=automatic]")
    await screen.click("#talk")
    await expect(screen.locator("#talk")).to_have_attribute("data-phase", "hearing")
