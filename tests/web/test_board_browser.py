"""One watch over the floor in a real browser: states as they change, alarms, filters, the wall, a seat's day."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from qa.store import people
from qa.store.people import Held, Role
from qa.store.pool import Store
from qa.web.app import make_app
from qa.web.listen import listen
from tests.postgres import SITE
from tests.web.conftest import running
from tests.web.floor import Floor, ago, call, present, seat
from tests.web.test_browser import NEEDED, browser, page, patiently

__all__ = ["browser", "page"]
pytestmark = [pytest.mark.browser, pytest.mark.skipif(not NEEDED, reason="browser: NOT RUN")]
HOSTILE = '<img src=x onerror="document.title=1">'
WATCH = """() => {
  new MutationObserver((_, watch) => {
    if (!document.querySelector("[data-seat='S1'].ringing")) return;
    window.seen = Date.now();
    watch.disconnect();
  }).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""


@pytest.fixture
async def floor(store: Store, tmp_path: Path) -> Floor:
    return Floor(store, tmp_path)


@pytest_asyncio.fixture
async def served(store: Store, tmp_path: Path) -> AsyncIterator[tuple[str, web.AppRunner]]:
    runner, port = await listen(make_app(running(store, tmp_path)), "127.0.0.1", 0)
    yield f"http://127.0.0.1:{port}", runner
    await runner.cleanup()


async def test_a_supervisor_watches_the_floor(
    page: Any, served: tuple[str, web.AppRunner], floor: Floor, record_property: Callable[[str, object], None]
) -> None:
    address, runner = served
    expect = patiently()
    await page.goto(f"{address}/board")
    await page.get_by_text("No seat has been heard of yet").wait_for()

    async with floor.store.site(SITE, "test") as tx:
        await people.add(tx, "Alice", agent="A01", roles=(Held(Role.AGENT, "North"),))
        await people.add(tx, HOSTILE, agent="A02", roles=(Held(Role.AGENT, "South"),))
    await floor.tell(
        seat("S1", "ready", ago(60), agent="A01"),
        seat("S2", "busy", ago(60), reason="tea", agent="A02"),
        seat("S10", "ready", ago(700)),
        present("S10", "no", ago(400)),
    )
    tiles, first = page.locator(".seattile"), page.locator("[data-seat='S1']")
    await expect(tiles).to_have_count(3)
    await expect(first).to_contain_text("Alice")
    await expect(page.locator("[data-seat='S2']")).to_contain_text("tea")
    await page.get_by_text(HOSTILE).wait_for()
    await expect(page.locator("[data-alarm='away']")).to_contain_text("S10")

    await page.evaluate(WATCH)
    began = await page.evaluate("Date.now()")
    await floor.tell(call("offered", "c1", "S1"), call("ringing", "c1", "S1"), seat("S1", "ringing"))
    await page.locator("[data-seat='S1'].ringing").wait_for()
    took_ms = await page.evaluate("window.seen") - began
    record_property("summary", f"board: event to screen {took_ms} ms")
    await expect(first).to_contain_text("ring 1")
    await floor.tell(call("answered", "c1", "S1"), seat("S1", "talking"))
    await expect(first).to_contain_text("talking")

    await page.get_by_role("button", name="busy").click()
    await expect(tiles).to_have_count(1)
    await page.get_by_role("button", name="3 all").click()
    await page.keyboard.press("j")
    await expect(first).to_have_class("seattile talking chosen")
    await page.keyboard.press("w")
    await page.locator(".wall .seattile").first.wait_for()
    assert await page.locator(".head, .notices").count() == 0
    await expect(page.locator(".wall [data-alarm='away']")).to_contain_text("away without notice")
    await page.keyboard.press("Escape")

    await page.get_by_text("한국어").click()
    await expect(first).to_contain_text("통화 중")
    await page.get_by_text("中文", exact=True).click()
    await expect(first).to_contain_text("通话中")
    await page.get_by_text("English").click()

    await page.get_by_role("link", name="Seat S1: open its day").click()
    await page.locator(".timeline rect.talking").wait_for(state="attached")
    await page.get_by_text("Occupancy").first.wait_for()
    await page.get_by_role("link", name="← Board").click()
    await expect(tiles).to_have_count(3)
    assert await page.title() == "seatwatch"
    assert page.complaints == []

    await runner.cleanup()
    await page.get_by_text("No connection to the service since").wait_for()
    await expect(page.locator(".board.stale")).to_have_count(1)
    await floor.seat("S2", "ready")
    port = int(address.rpartition(":")[2])
    again, _ = await listen(make_app(running(floor.store, floor.folder)), "127.0.0.1", port)
    await expect(page.locator("[data-seat='S2'].ready")).to_have_count(1)
    await expect(page.locator(".board.stale")).to_have_count(0)
    await again.cleanup()
