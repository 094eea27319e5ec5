"""The assessor's journey in a real browser: enter, correct, withdraw, take back, import, connect; three languages."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from qa.store import records
from qa.store.pool import Store
from qa.web.app import make_app
from qa.web.guard import Principal
from qa.web.listen import listen
from tests.postgres import SITE
from tests.scoring.records.build import SOUND, record
from tests.web.conftest import Running, running
from tests.web.test_browser import NEEDED, browser, page, patiently

__all__ = ["browser", "page"]
pytestmark = [pytest.mark.browser, pytest.mark.skipif(not NEEDED, reason="browser: NOT RUN")]
HEAD = "id,agent,day,exam,score,source\n"
GOOD = "e{n},Lin,2026-03-{n:02},service,60,exam\n"
LANGUAGES = {"English": "en", "中文": "zh-CN", "한국어": "ko"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desk(module_dsn: str, tmp_path_factory: Any) -> AsyncIterator[Running]:
    """A site of this module's own, without a record."""
    store = await Store.open(module_dsn)
    yield running(store, tmp_path_factory.mktemp("site"))
    await store.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def address(desk: Running) -> AsyncIterator[str]:
    runner, port = await listen(make_app(desk), "127.0.0.1", 0)
    yield f"http://127.0.0.1:{port}"
    await runner.cleanup()


def refusals(complaints: list[str]) -> list[str]:
    """What the console says beside a request that was refused, which is how a letter comes."""
    return [one for one in complaints if not re.search(r"status of (422|403)", one)]


async def test_an_observation_is_entered_by_keyboard_corrected_withdrawn_and_brought_back(
    page: Any, address: str
) -> None:
    expect = patiently()
    await page.goto(f"{address}/records")
    await page.get_by_text("No records yet").wait_for()
    await page.keyboard.press("n")
    await page.locator("form.entry").wait_for()

    await page.locator("#f-rule").fill("争执")
    await page.locator(".ruleoption").first.get_by_text("Arguing").wait_for()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Escape")
    await page.locator(".clause").get_by_text("第二节 14").wait_for()
    await page.locator("[data-field='points']").get_by_text("print no range").wait_for()
    await page.locator("#f-agent").fill("Lin")
    await page.keyboard.press("Control+Enter")
    await page.locator("[data-field='reason'] .letter").get_by_text("cannot do without it").wait_for()
    await expect(page.locator("#f-reason")).to_be_focused()

    await page.keyboard.type("Raised the voice")
    await page.locator("#f-points").fill("-9")
    await page.keyboard.press("Control+Enter")
    await page.locator("[data-field='points'] .letter").get_by_text("prints no range").wait_for()
    await page.locator("#f-points").fill("")
    await page.keyboard.press("Control+Enter")
    await page.locator(".deskhead").get_by_text("Holds now").wait_for()

    await page.get_by_role("button", name="Correct").click()
    await page.locator("#f-n").fill("2")
    await page.keyboard.press("Control+Enter")
    await page.locator("[data-field='reason'] .letter").wait_for()
    await page.locator("#f-reason").fill("It happened twice")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".version")).to_have_count(2)
    await page.locator(".version.last .changed").get_by_text("2").wait_for()

    await page.get_by_role("button", name="Withdraw").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Withdraw").click()
    await dialog.locator(".letter").wait_for()
    await dialog.get_by_role("textbox").fill("Somebody else's call")
    await dialog.get_by_role("button", name="Withdraw").click()
    await page.locator(".version.void").wait_for()
    await page.get_by_role("button", name="Take the withdrawal back").click()
    await dialog.get_by_role("textbox").fill("It was this one after all")
    await dialog.get_by_role("button", name="Take the withdrawal back").click()
    await expect(page.locator(".version")).to_have_count(4)
    await page.locator(".version.last").get_by_text("Holds now").wait_for()
    assert refusals(page.complaints) == []


DROP = """(text) => {
  const data = new DataTransfer();
  data.items.add(new File([text], "exam-march.csv", { type: "text/csv" }));
  const drop = new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
  document.querySelector(".drop").dispatchEvent(drop);
}"""


