"""The month over a real database: closed once, shown as it was, late news and people's adjustments in the next."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from qa import site as sites
from qa.period import MonthRefused, Months, Only, View, month_of, set_money
from qa.settings import Settings
from qa.site import SiteRules
from qa.store import records, runs
from qa.store.errors import PeriodClosed
from qa.store.pool import Store
from scoring.load import load_pack, shipped
from scoring.records.admit import parse
from scoring.records.record import Record
from tests.postgres import SITE

MARCH, APRIL, MAY = (month_of(f"2026-0{one}") for one in (3, 4, 5))
NOW = datetime(2026, 4, 2, 9)


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> SiteRules:
    """The site's pack is the 80-point one; every clause decides by itself."""
    settings = Settings(data=tmp_path_factory.mktemp("site"), pack="a80")
    found = sites.rules(settings, SITE)
    return replace(found, overlay=replace(found.overlay, trust="all"))


def person(agent: str, team: str = "north", day: str = "2026-01-01", **more: Any) -> dict[str, Any]:
    return {"kind": "person", "agent": agent, "day": day, "team": team, "hired": "2025-06-01", "role": "agent",
            "source": "hr", **more}  # fmt: skip


def seen(rule: str, agent: str, day: str, **more: Any) -> dict[str, Any]:
    return {
        "kind": "observation", "rule": rule, "agent": agent, "day": day, "source": "person", "entered_by": "Zhao",
        "reason": "seen on the round", **more,
    }  # fmt: skip


async def put(store: Store, rules: SiteRules, rows: Iterable[dict[str, Any]], prefix: str = "r") -> None:
    found = [parse({"id": f"{prefix}{number}", **row}, rules.zone) for number, row in enumerate(rows)]
    assert all(isinstance(one, Record) for one in found), found
    async with store.site(SITE, "Zhao") as tx:
        added = await records.add_records(tx, [one for one in found if isinstance(one, Record)], name="test")
    assert not added.refused


STAFF = (person("Wang"), person("Li"), person("Chen", "south"))
ROWS = (*STAFF, seen("A80-L13", "Wang", "2026-03-05"), seen("A80-L02", "Li", "2026-03-06"))


def asked(store: Store, rules: SiteRules, by: str = "Kim", now: datetime = NOW) -> Months:
    return Months(store, rules, by, now)


def scores(view: View) -> dict[str, Any]:
    return {one["who"]: one["score"] for one in view.cards if one["kind"] == "person"}


async def test_a_month_is_shown_while_it_is_open(store: Store, rules: SiteRules) -> None:
    await put(store, rules, ROWS)

    view = await asked(store, rules).view(MARCH)

    print(json.dumps(view.cards[0], ensure_ascii=False)[:3000])
    assert view.closed is None
    assert [one["who"] for one in view.cards if one["kind"] == "person"] == ["Chen", "Li", "Wang"]


async def test_a_closed_month_stays_as_it_was_and_late_news_go_into_the_next(store: Store, rules: SiteRules) -> None:
    await put(store, rules, ROWS)
    closed = await asked(store, rules).close(MARCH)
    assert closed.closed is not None and closed.closed.actor == "Kim"
    assert scores(closed) == {"Chen": "80", "Li": "78", "Wang": "80"}

    await put(store, rules, [seen("A80-L02", "Wang", "2026-03-20")], "late")
    again = await asked(store, rules).view(MARCH)
    april = await asked(store, rules, now=datetime(2026, 5, 2)).view(APRIL)

    assert again.cards == closed.cards
    wang = april.card("person", "Wang")
    assert wang is not None and wang["adjusted"] == {"points": "-2", "pay": "-20"}
    assert wang["score"] == "80"


