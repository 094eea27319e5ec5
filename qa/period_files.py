"""`seatwatch period`: shows, closes, adjusts, decides, and writes the printed sheets. It decides nothing itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

from qa.admin import actor_name
from qa.period import VERBS, MonthRefused, Months, Only, Step, Verb, View, money_of, month_of, set_money
from qa.period_print import file_name, page
from qa.period_sheet import head, sheets
from qa.period_text import text
from qa.period_words import LANGUAGES
from qa.period_world import MONEY
from qa.services import opened
from qa.settings import load_settings
from qa.store.months import Adjusted
from qa.store.pool import Store
from scoring.canonical import decimal_text
from scoring.errors import PackError
from scoring.records.period import Period

T = TypeVar("T")
SHORT = {"zh": "zh-CN", "zh-cn": "zh-CN", "ko": "ko", "en": "en"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A month as the command prints it."""

    head: Mapping[str, Any]
    sheets: list[dict[str, Any]]
    details: bool

    def as_dict(self) -> dict[str, Any]:
        people = [one for one in self.sheets if one["kind"] == "person"]
        return {**self.head, "people": people, "teams": [one for one in self.sheets if one["kind"] != "person"]}

    def as_text(self) -> str:
        return text(self.head, self.sheets, self.details)


def show(
    month: str, only: Only, actor: str | None, step: Step, html: Path | None, xlsx: Path | None, language: str | None
) -> tuple[Shown, list[Path]]:
    """The month, and the files that were written of it."""
    spoken = _language(language)
    view = _asked(actor, lambda months: months.view(_month(month), only, step))
    shown = _shown(view, details=only.agent is not None)
    if only.agent is not None and not shown.sheets:
        raise MonthRefused("not_applicable", f"{only.agent} has no month {month}; leave --agent out to see everybody")
    return shown, [*_pages(html, shown, spoken), *_book(xlsx, shown, spoken)]


def close(month: str, only: Only, actor: str | None, step: Step) -> Shown:
    return _shown(_asked(actor, lambda months: months.close(_month(month), only, step)))


def adjust(month: str, only: Only, points: str, pay: str, reason: str, actor: str | None) -> list[dict[str, str]]:
    """What was written down, in a form for people and programs."""
    by = _number("--points", points), _number("--pay", pay)
    found = _asked(actor, lambda months: months.adjust(_month(month), only, *by, reason))
    return [adjusted(made) for made in found]


def adjusted(made: Adjusted) -> dict[str, str]:
    return {
        "month": made.month, "carried": made.carried, "agent": made.agent, "points": decimal_text(made.points),
        "pay": decimal_text(made.pay), "reason": made.reason, "by": made.actor, "at": made.made_at.isoformat(),
    }  # fmt: skip


def decide(month: str, agent: str, kind: str, verb: str, reason: str, actor: str | None) -> dict[str, Any]:
    word = next((one for one in VERBS if one == verb), None)
    if word is None:
        raise PackError([f"period decide: {verb!r} is no step; write one of {', '.join(VERBS)}"])
    step: Verb = word
    caution = _asked(actor, lambda months: months.decide(_month(month), agent, kind, step, reason))
    state = {"review": "reviewed", "approve": "approved", "reject": "rejected"}[step]
    return {"month": month, "agent": agent, "kind": kind, "state": state, "caution": list(caution)}


def money(mode: str | None, signed_off_by: str | None, actor: str | None) -> dict[str, Any]:
    """How far money is on here, after it was set if a mode is named."""
    if mode is not None and mode not in MONEY:
        raise PackError([f"period money: {mode!r} is no mode; write one of {', '.join(MONEY)}"])

    async def work(store: Store, site: str) -> dict[str, Any]:
        if mode is not None:
            await set_money(store, site, actor_name(actor), mode, signed_off_by)
        return await money_of(store, site, actor_name(actor))

    settings = load_settings()

    async def run() -> dict[str, Any]:
        async with opened(settings, settings.site, settings.site, scores=False) as services:
            return await work(services.store, services.site)

    return asyncio.run(run())


def _asked(actor: str | None, work: Callable[[Months], Awaitable[T]]) -> T:
    settings = load_settings()

    async def run() -> T:
        async with opened(settings, settings.site, settings.site) as services:
            rules = services.rules(settings.site)
            now = datetime.now(rules.zone).replace(tzinfo=None, microsecond=0)
            return await work(Months(services.store, rules, actor_name(actor), now))

    return asyncio.run(run())


def _month(month: str) -> Period:
    try:
        return month_of(month)
    except MonthRefused as refused:
        raise PackError([f"period: {refused}"]) from None


def _number(name: str, value: str) -> Decimal:
    try:
        found = Decimal(value)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite():
        raise PackError([f"{name} {value}: no number; write it like -1.5"])
    return found


def _language(given: str | None) -> str:
    found = SHORT.get((given or load_settings().language).lower())
    if found is None:
        raise PackError([f"--lang {given}: not spoken here; write one of {', '.join(LANGUAGES)}"])
    return found


def _shown(view: View, details: bool = False) -> Shown:
    return Shown(head(view), sheets(view), details)


def _pages(folder: Path | None, shown: Shown, language: str) -> list[Path]:
    """One file for each person and team."""
    if folder is None:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    written, taken = [], set()
    for one in shown.sheets:
        members = [
            other
            for other in shown.sheets
            if other["kind"] == "person" and one["kind"] != "person" and one["team"] in (other["team"], "-")
        ]
        name = file_name(shown.head["month"], one)
        while name.lower() in taken:
            name = name.replace(".html", "_.html")
        taken.add(name.lower())
        path = folder / name
        path.write_text(page(shown.head, one, members, language), encoding="utf-8")
        written.append(path)
    return written


def _book(path: Path | None, shown: Shown, language: str) -> list[Path]:
    if path is None:
        return []
    from qa.period_book import write

    write(path, shown.head, shown.sheets, language)
    return [path]
