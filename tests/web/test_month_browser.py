"""The month in a real browser: the list, a sheet, a decision with its reason, closing, three languages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from qa.settings import Settings
from qa.store.pool import Store
from qa.web.app import make_app
from qa.web.guard import Principal
from qa.web.listen import listen
from tests.web.conftest import Running
from tests.web.test_browser import browser, page, patiently, pytestmark
from tests.web.test_months import fill

__all__ = ["browser", "page", "pytestmark"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def address(module_dsn: str, tmp_path_factory: Any) -> AsyncIterator[str]:
    """A site with a month of three people."""
    store, folder = await Store.open(module_dsn), tmp_path_factory.mktemp("months")
    await fill(store)
    services = Running(Settings(data=folder, pack="a80"), store, folder)
    runner, port = await listen(make_app(services, principal=Principal("kim", "owner")), "127.0.0.1", 0)
    yield f"http://127.0.0.1:{port}"
    await runner.cleanup()
    await store.close()


@pytest.mark.parametrize("path", ["/months/2026-03", "/months/2026-03/person/Wang"])
async def test_no_month_is_cut_off_at_twice_the_size(page: Any, address: str, path: str) -> None:
    await page.set_viewport_size({"width": 683, "height": 384})
    await page.goto(address + path)
    await page.locator(".panel .num, .sheetlines").first.wait_for()

    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_an_empty_month_says_what_to_do(page: Any, address: str) -> None:
    await page.goto(f"{address}/months/2025-03")

    await page.get_by_text("Nobody worked here in this month").wait_for()
    assert page.complaints == []


async def test_an_assessor_reads_decides_and_closes_a_month(page: Any, address: str) -> None:
    await page.goto(f"{address}/months/2026-03")
    row = page.locator("tr.ant-table-row", has_text="Wang")
    await row.get_by_text("proposed").wait_for()
    await page.get_by_role("link", name="Wang").click()
    line = page.locator(".sheetlines > li[data-rule='A80-V07']")
    await line.get_by_text("工作时间内睡觉直接辞退").wait_for()
    await line.get_by_text("decided by Zhao").wait_for()

    await page.get_by_role("button", name="Review").click()
    dialog = page.get_by_role("dialog")
    await patiently()(dialog.get_by_role("button", name="Review")).to_be_disabled()
    await dialog.get_by_label("Reason").fill("heard Wang")
    await dialog.get_by_role("button", name="Review").click()
    await page.get_by_text("heard Wang").wait_for()
    await page.get_by_role("button", name="Approve").click()
    await dialog.get_by_label("Reason").fill("alone")
    await dialog.get_by_role("button", name="Approve").click()
    await page.get_by_text("two different people").wait_for()
    page.complaints.clear()  # the refusal itself is one

    await page.get_by_role("link", name="Everybody in 2026-03").click()
    await page.get_by_role("button", name="Close the month").click()
    await dialog.get_by_role("button", name="Close the month").click()
    await page.get_by_text("closed by kim").wait_for()
    await page.get_by_text("한국어").click()
    await row.get_by_text("검토됨").wait_for()
    await page.get_by_text("中文", exact=True).click()
    await row.get_by_text("已复核").wait_for()
    assert page.complaints == []

    await page.get_by_text("English").click()
    await page.get_by_role("link", name="Li", exact=True).click()
    await page.get_by_role("button", name="Adjust").click()
    await dialog.get_by_label("Points").fill("1,5")
    await dialog.get_by_text("Write a number").wait_for()
    await dialog.get_by_label("Points").fill("1.5")
    await patiently()(dialog.get_by_role("button", name="Adjust")).to_be_disabled()
    await dialog.get_by_label("Reason").fill("appeal granted")
    await dialog.get_by_role("button", name="Adjust").click()
    await page.get_by_role("listitem").filter(has_text="appeal granted").get_by_role("button", name="Take back").click()
    await dialog.get_by_label("Reason").fill("wrong person")
    await dialog.get_by_role("button", name="Take back").click()
    await page.get_by_role("listitem").filter(has_text="2026-03 → 2026-04: wrong person").wait_for()
    assert page.complaints == []
