"""The month over a real database: closed once, shown as it was, late news and people's adjustments in the next."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from qa import site as sites
from qa.cli import app
from qa.letters import letters
from qa.period import MonthRefused, Months, Only, View, month_of, replay, set_money
from qa.period_book import write
from qa.period_print import file_name, page
from qa.period_sheet import head, sheets
from qa.period_text import text
from qa.period_words import keys, word
from qa.publishing import publish
from qa.settings import Settings
from qa.site import SiteRules
from qa.store import records, runs
from qa.store.pool import Store
from scoring.facts import Cause
from scoring.load import load_pack, shipped
from scoring.pack import Pack
from scoring.records.admit import parse
from scoring.records.record import Record
from tests.postgres import SITE
from tests.web import seed
from tests.web.conftest import POLITE

MARCH, APRIL, MAY = (month_of(f"2026-0{one}") for one in (3, 4, 5))
NOW = datetime.fromisoformat("2026-04-02T09:00")


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

    assert view.closed is None
    assert [one["who"] for one in view.cards if one["kind"] == "person"] == ["Chen", "Li", "Wang"]


async def test_a_closed_month_stays_as_it_was_and_late_news_go_into_the_next(store: Store, rules: SiteRules) -> None:
    await put(store, rules, ROWS)
    closed = await asked(store, rules).close(MARCH)
    assert closed.closed is not None and closed.closed.actor == "Kim"
    assert scores(closed) == {"Chen": "80", "Li": "78", "Wang": "80"}

    await put(store, rules, [seen("A80-L02", "Wang", "2026-03-20")], "late")
    again = await asked(store, rules).view(MARCH)
    april = await asked(store, rules, now=datetime.fromisoformat("2026-05-02T00:00")).view(APRIL)

    assert again.cards == closed.cards
    wang = april.card("person", "Wang")
    assert wang is not None and wang["adjusted"] == {"points": "-2", "pay": "-20"}
    assert wang["score"] == "80"


async def test_a_month_is_closed_once_in_order_and_when_it_is_over(store: Store, rules: SiteRules) -> None:
    await put(store, rules, ROWS)
    with pytest.raises(MonthRefused, match="not over; close it from 2026-04-01"):
        await asked(store, rules, now=datetime.fromisoformat("2026-03-31T23:00")).close(MARCH)
    await asked(store, rules).close(MARCH)

    with pytest.raises(MonthRefused, match="closed by Kim"):
        await asked(store, rules).close(MARCH)
    with pytest.raises(MonthRefused, match="2026-04 is the next"):
        await asked(store, rules, now=datetime.fromisoformat("2026-06-01T00:00")).close(MAY)
    async with store.site(SITE, "Kim") as tx:
        assert (await runs.walk_chain(tx)).clean


async def test_months_that_the_first_closing_leaves_behind_are_named(store: Store, rules: SiteRules) -> None:
    await put(store, rules, (*ROWS, seen("A80-L02", "Li", "2026-01-06")))
    open_month = await asked(store, rules).view(MARCH)
    closed = await asked(store, rules).close(MARCH)

    assert [str(one) for one in open_month.skips] == ["2026-01", "2026-02"] == head(closed)["skips"]
    assert "2026-01, 2026-02 were never closed" in text(head(open_month), sheets(open_month))
    assert (await asked(store, rules).view(APRIL)).skips == ()


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


async def test_a_dismissal_takes_two_people_and_nobody_decides_about_themselves(store: Store, rules: SiteRules) -> None:
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


async def test_a_closed_month_closes_again_to_the_same_bytes_whatever_came_later(
    store: Store, rules: SiteRules
) -> None:
    await put(store, rules, (*ROWS, person("Li", "south", "2026-03-15")))
    await set_money(store, SITE, "Owner", "record_only", None)
    march = await asked(store, rules).close(MARCH)
    await put(store, rules, [seen("A80-L02", "Wang", "2026-03-20"), person("Wang", "south", "2026-03-02")], "late")
    await set_money(store, SITE, "Owner", "off", None)
    april = await asked(store, rules, now=datetime.fromisoformat("2026-05-02T00:00")).close(APRIL)

    same, older, wrong = await replay(store, rules, "verify")

    assert (older, wrong) == ({}, [])
    assert same == len(march.cards) + len(april.cards)


async def test_the_team_and_the_pack_of_the_last_day_hold_for_the_month(store: Store, rules: SiteRules) -> None:
    await put(store, rules, (*ROWS, person("Li", "south", "2026-03-31", pack="bes")))

    view = await asked(store, rules).view(MARCH)

    li = view.card("person", "Li")
    assert li is not None and (li["team"], li["pack"]) == ("south", "bes")
    assert (view.card("person", "Wang") or {})["pack"] == "a80"
    assert [one["who"] for one in (await asked(store, rules).view(MARCH, Only(team="north"))).cards] == [
        "Wang",
        "north",
    ]


async def test_calls_of_the_month_count_as_the_ledger_has_them(store: Store, rules: SiteRules, tmp_path: Path) -> None:
    bes = replace(rules, pack=load_pack(shipped("bes")))
    begin = datetime(2026, 3, 3, 9, tzinfo=rules.zone)
    await put(store, bes, STAFF)
    await seed.put(store, SITE, tmp_path, seed.Spoken("C-1", POLITE, agent="Wang", ring_s=Decimal("17.2"), at=begin))
    await asked(store, bes).close(MARCH)

    wang = (await asked(store, bes).view(MARCH)).card("person", "Wang")

    assert wang is not None and wang["lines"]["BES-16"] == "-0.5"
    (found,) = [one for one in wang["findings"] if one["rule"] == "BES-16"]
    assert (found["subject"], found["day"], found["decided_by"]) == ("C-1", "2026-03-03", "machine")
    async with store.site(SITE, "Kim") as tx:
        assert await runs.current(tx, "call:C-1") is not None


async def test_sheets_say_clause_quote_day_evidence_and_who_decided_in_three_languages(
    store: Store, rules: SiteRules, tmp_path: Path
) -> None:
    hostile = "<b onload=alert(1)>=1+1"
    await put(store, rules, (*ROWS, person(hostile), seen("A80-L02", hostile, "2026-03-09")))
    await set_money(store, SITE, "Owner", "record_only", None)
    view = await asked(store, rules).close(MARCH)
    found = {one["who"]: one for one in sheets(view) if one["kind"] == "person"}

    for language, said in (
        ("zh-CN", "交接后桌面凌乱"),
        ("ko", "교대 후 책상 어지러움"),
        ("en", "Messy desk after handover"),
    ):
        text = page(head(view), found["Li"], [], language)
        for part in (
            said,
            "交接班后本人办公桌面凌乱2分/次",
            "2026-03-06",
            "seen on the round",
            "Zhao",
            "−2",
            "−20",
            "A80-L02",
        ):
            assert part in text, (language, part)
    assert "<b onload" not in page(head(view), found[hostile], [found[hostile]], "en")
    assert "/" not in file_name("2026-03", {"who": "../../etc/x", "kind": "person"})

    write(tmp_path / "march.xlsx", head(view), sheets(view), "zh-CN")
    book = load_workbook(tmp_path / "march.xlsx")
    assert book.sheetnames == ["人员", "扣分与加分", "指标", "无法判定(不扣分)", "建议(须经批准)", "以前月份的调整"]
    people = {row[2]: row for row in book["人员"].iter_rows(values_only=True)}
    assert (people["Li"][4], people["Li"][11]) == (78, -20)
    assert {cell.data_type for row in book["人员"].iter_rows() for cell in row} <= {"s", "n", "inlineStr"}
    assert [row[1] for row in book["扣分与加分"].iter_rows(min_row=2, values_only=True)].count("Li") == 1


async def test_without_money_no_amount_is_shown(store: Store, rules: SiteRules) -> None:
    await put(store, rules, ROWS)
    view = await asked(store, rules).view(MARCH)

    (li,) = [one for one in sheets(view) if one["who"] == "Li"]

    assert (li["score"], li["pay"], li["fine"], li["money"]) == ("78", None, None, [])
    assert "A80-P02" not in {one["rule"] for one in li["values"]}
    assert "元" not in page(head(view), li, [], "zh-CN")
    assert "money is off" in text(head(view), sheets(view))


@pytest.mark.parametrize("language", range(3))
def test_every_word_of_the_sheets_is_there_in_every_language(language: int) -> None:
    names = ("zh-CN", "ko", "en")
    assert all(word(key, names[language]).strip() for key in keys())
    assert {f"cause.{one}" for one in Cause} <= set(keys())


async def test_a_call_that_is_scored_after_the_closing_becomes_an_adjustment(
    store: Store, rules: SiteRules, tmp_path: Path
) -> None:
    bes = replace(rules, pack=load_pack(shipped("bes")))
    begin = datetime(2026, 3, 3, 9, tzinfo=rules.zone)
    call = seed.Spoken("C-1", POLITE, agent="Wang", at=begin)
    await put(store, bes, STAFF)
    await seed.put(store, SITE, tmp_path, call)
    march = await asked(store, bes).close(MARCH)
    await seed.put(store, SITE, tmp_path, replace(call, id="C-2", ring_s=Decimal("17.2")))

    april = await asked(store, bes, now=datetime.fromisoformat("2026-05-02T00:00")).view(APRIL)

    wang = april.card("person", "Wang")
    assert (march.card("person", "Wang") or {})["lines"]["BES-16"] == "0"
    assert wang is not None and wang["lines"]["BES-16"] == "0"
    assert wang["adjusted"]["points"] == "-10.5"  # four rings, and half of the calls answered in time only
    assert await replay(store, bes, "verify") == (len(march.cards), {}, [])


def command(*words: str) -> tuple[int, str]:
    made = CliRunner().invoke(app, ["period", *words])
    told = None if made.exception is None or isinstance(made.exception, SystemExit) else letters(made.exception)
    return (made.exit_code, made.output) if told is None else (told[1], "\n".join(told[0] or ["a defect"]))


def test_the_command_shows_closes_and_adjusts(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEATWATCH_DATABASE_URL", dsn)
    monkeypatch.setenv("SEATWATCH_DATA", str(tmp_path))
    monkeypatch.setenv("SEATWATCH_PACK", "a80")

    async def fill() -> None:
        opened = await Store.open(dsn)
        found = [parse({"id": f"r{number}", **row}, ZoneInfo("Asia/Shanghai")) for number, row in enumerate(ROWS)]
        async with opened.site(SITE, "Zhao") as tx:
            await records.add_records(tx, [one for one in found if isinstance(one, Record)], name="test")
        await opened.close()

    asyncio.run(fill())
    assert command("show", "2026-03", "--agent", "Nobody")[0] == 1
    code, shown = command(
        "show", "2026-03", "--json", "--html", str(tmp_path / "html"), "--xlsx", str(tmp_path / "m.xlsx")
    )
    month = json.loads(shown)
    assert (code, month["closed"], month["money"]) == (0, None, "off")
    assert {one["who"]: one["score"] for one in month["people"]} == {"Chen": "80", "Li": "78", "Wang": "80"}
    assert all(Path(one).is_file() for one in month["files"])
    assert len(month["files"]) == 6
    assert command("adjust", "2026-03", "--agent", "Li", "--points", "1", "--reason", "x")[0] == 1
    assert command("close", "2026-03", "--as", "kim", "--team", "north")[0] == 0
    assert command("close", "2026-03")[0] == 1
    assert command("adjust", "2026-03", "--points", "1", "--reason", "x")[0] == 2
    assert command("adjust", "2026-03", "--agent", "Li", "--points", "one", "--reason", "x")[0] == 2
    code, made = command(
        "adjust", "2026-03", "--team", "north", "--points", "1", "--reason", "the outage", "--as", "kim"
    )
    assert (code, made.count("carried in 2026-04 (by kim: the outage)")) == (0, 2)
    assert command("money", "payroll_export")[0] == 1
    assert command("money", "record_only") == (0, "money: record_only\n")
    assert command("decide", "2026-03", "Li", "dismissal", "review", "--reason", "x")[0] == 1
    assert (
        command("show", "2026-15")[0]
        == command("show", "2026-03", "--html", str(tmp_path / "x"), "--lang", "fr")[0]
        == 2
    )


def dearer_from_april(folder: Path) -> Pack:
    """The regulation of the settings, in which a messy desk costs twice as much."""
    shutil.copytree(shipped("a80"), folder)
    minor = folder / "minor.yaml"
    before, rule = minor.read_text(encoding="utf-8").split("A80-L02:", 1)
    doubled = rule.replace('"-2"', '"-4"', 1)
    minor.write_text(f"{before}A80-L02:{doubled}", encoding="utf-8")
    top = folder / "pack.yaml"
    top.write_text(top.read_text(encoding="utf-8").replace('version: "1"', 'version: "2"'), encoding="utf-8")
    return load_pack(folder)


async def test_late_news_of_a_month_costs_what_it_cost_then_whatever_was_published_since(
    store: Store, rules: SiteRules, tmp_path: Path
) -> None:
    await put(store, rules, [person("Lin"), person("Wu"), seen("A80-L02", "Lin", "2026-03-10")])
    dearer, at = dearer_from_april(tmp_path / "a80"), NOW.replace(tzinfo=rules.zone)
    await publish(store, rules, dearer, APRIL.first, "Zhao", at, shadow=False)
    months = Months(store, rules, "Zhao", datetime.fromisoformat("2026-06-02T09:00"))
    await months.close(MARCH)
    await months.close(APRIL)

    await put(store, rules, [seen("A80-L02", "Lin", "2026-03-20"), seen("A80-L02", "Wu", "2026-04-20")], "late")
    may = await months.close(MAY)

    points = {name: (may.card("person", name) or {})["adjusted"]["points"] for name in ("Lin", "Wu")}
    assert points == {"Lin": "-2", "Wu": "-4"}
    assert (await replay(store, rules, "Zhao"))[2] == []


async def test_the_month_takes_the_pack_that_was_published_for_it(
    store: Store, rules: SiteRules, tmp_path: Path
) -> None:
    dearer, at = dearer_from_april(tmp_path / "a80"), NOW.replace(tzinfo=rules.zone)
    await put(store, rules, [person("Lin"), seen("A80-L02", "Lin", "2026-03-10"), seen("A80-L02", "Lin", "2026-04-10")])
    await publish(store, rules, dearer, APRIL.first, "Zhao", at, shadow=False)

    months = Months(store, rules, "Zhao", datetime.fromisoformat("2026-05-02T09:00"))
    before = (await months.view(MARCH)).card("person", "Lin")
    await months.close(MARCH)
    after = (await months.view(APRIL)).card("person", "Lin")

    assert before is not None and after is not None
    assert (before["lines"]["A80-L02"], before["pack_version"]) == ("-2", "1")
    assert (after["lines"]["A80-L02"], after["pack_version"]) == ("-4", "2")
    assert (await replay(store, rules, "Zhao"))[2] == []
