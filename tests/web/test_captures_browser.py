"""In a real browser: how much of a day was recorded, what is missing, and the parts of a conversation, named."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from qa.fold import LATE
from qa.store import captures
from qa.store.pool import Store
from qa.web.app import make_app
from qa.web.listen import listen
from tests.ingest.values import raw
from tests.postgres import SITE
from tests.qa.lab import Floor, floor
from tests.web.conftest import running
from tests.web.test_browser import NEEDED, browser, page, patiently

__all__ = ["browser", "page"]
pytestmark = [pytest.mark.browser, pytest.mark.skipif(not NEEDED, reason="browser: NOT RUN")]
NARROW = {"width": 390, "height": 844}
HOSTILE = '<img src=x onerror="document.title=1">'
MISSED, FIRST, SECOND = ({"seat": f"s{n}", "agent": f"A0{n}"} for n in (3, 1, 2))


@pytest_asyncio.fixture
async def site(store: Store, tmp_path: Path) -> AsyncIterator[Floor]:
    async with floor(store, tmp_path) as one:
        yield one


@pytest_asyncio.fixture
async def address(site: Floor) -> AsyncIterator[str]:
    runner, port = await listen(make_app(running(site.store, site.home)), "127.0.0.1", 0)
    yield f"http://127.0.0.1:{port}"
    await runner.cleanup()


async def transferred(site: Floor) -> None:
    """A ring that nobody took, a talk, and another one after a transfer; and a call that is nobody's."""
    await site.tell(
        raw("offered", 0, id="0", **MISSED), raw("ringing", 0.5, id="1", **MISSED),
        raw("redirected", 20, id="2", **MISSED), raw("ringing", 23, id="3", **FIRST),
        raw("answered", 26, id="4", **FIRST), raw("transferred", 40, id="5", how="blind", **FIRST),
        raw("ringing", 41, id="6", **SECOND), raw("answered", 46, id="7", **SECOND), raw("ended", 70, id="8"),
        raw("ringing", 0, id="9", call="c2", seat="s9"), raw("ended", 9, id="a", call="c2", by="customer"),
    )  # fmt: skip
    await site.turn()
    await site.turn(LATE.total_seconds())


def found(day: int, *missing: tuple[str, str, str | None]) -> captures.Capture:
    lines = tuple(
        {"call": f"9.{n} {HOSTILE}", "at": f"2026-03-0{day}T09:0{n}:00+08:00", "state": s, "reason": why, "ours": ours}
        for n, (s, why, ours) in enumerate(missing)
    )
    counts = {state: sum(line["state"] == state for line in lines) for state in ("gaps", "no_audio", "never_seen")}
    return captures.Capture(
        day=date(2026, 3, day), list="queue_log", listed=len(lines) + 8, recorded=8, **counts, nothing=0, excluded=0,
        refused=0, unlisted=0, missing=lines,
    )  # fmt: skip


async def test_a_supervisor_sees_what_was_not_recorded_and_why(page: Any, address: str, site: Floor) -> None:
    expect = patiently()
    await page.goto(f"{address}/captures")
    await page.get_by_text("No day has been held against a list yet").wait_for()
    await expect(page.locator(".bring code").first).to_contain_text("seatwatch reconcile 20")

    await transferred(site)
    async with site.store.site(SITE, "kim") as tx:
        await captures.add(tx, found(1))
        await captures.add(tx, found(2, ("never_seen", "neither signalling nor audio of it came here", None),
                                     ("gaps", "2.4 s of a party's audio are missing (crash)", "c1")))  # fmt: skip
    await page.goto(f"{address}/board")
    await page.get_by_role("link", name="80.00 % of the calls of 2026-03-02").click()
    await expect(page.get_by_role("alert")).to_contain_text("Below 100 %: 2 missing")
    rows = page.locator(".missingcalls tr.ant-table-row")
    await expect(rows).to_have_count(2)
    await page.get_by_text(HOSTILE).first.wait_for()
    await page.get_by_role("button", name="Not whole").click()
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("2.4 s of a party's audio are missing (ingest stopped)")

    await page.keyboard.press("ArrowLeft")
    await page.get_by_text("All recorded whole").wait_for()
    await page.get_by_role("button", name="2026-03-02: 80.00 % recorded, 2 missing").click()
    await page.get_by_text("中文", exact=True).click()
    await expect(rows.nth(1)).to_contain_text("一方的声音缺少 2.4 秒（接收进程中断）")
    await page.set_viewport_size(NARROW)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await rows.nth(1).get_by_role("link", name="打开 c1").click()
    await page.locator(".parts").wait_for()
    assert await page.title() == "seatwatch"
    assert page.complaints == []


async def test_parts_of_a_conversation_have_names_and_lead_to_one_another(page: Any, address: str, site: Floor) -> None:
    expect = patiently()
    await transferred(site)
    await page.goto(address)
    rows = page.locator("tr.ant-table-row")
    await expect(rows).to_have_count(4)
    await page.get_by_role("button", name="Nobody's").click()
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("nobody's")
    await page.get_by_role("button", name="Calls", exact=False).first.click()

    await page.get_by_role("combobox", name="Kind").click()
    await page.get_by_title("Missed rings").click()
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("missed ring")
    await expect(rows).to_contain_text("19.5 s")
    await page.get_by_role("link", name="Open call c1~101").click()
    await page.get_by_text("This seat rang and did not answer").wait_for()

    parts = page.locator("nav.parts")
    await expect(parts.locator("> *")).to_have_count(3)
    await parts.get_by_role("link", name="after transfer, part 2").click()
    await expect(page.locator("h1")).to_contain_text("c1~2")
    await expect(parts.locator("[aria-current]")).to_contain_text("A02")
    await page.get_by_text("한국어").click()
    await expect(parts.locator("[aria-current]")).to_contain_text("호전환 후 2번째 구간")
    await page.get_by_text("中文", exact=True).click()
    await expect(parts).to_contain_text("未接振铃")
    await expect(parts).to_contain_text("转接后第 2 段")
    assert page.complaints == []
