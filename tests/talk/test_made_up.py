"""The page before what ``make up DEMO=2`` starts: real processes, of which one is killed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.scheduler_site.running import Running, parley
from tests.talk.browser import talk

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with parley(tmp_path / "var", DEMO="2") as started:
        started.wait_for("/talk/")
        yield started


async def test_one_speaks_hears_and_goes_on_when_the_web_process_is_killed(browser, running):
    address = f"http://localhost:{running.port}"
    async with talk(browser, address) as page:
        await page.choose("en", "zh")
        await expect(page.page.locator("#connection")).to_have_text("Connected")
        await page.hold(1.5)
        await expect(page.said(0)).to_have_text("[demo] the same, said in zh")
        await expect(page.step(0, "placed")).to_contain_text("on demo-")
        await expect(page.step(0, "spoken")).to_be_visible()
        await page.until("played.length === 1")
        [tone] = await page.played()
        assert 0.3 < tone["seconds"] < 0.5
        assert tone["peak"] > 0.1

        await page.type("one that is on its way when the process dies")
        running.child("scheduler_site.web").kill()
        await expect(page.page.locator("#connection")).to_contain_text("what you said is kept")
        await page.type("one that is said meanwhile")
        await expect(page.page.locator("#connection")).to_have_text("Connected")
        await page.type("one that is said afterwards")
        for number in (1, 2, 3):
            await expect(page.said(number)).to_have_text("[demo] the same, said in zh")
        assert [await one.inner_text() for one in await page.page.locator(".heard").all()][1:] == [
            "one that is on its way when the process dies",
            "one that is said meanwhile",
            "one that is said afterwards",
        ]
        await expect(page.page.locator(".trouble:visible")).to_have_count(0)