async def test_a_month_is_closed_once_in_order_and_when_it_is_over(store: Store, rules: SiteRules) -> None:
    await put(store, rules, ROWS)
    with pytest.raises(MonthRefused, match="not over; close it from 2026-04-01"):
        await asked(store, rules, now=datetime(2026, 3, 31, 23)).close(MARCH)
    await asked(store, rules).close(MARCH)

    with pytest.raises(MonthRefused, match="closed by Kim"):
        await asked(store, rules).close(MARCH)
    with pytest.raises(MonthRefused, match="2026-04 is the next"):
        await asked(store, rules, now=datetime(2026, 6, 1)).close(MAY)
    async with store.site(SITE, "Kim") as tx:
        assert (await runs.walk_chain(tx)).clean


async def test_people_adjust_a_closed_month_only_with_a_reason(store: Store, rules: SiteRules) -> None:
    await put(store, rules, ROWS)
    months = asked(store, rules)
    two = Decimal(2)
    with pytest.raises(MonthRefused, match="is open"):
        await months.adjust(MARCH, Only(agent="Wang"), two, Decimal(0), "appeal granted")
    await months.close(MARCH)
    with pytest.raises(MonthRefused, match="reason"):
        await months.adjust(MARCH, Only(agent="Wang"), two, Decimal(0), "  ")
    with pytest.raises(MonthRefused, match="no card"):
        await months.adjust(MARCH, Only(agent="Nobody"), two, Decimal(0), "appeal granted")

    (made,) = await months.adjust(MARCH, Only(agent="Wang"), two, Decimal("-5.50"), "appeal granted")
    north = await months.adjust(MARCH, Only(team="north"), Decimal(1), Decimal(0), "the outage of 3 March")

    assert (made.carried, made.actor, made.pay) == ("2026-04", "Kim", Decimal("-5.50"))
    assert [one.agent for one in north] == ["Li", "Wang"]
    assert len((await months.view(APRIL)).adjustments) == 3


async def test_amounts_enter_the_ledger_only_where_money_is_on(store: Store, rules: SiteRules) -> None:
    await put(store, rules, ROWS)
    await set_money(store, SITE, "Owner", "record_only", None)
    await asked(store, rules).close(MARCH)
    view = await asked(store, rules).view(MARCH)
    li = view.card("person", "Li")
    assert li is not None and li["ledger"] == li["pay"] == "-20"

    async with store.site(SITE, "Kim") as tx:
        entries = await runs.entries(tx, "month:2026-03/person/Li")
        assert await runs.entries(tx, "month:2026-03/person/Chen") == []
    (entry,) = entries
    assert (entry.rule, entry.event, entry.outcome, entry.points) == ("A80-P02", "pay", "breach", Decimal(0))
    assert entry.evidence[0]["value"] == "-20.00"
    assert entry.actor == "Kim"


async def test_a_dismissal_takes_two_people_and_nobody_decides_about_themselves(
    store: Store, rules: SiteRules
) -> None:
    await put(store, rules, (*ROWS, seen("A80-V07", "Wang", "2026-03-09")))
    await asked(store, rules).close(MARCH)
    with pytest.raises(MonthRefused, match="reviewed first"):
        await asked(store, rules).decide(MARCH, "Wang", "dismissal", "approve", "clear")
    with pytest.raises(MonthRefused, match="own month"):
        await asked(store, rules, "Wang").decide(MARCH, "Wang", "dismissal", "reject", "I did not")
    await asked(store, rules).decide(MARCH, "Wang", "dismissal", "review", "heard Wang")
    with pytest.raises(MonthRefused, match="two different people"):
        await asked(store, rules).decide(MARCH, "Wang", "dismissal", "approve", "clear")

    caution = await asked(store, rules, "Owner").decide(MARCH, "Wang", "dismissal", "approve", "agreed")

    assert caution == ("L5",)
    view = await asked(store, rules).view(MARCH)
    assert [(one.state, one.actor) for one in view.decisions] == [("reviewed", "Kim"), ("approved", "Owner")]
    with pytest.raises(MonthRefused, match="already approved"):
        await asked(store, rules, "Third").decide(MARCH, "Wang", "dismissal", "reject", "no")
