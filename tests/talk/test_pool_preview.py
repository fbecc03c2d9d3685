"""The admin's form of a pool, as it is filled in: it shows at once who would be a member."""

from collections.abc import Awaitable, Callable

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.async_api import expect

from tests.talk.browser import DESKTOP

pytestmark = pytest.mark.asyncio(loop_scope="package")

Login = Callable[[], Awaitable[str]]


@pytest.fixture
def login(transactional_db: None, redis_settings: object) -> Login:
    """``await login()``: the session cookie of a new administrator."""

    def enter() -> str:
        client = Client()
        client.force_login(User.objects.create_superuser("anna"))
        return client.cookies[settings.SESSION_COOKIE_NAME].value

    return sync_to_async(enter)


async def test_it_follows_what_is_typed(browser, address, node, login):
    await node("anna", languages=["en", "zh"])
    await node("mary", languages=["en", "de"])
    admin = await browser.new_context(viewport=DESKTOP)
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": await login(), "url": address}
    await admin.add_cookies([cookie])
    page = await admin.new_page()
    await page.goto(f"{address}/admin/pools/definedpool/add/")
    preview = page.locator("#pool-preview")

    await page.select_option("[name=kind]", "own")
    await page.fill("[name=name]", "acme")
    await page.fill("[name=languages]", "en zh")
    await expect(preview).to_contain_text("1 live nodes would be members")
    await expect(preview).to_contain_text("no semantic repair for zh")
    await page.fill("[name=languages]", "en de")
    await expect(preview).to_contain_text("no semantic repair for de")
    await page.fill("[name=languages]", "en")
    await expect(preview).to_contain_text("Name 2 to 30 languages.")
    await admin.close()
