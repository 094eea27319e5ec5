"""The board in a real browser during the lab's calls: when each state stood on the screen, and pictures of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from qa.web.screens import BUILT
from tests.lab.asterisk import LAB

CHROMIUM = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
SHOTS = LAB / "shots"
LANGUAGES = {"zh-CN": "中文", "ko": "한국어", "en": "English"}
SIZE: Any = {"width": 1366, "height": 768}
PATIENCE_MS = 20_000
# A state counts from the first frame that is drawn with it.
WATCH = """() => {
  const last = {};
  window.changes = [];
  const look = () => {
    for (const tile of document.querySelectorAll("[data-seat]")) {
      const seat = tile.dataset.seat, state = tile.classList[1];
      if (last[seat] === state) continue;
      last[seat] = state;
      requestAnimationFrame(() => window.changes.push([seat, state, Date.now() / 1000]));
    }
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
  look();
}"""


def lacking(built: bool = True) -> str:
    """Why there is no screen; empty when there is one. Not *built*: somebody is about to build it."""
    if not CHROMIUM:
        return "no Chromium: as root: apt-get install chromium"
    return "" if not built or (BUILT / "index.html").is_file() else "the screens are not built: make ui"


@dataclass
class Screen:
    """One page that is watched, and one that is photographed, so that no picture delays what is measured."""

    watched: Any
    shown: Any

    async def changes(self) -> list[tuple[str, str, float]]:
        """Seat, state, and when it stood on the screen, in epoch seconds; since the last question."""
        found = await self.watched.evaluate("window.changes.splice(0)")
        return [(seat, state, at) for seat, state, at in found]

    async def shows(self, seat: str, state: str) -> None:
        await self.watched.locator(f"[data-seat='{seat}'].{state}").wait_for()

    async def alarm(self, kind: str) -> None:
        await self.shown.locator(f"[data-alarm='{kind}']").first.wait_for()

    async def shoot(self, name: str) -> None:
        """In each language, and as a wall."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        for language, word in LANGUAGES.items():
            await self.shown.get_by_text(word, exact=True).click()
            await self.shown.locator(f"html[lang='{language}']").wait_for(state="attached")
            await self.shown.screenshot(path=SHOTS / f"{name}-{language}.png")

    async def shoot_page(self, name: str, path: str) -> None:
        """Another page of the product, in the language chosen last."""
        await self.shown.goto(path)
        await self.shown.locator("main").wait_for()
        await self.shown.wait_for_load_state("networkidle")
        await self.shown.screenshot(path=SHOTS / f"{name}.png", full_page=True)


@asynccontextmanager
async def board(address: str) -> AsyncIterator[Screen]:
    from playwright.async_api import async_playwright

    args = ["--disable-background-networking"] + (["--no-sandbox"] if os.geteuid() == 0 else [])
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=args)
        pages = []
        for _ in range(2):  # each in a window of its own: a page behind another one is not drawn
            context = await browser.new_context(viewport=SIZE, locale="en-GB", reduced_motion="reduce")
            context.set_default_timeout(PATIENCE_MS)
            pages.append(await context.new_page())
        watched, shown = pages
        for page in pages:
            await page.goto(f"{address}/board")
            await page.locator("[data-seat='1001']").wait_for()
        await watched.evaluate(WATCH)
        yield Screen(watched, shown)
        await browser.close()
