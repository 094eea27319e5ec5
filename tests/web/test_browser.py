"""One journey in a real browser: open the list, filter, open a call, play a piece of evidence, change the language."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from qa.web.app import make_app
from qa.web.listen import listen
from qa.web.screens import BUILT
from tests.web import seed
from tests.web.conftest import POLITE, Running

CHROMIUM = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
NEEDED = CHROMIUM is not None and (BUILT / "index.html").is_file()
pytestmark = [pytest.mark.browser, pytest.mark.skipif(not NEEDED, reason="browser: NOT RUN")]
PATIENCE_MS = 20_000
SIZE = {"width": 1366, "height": 768}
HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=2</script>'


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def address(services: Running) -> AsyncIterator[str]:
    runner, port = await listen(make_app(services, watch_seconds=0.1), "127.0.0.1", 0)
    yield f"http://127.0.0.1:{port}"
    await runner.cleanup()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Any]:
    from playwright.async_api import async_playwright

    args = ["--disable-background-networking", "--autoplay-policy=no-user-gesture-required"]
    args += ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's isolation does not start as root
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=args)
        yield started
        await started.close()


@pytest.fixture
async def page(browser: Any) -> AsyncIterator[Any]:
    """A page in English whose complaints are collected in ``page.complaints``."""
    context = await browser.new_context(viewport=SIZE, locale="en-GB", reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    one = await context.new_page()
    one.complaints = []
    one.on("pageerror", lambda error: one.complaints.append(str(error)))
    one.on("console", lambda said: one.complaints.append(said.text) if said.type == "error" else None)
    yield one
    await context.close()


def patiently() -> Any:
    """Playwright's waiting assertions; the library is imported only where a browser runs."""
    from playwright.async_api import expect

    expect.set_options(timeout=PATIENCE_MS)
    return expect


async def test_a_reviewer_finds_hears_and_reads_a_finding_in_three_languages(page: Any, address: str) -> None:
    await page.goto(address)
    await page.get_by_text("This machine only.").wait_for()
    await page.get_by_text("Demonstration site.").wait_for()
    rows, expect = page.locator("tr.ant-table-row"), patiently()
    await rows.first.wait_for()
    assert await rows.count() == 10

    await page.get_by_role("checkbox", name="Flagged only").check()
    await expect(rows).to_have_count(4)

    await page.keyboard.press("Escape")
    await page.locator("main").click(position={"x": 5, "y": 5})
    await page.keyboard.press("j")
    await page.locator("tr.ant-table-row.chosen").wait_for()
    await page.get_by_role("link", name="Open call C-04").click()
    finding = page.locator(".finding[data-rule='BES-14']")
    await finding.get_by_text("第二节 14").wait_for()
    await finding.get_by_text("waits for a person").wait_for()
    await page.locator(".turns mark.arguing").wait_for()

    play = finding.get_by_role("button", name="Play 0:03.8")
    await expect(page.get_by_role("button", name="Play", exact=True)).to_be_enabled()
    await play.click()
    await page.get_by_test_id("span").get_by_text("0:03.8").wait_for()
    await page.locator(".turns li[aria-current]").wait_for()
    await expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    now = await page.locator(".position").inner_text()
    assert now.startswith(("0:05.0", "0:05.1")), f"the evidence ends at 0:05.0, the player stood at {now}"

    await page.get_by_text("한국어").click()
    await finding.locator(".mark").get_by_text("검토 대기").wait_for()
    await page.get_by_text("中文", exact=True).click()
    await finding.locator(".mark").get_by_text("待复核").wait_for()
    assert await page.evaluate("document.documentElement.lang") == "zh-CN"
    assert page.complaints == []


async def test_a_call_without_audio_shows_its_signalling(page: Any, address: str) -> None:
    await page.goto(f"{address}/calls/C-07")
    await page.get_by_text("No recording").wait_for()
    await page.locator(".finding[data-rule='BES-16']").get_by_role("button", name="Show in the signalling").click()
    await page.locator(".events li.marked").first.wait_for()

    assert await page.locator(".events li.marked").count() == 3
    assert page.complaints == []


@pytest.mark.parametrize("path", ["/", "/calls/C-02", "/episodes"])
async def test_nothing_is_cut_off_at_twice_the_size(page: Any, address: str, path: str) -> None:
    await page.set_viewport_size({"width": 683, "height": 384})
    await page.goto(address + path)
    await page.locator(".panel").first.wait_for()
    await page.locator(".points").first.wait_for()

    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_call_that_rings_appears_by_itself(page: Any, address: str, services: Running) -> None:
    await page.goto(address)
    await page.locator("tr.ant-table-row").first.wait_for()
    await page.locator(".pulse.on").wait_for()
    await seed.put(services.store, services.site, services.recordings, seed.Spoken("NEW", POLITE, agent=HOSTILE))

    await page.get_by_role("link", name="Open call NEW").wait_for()
    await page.get_by_text(HOSTILE).first.wait_for()
    assert await page.title() == "seatwatch"
    assert page.complaints == []
