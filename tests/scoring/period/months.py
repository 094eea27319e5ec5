"""Months of the shipped packs for three people, as cards and as bytes. Draws nothing and judges nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from functools import cache

from scoring import overlay as overlays
from scoring.canonical import canonical
from scoring.load import load_pack, shipped
from scoring.pack import Pack
from scoring.period.card import Card, to_json
from scoring.period.close import Closing
from scoring.period.world import Site, Who, World
from scoring.records.book import Book
from scoring.records.period import Period
from scoring.records.record import Record
from tests.scoring.period.build import record

PACKS = ("bes", "a80", "pm", "ec4", "sal")
PEOPLE = ("An", "Bo", "Cai")
MARCH, APRIL, MAY = Period("2026-03"), Period("2026-04"), Period("2026-05")
MANUAL = {
    "bes": ("BES-11", "BES-12", "BES-23", "BES-24", "BES-08", "BES-26a"),
    "a80": ("A80-L02", "A80-L03", "A80-L10", "A80-L11", "A80-M01", "A80-V03"),
    "pm": ("PM-11", "PM-14", "PM-26a", "PM-27a"),
    "ec4": ("EC4-11", "EC4-08"),
    "sal": ("SAL-B1d", "SAL-B27", "SAL-B1e"),
}


@cache
def loaded(name: str) -> Pack:
    return load_pack(shipped(name))


def build(name: str, records: Iterable[Record]) -> World:
    hired = [
        record("person", f"p-{one}", agent=one, team="north", day="2024-03-01", hired="2024-03-01",
               role="salesman" if name == "sal" else "agent")
        for one in PEOPLE
    ]  # fmt: skip
    site = Site(money="record_only", registers=dict.fromkeys(("leave", "attendance", "case"), date(2020, 1, 1)))
    return World(
        packs={name: loaded(name)}, pack=name, now=datetime.fromisoformat("2026-04-01T00:00"),
        book=Book.of([*hired, *records]), site=site, overlay=overlays.from_mapping({"trust": "all"}),
    )  # fmt: skip


def cards(of: World | Closing, month: Period = MARCH) -> dict[str, Card]:
    """Of a closing at hand, where several months of one world are asked for: it computes everything once."""
    closing = Closing(of) if isinstance(of, World) else of
    return {name: closing.card(Who("person", name), month) for name in PEOPLE}


def written(found: dict[str, Card]) -> bytes:
    return canonical([to_json(one) for one in found.values()])