async def test_a_file_is_dropped_its_refused_lines_are_shown_and_the_rest_taken_when_ticked(
    page: Any, address: str, desk: Running
) -> None:
    expect = patiently()
    table = HEAD + "".join(GOOD.format(n=n) for n in range(28, 34))
    await page.goto(f"{address}/records/import")
    await page.get_by_text("Nothing was imported yet").or_(page.locator(".deliveries li").first).wait_for()
    await page.evaluate(DROP, table)
    rows = page.locator(".refused tr.ant-table-row")
    await expect(rows).to_have_count(2)
    await rows.first.get_by_text("2026-03-32 is no day of the calendar").wait_for()
    async with desk.store.site(SITE, "reader") as tx:
        assert not (await records.page(tx, records.Wanted(kind="exam"))).items

    await page.get_by_role("checkbox", name="Take the other lines").check()
    await page.get_by_role("button", name="Import again").click()
    await page.get_by_text("4 taken, 0 known already, 2 lines refused").wait_for()
    await page.locator(".deliveries").get_by_text("exam-march.csv").first.wait_for()
    async with desk.store.site(SITE, "reader") as tx:
        assert len((await records.page(tx, records.Wanted(kind="exam"))).items) == 4

    async with page.expect_download() as download:
        await page.locator(".template").get_by_role("link", name="Exam").click()
    assert (await download.value).suggested_filename == "exam.csv"
    await page.locator(".drop input").set_input_files({"name": "a.pdf", "mimeType": "x/y", "buffer": b"x"})
    await page.get_by_text("This file cannot be imported").wait_for()
    assert [one for one in page.complaints if "status of 4" not in one] == []


async def test_only_the_owner_sees_how_to_connect_a_register(page: Any, address: str, desk: Running) -> None:
    leave = page.locator("[data-register='leave']")
    await page.goto(f"{address}/records/registers")
    await page.get_by_text("what is not in a register did not happen").wait_for()
    await leave.get_by_label("From which day on").fill("2026-03-01")
    await leave.get_by_role("button", name="Connect from this day").click()
    await page.get_by_role("dialog").get_by_text("From 2026-03-01 on").wait_for()
    await page.get_by_role("dialog").get_by_role("button", name="Connect from this day").click()
    await leave.get_by_text("connected since 2026-03-01").wait_for()

    runner, port = await listen(make_app(desk, principal=Principal("kim", "assessor")), "127.0.0.1", 0)
    await page.goto(f"http://127.0.0.1:{port}/records/registers")
    await page.get_by_text("Only the owner of the site can change this.").wait_for()
    assert await page.locator("main .register button").count() == 0
    await runner.cleanup()
    assert page.complaints == []


async def test_the_list_narrows_and_every_kind_has_its_words_in_three_languages(
    page: Any, address: str, desk: Running
) -> None:
    expect = patiently()
    async with desk.store.site(SITE, "kim") as tx:
        await records.add_records(tx, [record(kind, f"{kind}-1", agent="Wu") for kind in SOUND], name="all")
    await page.goto(f"{address}/records")
    rows = page.locator("tr.ant-table-row")
    await rows.first.wait_for()
    await page.get_by_label("Month").fill("2026-03")
    await page.locator(".filters").get_by_role("combobox", name="Agent").fill("Wu")
    await page.keyboard.press("Enter")
    await expect(rows).to_have_count(17)  # all but the figure of a quarter, which stands on its first day
    await page.locator(".filters").get_by_role("combobox", name="Source").click()
    await page.locator(".ant-select-item-option").get_by_text("a person", exact=True).click()
    await expect(rows).to_have_count(1)
    await page.get_by_role("button", name="Clear filters").click()

    for name, code in LANGUAGES.items():
        await page.locator("header").get_by_text(name, exact=True).click()
        assert await page.evaluate("document.documentElement.lang") == code
        for path in ("/records", "/records/new", "/records/import", "/records/registers", "/records/id/exam-1"):
            await page.goto(address + path)
            await page.locator("main .panel").first.wait_for()
            assert "records." not in await page.locator("main").inner_text(), path
            if code != "en":
                assert re.search(r"[\u4e00-\u9fff\uac00-\ud7af]", await page.locator(".subnav").inner_text())
    assert page.complaints == []


@pytest.mark.parametrize("path", ["/records", "/records/new", "/records/import", "/records/registers"])
async def test_nothing_is_cut_off_at_twice_the_size(page: Any, address: str, path: str) -> None:
    await page.set_viewport_size({"width": 683, "height": 384})
    await page.goto(address + path)
    await page.locator("main .panel").first.wait_for()

    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
