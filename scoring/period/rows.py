"""All subjects of one book, each made once: by whom, by month and by name. It judges nothing.

Worlds that differ in their clock or in what is closed share the same book, so they share these too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from scoring.period import case as cases
from scoring.period import subjects
from scoring.period.subjects import Row
from scoring.period.world import SITE, Who, World
from scoring.records.period import Period
from scoring.records.record import Record

OF_ALL = ("event", "calendar")  # records that name nobody concern everybody
MADE = ("case", "question", "candidate", "stretch", "call_record")  # more than one record each, or less
NO_BREAK = Decimal(0)


class _Key(NamedTuple):
    kind: str
    least: Decimal | None


def _key(kind: str, least_break: Decimal) -> _Key:
    return _Key(kind, least_break if kind == "stretch" else None)


class Rows:
    """The subjects of one book, its calls and its site."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._all: dict[_Key, tuple[Row, ...]] = {}
        self._by_person: dict[_Key, dict[str | None, list[Row]]] = {}
        self._by_team: dict[_Key, dict[str, list[Row]]] = {}
        self._of: dict[tuple[_Key, Who], Sequence[Row]] = {}
        self._by_month: dict[tuple[_Key, Who], dict[Period, list[Row]]] = {}
        self._figures: dict[Who, dict[str, list[Row]]] = {}
        self._people: dict[Period, tuple[str, ...]] = {}
        self._observations: dict[Who, tuple[tuple[date, Record], ...]] = {}

    def all(self, kind: str, least_break: Decimal = NO_BREAK) -> tuple[Row, ...]:
        """All subjects of a kind in the book."""
        key = _key(kind, least_break)
        if key not in self._all:
            self._all[key] = self._make(kind, least_break)
        return self._all[key]

    def _make(self, kind: str, least_break: Decimal) -> tuple[Row, ...]:
        match kind:
            case "case":
                return cases.fold_all(self.world)
            case "question":
                return tuple(subjects.question_rows(self.world))
            case "candidate":
                return tuple(subjects.candidate_rows(self.world))
            case "stretch":
                return tuple(subjects.stretch_rows(self.world, least_break))
        return subjects.record_rows(self.world, kind)

    def of(self, kind: str, who: Who, least_break: Decimal = NO_BREAK) -> Sequence[Row]:
        """The subjects of a kind that belong to a person, a team or the site."""
        if who.kind == "site":
            return self.all(kind, least_break)
        key = _key(kind, least_break)
        if (key, who) not in self._of:
            make = self._of_person if who.kind == "person" else self._of_team
            self._of[key, who] = make(key, who.name, least_break)
        return self._of[key, who]

    def _of_person(self, key: _Key, name: str, least_break: Decimal) -> Sequence[Row]:
        if key.kind not in OF_ALL and key.kind not in MADE:
            return subjects.record_rows(self.world, key.kind, name)
        table = self._people_table(key, least_break)
        own = table.get(name, [])
        if key.kind not in OF_ALL:
            return own
        book = self.world.book
        common = [one for one in table.get(None, []) if one.team in (None, book.team(name, one.day))]
        return sorted([*own, *common], key=lambda one: (one.day, one.id)) if common else own

    def _people_table(self, key: _Key, least_break: Decimal) -> Mapping[str | None, list[Row]]:
        if key not in self._by_person:
            table: dict[str | None, list[Row]] = {}
            for one in self.all(key.kind, least_break):
                for name in _people_of(one):
                    table.setdefault(name, []).append(one)
            self._by_person[key] = table
        return self._by_person[key]

    def _of_team(self, key: _Key, name: str, least_break: Decimal) -> Sequence[Row]:
        if key not in self._by_team:
            table: dict[str, list[Row]] = {}
            for one in self.all(key.kind, least_break):
                table.setdefault(self._team_of(one), []).append(one)
            self._by_team[key] = table
        return self._by_team[key].get(name, [])

    def _team_of(self, row: Row) -> str:
        if row.team is not None:
            return row.team
        return SITE if row.agent is None else self.world.book.team(row.agent, row.day)

    def nobodys(self, kind: str, who: Who, least_break: Decimal = NO_BREAK) -> Sequence[Row]:
        """The subjects that name no person: of a team those that name it, of the site those that name no team."""
        rows = self.unnamed(kind, least_break)
        team = None if who.name == SITE else who.name
        return [one for one in rows if one.team == team]

    def unnamed(self, kind: str, least_break: Decimal = NO_BREAK) -> Sequence[Row]:
        key, who = _key(kind, least_break), Who("site", "")
        if (key, who) not in self._of:
            if key.kind in MADE:
                found: Iterable[Row] = self.all(key.kind, least_break)
                self._of[key, who] = [one for one in found if one.agent is None]
            else:
                self._of[key, who] = subjects.unnamed_rows(self.world, key.kind)
        return self._of[key, who]

    def within(self, kind: str, who: Who, month: Period, least_break: Decimal = NO_BREAK) -> Sequence[Row]:
        """Those of a calendar month, by their day."""
        key = _key(kind, least_break)
        if (key, who) not in self._by_month:
            table: dict[Period, list[Row]] = {}
            for one in self.of(kind, who, least_break):
                table.setdefault(Period.of(one.day, "month"), []).append(one)
            self._by_month[key, who] = table
        return self._by_month[key, who].get(month, ())

    def figures(self, who: Who, name: str) -> Sequence[Row]:
        """The figures of that name for a person, or for a team or the site as such."""
        if who not in self._figures:
            table: dict[str, list[Row]] = {}
            for one in self.of("figure", who) if who.kind == "person" else self.nobodys("figure", who):
                table.setdefault(str(one.get("name")), []).append(one)
            self._figures[who] = table
        return self._figures[who].get(name, ())

    def people(self, month: Period) -> tuple[str, ...]:
        """Who worked here in that month, has a record in it, or was heard."""
        if month not in self._people:
            calls = self.world.calls
            heard = [name for name in calls.agents() if calls.of(name, month)]
            self._people[month] = tuple(sorted({*self.world.book.people(month), *heard}))
        return self._people[month]

    @cached_property
    def first(self) -> Period:
        """The month of the earliest record or call."""
        days = [subjects.day_of(one) for one in self.world.book.all() if one.kind != "person"]
        return Period.of(min([*days, *(self.world.calls.days() or ())], default=self.world.now.date()), "month")

    def record(self, record: Record) -> Row | None:
        """The subject that a record is; None when it no longer stands."""
        agent = record.get("agent")
        if agent is None:
            rows = self.unnamed(record.kind)
        else:
            rows = self.of(record.kind, Who("person", agent))
        return next((one for one in rows if one.id == record.id), None)

    @cached_property
    def cases(self) -> Mapping[str, Row]:
        return {one.id: one for one in reversed(self.all("case"))}

    def observations(self, who: Who) -> tuple[tuple[date, Record], ...]:
        """What people saw, with the day it belongs to: a confirmation to the day of what it confirms."""
        if who not in self._observations:
            rows = [(one.record, one.day) for one in self.of("observation", who) if one.record is not None]
            self._observations[who] = tuple((self._day_of_about(record) or day, record) for record, day in rows)
        return self._observations[who]

    def _day_of_about(self, record: Record) -> date | None:
        about = record.get("about")
        if about is None:
            return None
        item = self.world.calls.get(about)
        if item is not None:
            return item.day
        other = self.world.book.get(about)
        if other is not None and other.kind != "person":
            return subjects.day_of(other)
        case = self.cases.get(about)
        return case.day if case is not None else None


def _people_of(row: Row) -> Iterable[str | None]:
    """Whom a subject concerns: its person, or all who are named in an event."""
    if row.kind != "event":
        return (row.agent,)
    named = {row.agent, *(row.get("present") or ()), *(row.get("absent") or ())} - {None}
    return named or (None,)
