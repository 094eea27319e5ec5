"""First set-up as a page in a real browser: wrong answers at their fields, tests that fail and pass, writing."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from qa.settings import load_settings
from qa.store import people
from qa.store.pool import Store
from qa.web.app import make_app
from qa.web.guard import Principal
from qa.web.listen import listen
from tests.ingest.ami_script import block
from tests.ingest.ami_server import SECRET, USER, manager_port
from tests.web.conftest import running
from tests.web.test_browser import NEEDED, browser, page, patiently
from tests.web.test_setup import place

__all__ = ["browser", "page", "place"]
pytestmark = [pytest.mark.browser, pytest.mark.skipif(not NEEDED, reason="browser: NOT RUN")]
LANGUAGES = {"English": "en", "中文": "zh-CN", "한국어": "ko"}
FAULTY = "id,name,team,seat\nA01,Kim,T1,S01\nA02,,T1,S02\n"


@pytest.fixture
async def address(place: Path, store: Store) -> AsyncIterator[str]:
    runner, port = await listen(make_app(running(store, place)), "127.0.0.1", 0)
    yield f"http://127.0.0.1:{port}"
    await runner.cleanup()


async def test_a_site_is_set_up_on_the_page(page: Any, address: str, place: Path, store: Store) -> None:
    expect = patiently()
    go = page.locator(".setup form button[type=submit]")
    async with manager_port() as ami:
        ami.clock = datetime.now(UTC).timestamp()
        ami.may = (*ami.may, "Originate")
        await page.goto(address)
        await page.get_by_role("link", name="Set-up").click()
        await page.get_by_text("Nothing is recorded yet").wait_for()
        await page.locator("[id='q-site']").fill("North Side")
        await go.click()
        await page.locator("[data-field='site'] .letter").get_by_text("no short name").wait_for()
        await expect(page.locator("[id='q-site']")).to_be_focused()
        await page.locator("[id='q-site']").fill("north")
        await page.locator("[id='q-timezone']").fill("Asia/Seoul")
        await go.click()
        await page.locator("[data-check='disk'][data-mark]").wait_for()
        await go.click()
        await page.locator("[data-field='ring_policy']").wait_for()
        await go.click()
        await go.click()
        await page.locator("[data-check='model'][data-mark='warn']").wait_for()
        await go.click()

        await page.locator("[id='q-pbx.host']").fill("127.0.0.1")
        for name, text in {"name": "hq", "ami_port": str(ami.port), "ami_user": USER, "ami_secret": "wrong",
                           "seats": "1001=S01\n1002=S02"}.items():  # fmt: skip
            await page.locator(f"[id='q-pbx.{name}']").fill(text)
        await go.click()
        await page.locator("[data-check='ami'][data-mark='bad']").get_by_text("manager.conf").first.wait_for()
        await page.get_by_role("button", name="Go on anyway").wait_for()
        await page.locator("[id='q-pbx.ami_secret']").fill(SECRET)
        await go.click()
        await page.locator("[data-check='ami'][data-mark='good']").wait_for()
        await page.locator("[data-check='rights'][data-mark='warn']").get_by_text("more than look").wait_for()
        asked = sum(one.get("Action") == "ListCommands" for one in ami.heard)
        await page.get_by_role("button", name="Wait for a test call").click()
        await ami.until_asked("ListCommands", asked + 1)
        ami.say(block("1 Newchannel s1"))
        await page.locator("[data-check='call'][data-mark='good']").get_by_text("seat S01").wait_for()
        await go.click()

    chooser = page.locator("input[type=file]")
    await chooser.set_input_files({"name": "people.csv", "mimeType": "text/csv", "buffer": FAULTY.encode()})
    await go.click()
    await page.locator("[data-field='people'] tr.ant-table-row").get_by_text("This is needed").wait_for()
    mended = FAULTY.replace("A02,,", "A02,Lee,").encode()
    await chooser.set_input_files({"name": "people.csv", "mimeType": "text/csv", "buffer": mended})
    await go.click()
    await page.locator("[data-step='recording']").wait_for()
    await go.click()
    await expect(page.locator(".letter")).to_have_count(2)
    await page.locator("[id='q-announcement']").fill("通话将被录音")
    await page.locator("[id='q-retention_days']").fill("180")
    await go.click()
    await page.locator("[data-check='recording'][data-mark='good']").wait_for()
    await go.click()
    await page.locator("[id='q-sources']").fill("acd")
    await go.click()
    await page.locator("[data-change='people']").wait_for()
    assert not (place / "seatwatch.toml").exists()
    assert SECRET not in await page.locator("main").inner_text()
    await page.get_by_role("button", name="Write", exact=True).click()
    await page.locator(".done").get_by_text("Written.").wait_for()

    made = load_settings()
    assert (made.site, made.retention_days, made.pbx[0].seats) == ("north", 180, {"1001": "S01", "1002": "S02"})
    assert (made.timezone, made.cadence, made.language) == ("Asia/Seoul", "kr", "ko")
    async with store.site("north", "reader") as tx:
        assert {one.name for one in await people.everybody(tx)} == {"Kim", "Lee"}
    await page.goto(f"{address}/setup")
    await page.locator("[id='q-site']").wait_for()
    assert await page.locator("[id='q-site']").input_value() == "north"
    assert await page.get_by_text("Nothing is recorded yet").count() == 0
    assert page.complaints == []


@pytest.mark.slow
async def test_every_step_has_its_words_in_three_languages(page: Any, address: str) -> None:
    await page.goto(f"{address}/setup")
    for name, code in LANGUAGES.items():
        await page.locator("header").get_by_text(name, exact=True).click()
        assert await page.evaluate("document.documentElement.lang") == code
        for step in ("site", "rules", "model", "pbx", "people", "recording", "sources", "review"):
            await page.locator(".steps button").nth(STEPS.index(step)).click()
            await page.locator(f"[data-step='{step}']").wait_for()
            if step == "pbx":
                await page.locator("[id='q-pbx.host']").fill("10.0.0.1")
                await page.locator("[id='q-pbx.ari_url']").fill("http://10.0.0.1:8088")
            text = await page.locator("main").inner_text()
            assert "setup." not in text, (code, step)
            if code != "en":
                assert re.search(r"[\u4e00-\u9fff\uac00-\ud7af]", text)
    assert page.complaints == []


STEPS = ["site", "rules", "model", "pbx", "people", "recording", "sources", "review"]


@pytest.mark.slow
async def test_who_may_only_read_changes_nothing(page: Any, place: Path, store: Store) -> None:
    runner, port = await listen(make_app(running(store, place), principal=Principal("li", "auditor")), "127.0.0.1", 0)
    await page.goto(f"http://127.0.0.1:{port}/setup")
    await page.get_by_text("Only the owner of the site can change this.").wait_for()
    assert await page.locator(".setup form button[type=submit]").count() == 0
    await patiently()(page.locator("[id='q-site']")).to_be_disabled()
    await runner.cleanup()
    assert page.complaints == []


@pytest.mark.slow
async def test_nothing_is_cut_off_at_twice_the_size(page: Any, address: str) -> None:
    await page.set_viewport_size({"width": 683, "height": 384})
    await page.goto(f"{address}/setup")
    await page.locator("main .panel").first.wait_for()

    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
