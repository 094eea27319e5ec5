"""Small packs, records and worlds for the tests of the month, each in one line where it can be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from textwrap import dedent, indent
from typing import Any
from zoneinfo import ZoneInfo

from scoring import overlay as overlays
from scoring.load import pack_from_files
from scoring.pack import Pack
from scoring.period.card import Card
from scoring.period.close import close, month_card
from scoring.period.world import Site, Who, World
from scoring.records.admit import Defaults, implied, parse
from scoring.records.book import Book
from scoring.records.period import Period
from scoring.records.record import Record

ZONE = ZoneInfo("Asia/Shanghai")
REGISTERS = ("leave", "attendance", "case")
TOTAL = """\
  base: {unit: point, values: {0001-01-01: "100"}}
  floor: {unit: point, values: {0001-01-01: "0"}}
  cap: {unit: point, values: {0001-01-01: "105"}}
"""


def rule(id: str, body: str = "", decide: str = "manual", needs: str = "observation") -> str:
    """One clause as YAML; ``body`` are the keys it is about."""
    top = f"""\
{id}:
  cite: "1"
  quote: as it is printed
  title: {{zh: 条款, ko: 조항, en: a clause}}
  decide: {decide}
  per: occurrence
  needs: [{needs}]
"""
    return top + indent(dedent(body).strip("\n"), "  ") + "\n"


def points(text: str) -> str:
    return f'points: {{unit: point, values: {{0001-01-01: "{text}"}}}}'


def pack(*rules: str, head: str = "", total: bool = True) -> Pack:
    """A pack of clauses TT-…; with ``total`` the score TT-S is 100 and the points, between 0 and 105."""
    top = f"""\
id: tt
version: "1"
title: {{zh: 试, ko: 시험, en: a pack of tests}}
prefix: TT-
{"score: TT-S" if total else ""}
sources:
- {{file: text.txt, sha256: {"a" * 64}, line: 1}}
sections:
- {{file: rules.yaml, title: 一}}
{head}
"""
    score = [rule("TT-S", decide="auto", needs="derived") + TOTAL] if total else []
    return pack_from_files({"pack.yaml": top, "rules.yaml": "".join([*rules, *score])})


def record(kind: str, id: str, **fields: Any) -> Record:
    read = parse({"kind": kind, "id": id, **fields}, ZONE, defaults=Defaults(id))
    assert isinstance(read, Record), read
    return read


def seen(id: str, names: str | list[str], day: str, agent: str = "Lin", **more: Any) -> Record:
    named = [names] if isinstance(names, str) else names
    return record("observation", id, agent=agent, day=day, rule=named, reason="seen", **more)


def world(
    tested: Pack, records: Iterable[Record], *, now: str = "2026-12-31T00:00", overlay: Mapping[str, Any] | None = None,
    money: Any = "off", jurisdiction: Any = "CN", registers: Iterable[str] = REGISTERS, people: Iterable[str] = (),
) -> World:  # fmt: skip
    taken = [*records, *(record("person", f"p-{name}", agent=name) for name in people)]
    book = Book.of([*taken, *implied(taken, ZONE)])
    return World(
        packs={tested.id: tested}, pack=tested.id, now=datetime.fromisoformat(now), book=book,
        site=Site(money=money, jurisdiction=jurisdiction, registers=dict.fromkeys(registers, date(2000, 1, 1))),
        overlay=overlays.from_mapping({"trust": "all", **(overlay or {})}),
    )  # fmt: skip


def card(of: World, month: str, agent: str = "Lin") -> Card:
    return month_card(of, Who("person", agent), Period(month))


def closed(of: World, *months: str) -> World:
    for month in months:
        of = close(of, Period(month))
    return of
