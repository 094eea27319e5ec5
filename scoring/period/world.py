"""Everything a month is closed from, as values: the site, its packs, its records, its calls, what was closed before.

The service fills it from the database, the runner of worked scenarios from plain lists. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, NamedTuple, Protocol

from scoring.facts import Facts
from scoring.overlay import Overlay
from scoring.pack import Pack
from scoring.records.book import Book
from scoring.records.calendar import WorkCalendar
from scoring.records.period import Period
from scoring.records.record import Record
from scoring.scorecard import Scorecard

Money = Literal["off", "record_only", "payroll_export"]
REGISTERS = ("leave", "attendance", "case")
SITE = "-"  # the name of the whole site where a team's name is asked for


class Who(NamedTuple):
    """Whose month: a person, a team, or the whole site (team ``-``)."""

    kind: Literal["person", "team", "site"]
    name: str


@dataclass(frozen=True, slots=True)
class Site:
    """What the owner decided about the place; ``registers``: connected from which day on."""

    timezone: str = "Asia/Shanghai"
    money: Money = "off"
    signed_off_by: str | None = None
    jurisdiction: Literal["CN", "KR"] = "CN"
    registers: Mapping[str, date] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallItem:
    """One call or chat: whose it is, its local day, its facts, its record if it came by import.

    ``cards`` holds scorecards that are already known, by pack; others are scored when asked for.
    """

    id: str
    agent: str | None
    day: date
    facts: Facts
    record: Record | None = None
    cards: Mapping[str, Scorecard] = field(default_factory=dict)


class Calls(Protocol):
    """Where the calls and absences of a month come from."""

    def of(self, agent: str | None, period: Period) -> tuple[CallItem, ...]: ...

    def get(self, call: str) -> CallItem | None: ...

    def agents(self) -> tuple[str, ...]: ...

    def days(self) -> tuple[date, date] | None: ...


class CallList:
    """Calls held in memory."""

    def __init__(self, items: Iterable[CallItem] = ()) -> None:
        self._all = tuple(items)
        self._by_id = {one.id: one for one in self._all}
        self._by_month: dict[tuple[str | None, Period], list[CallItem]] = {}
        for one in self._all:
            month = Period.of(one.day, "month")
            self._by_month.setdefault((one.agent, month), []).append(one)

    def of(self, agent: str | None, period: Period) -> tuple[CallItem, ...]:
        return tuple(one for month in period.months() for one in self._by_month.get((agent, month), ()))

    def get(self, call: str) -> CallItem | None:
        return self._by_id.get(call)

    def agents(self) -> tuple[str, ...]:
        return tuple(sorted({one.agent for one in self._all if one.agent is not None}))

    def days(self) -> tuple[date, date] | None:
        days = [one.day for one in self._all]
        return (min(days), max(days)) if days else None

    def with_item(self, item: CallItem) -> CallList:
        return CallList((*self._all, item))


class Timeline:
    """The packs a site scored by, each from a day on. A month takes the one that holds on its last day."""

    def __init__(self, entries: Iterable[tuple[date, Pack]] = ()) -> None:
        self._entries = sorted(entries, key=lambda one: one[0])
        self._worlds: dict[tuple[int, str], World] = {}
        self._bases: dict[int, World] = {}

    def world(self, world: World, month: Period) -> World:
        """The world with the pack of that month; always the same object for the same month."""
        held = [pack for since, pack in self._entries if since <= month.last]
        base = self._bases.get(id(world), world)
        if not held or (held[-1].id == base.pack and held[-1].sha == base.packs[base.pack].sha):
            return base
        pack, key = held[-1], (id(base), held[-1].sha)
        if key not in self._worlds:
            made = self._worlds[key] = replace(base, pack=pack.id, packs={**base.packs, pack.id: pack})
            self._bases[id(made)] = base
        return self._worlds[key]


class Decision(NamedTuple):
    """The state a person gave to a recommendation, and who did."""

    state: Literal["reviewed", "approved", "rejected"]
    by: str
    at: datetime


class Stood(NamedTuple):
    """What a closed month came to in points and pay, as a later closing knew it."""

    points: Decimal
    pay: Decimal


@dataclass(frozen=True, slots=True)
class World:
    """The values a month is decided from. ``closed``: each closed month with the world it was closed in; ``stood``:
    what closed months came to as this world, closed itself, knew them. Whatever is not kept there is computed again.
    """

    packs: Mapping[str, Pack]
    pack: str
    now: datetime
    book: Book
    site: Site = field(default_factory=Site)
    overlay: Overlay = field(default_factory=Overlay)
    shadow: tuple[str, ...] = ()
    calls: Calls = field(default_factory=CallList)
    closed: Mapping[Period, World] = field(default_factory=dict)
    decisions: Mapping[tuple[str, Period, str], tuple[Decision, ...]] = field(default_factory=dict)
    timeline: Timeline = field(default_factory=Timeline)
    stood: Mapping[tuple[Who, Period], Stood] = field(default_factory=dict)

    def as_of(self, month: Period) -> World:
        """The world that decides this month: the one it was closed in, or this one with the pack of that month."""
        return self.closed.get(month) or self.timeline.world(self, month)

    def calendar(self) -> WorkCalendar:
        days = {one.local_day: bool(one.get("workday")) for one in self.book.of_kind("calendar")}
        return WorkCalendar(self.site.jurisdiction, {day: work for day, work in days.items() if day is not None})

    def pack_of(self, agent: str, day: date) -> str:
        """The active pack of a person on a day: their own, or the site's."""
        person = self.book.person(agent, day)
        own = person.get("pack") if person is not None else None
        return str(own) if own in self.packs else self.pack

    def connected(self, register: str, day: date) -> bool:
        since = self.site.registers.get(register)
        return since is not None and since <= day

    def with_book(self, book: Book) -> World:
        return replace(self, book=book)
