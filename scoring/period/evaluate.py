"""All months of one world: subjects by person, settings by day, months by name; everything is remembered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from scoring.pack import Rule
from scoring.period import case as cases
from scoring.period import subjects
from scoring.period.month import Month
from scoring.period.subjects import Row
from scoring.period.world import SITE, Who, World
from scoring.records.period import Period
from scoring.values import Known, Undated, resolve

OF_ALL = ("event", "calendar")  # records that name nobody concern everybody


class Evaluator:
    """Months of one world, remembered."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._rows: dict[Any, tuple[Row, ...]] = {}
        self._by_person: dict[Any, dict[str | None, list[Row]]] = {}
        self._months: dict[tuple[str, Who, Period], Month] = {}
        self._others: dict[int, Evaluator] = {}
        self._people: dict[Period, tuple[str, ...]] = {}
        self._settings: dict[tuple[str, str, date | None], Mapping[str, Known] | None] = {}
        self.calendar = world.calendar()
        dated = [one for one in world.book.all() if one.kind != "person"]
        days = [subjects.day_of(one) for one in dated] + list(world.calls.days() or ())
        self.first = Period.of(min(days, default=world.now.date()), "month")

    def month(self, pack: str, who: Who, period: Period) -> Month:
        key = (pack, who, period)
        found = self._months.get(key)
        if found is None:
            found = self._months[key] = Month(self.of_world(self.world.as_of(period)), pack, who, period)
        return found

    def of_world(self, world: World) -> Evaluator:
        if world is self.world:
            return self
        found = self._others.get(id(world))
        if found is None:
            found = self._others[id(world)] = Evaluator(world)
        return found

    def rows(self, kind: str, least_break: Decimal = Decimal(0)) -> tuple[Row, ...]:
        """All subjects of a kind in the book."""
        key = (kind, least_break if kind == "stretch" else None)
        if key not in self._rows:
            self._rows[key] = self._make(kind, least_break)
        return self._rows[key]

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

    def rows_of(self, kind: str, who: Who, least_break: Decimal = Decimal(0)) -> list[Row]:
        """The subjects of a kind that belong to a person, a team or the site."""
        if who.kind == "site":
            return list(self.rows(kind, least_break))
        if who.kind == "team":
            return [one for one in self.rows(kind, least_break) if self._team_of(one) == who.name]
        key = (kind, least_break if kind == "stretch" else None)
        if key not in self._by_person:
            table: dict[str | None, list[Row]] = {}
            for one in self.rows(kind, least_break):
                for name in _people_of(one):
                    table.setdefault(name, []).append(one)
            self._by_person[key] = table
        own = self._by_person[key].get(who.name, [])
        if kind not in OF_ALL:
            return own
        common = [one for one in self._by_person[key].get(None, []) if one.team in (None, self._team_of_day(who, one))]
        return sorted([*own, *common], key=lambda one: (one.day, one.id)) if common else own

    def _team_of_day(self, who: Who, row: Row) -> str:
        return self.world.book.team(who.name, row.day)

    def _team_of(self, row: Row) -> str:
        if row.team is not None:
            return row.team
        return SITE if row.agent is None else self.world.book.team(row.agent, row.day)

    def people(self, month: Period) -> tuple[str, ...]:
        if month not in self._people:
            heard = [name for name in self.world.calls.agents() if self.world.calls.of(name, month)]
            self._people[month] = tuple(sorted({*self.world.book.people(month), *heard}))
        return self._people[month]

    def settings(self, pack: str, rule_id: str, rule: Rule, day: date | None) -> Mapping[str, Known] | None:
        """The numbers of a rule on a day; None when one of them holds only later."""
        key = (pack, rule_id, day)
        if key not in self._settings:
            found: dict[str, Known] | None = {}
            for name, dated in rule.dated().items():
                try:
                    known = resolve(name, dated, self.world.overlay.numbers.get(f"{rule_id}.{name}"), day)
                except Undated:
                    known = None
                if known is None:
                    found = None
                    break
                if found is not None:
                    found[name] = known
            self._settings[key] = found
        return self._settings[key]


def _people_of(row: Row) -> Iterable[str | None]:
    """Whom a subject concerns: its person, or all who are named in an event."""
    if row.kind != "event":
        return (row.agent,)
    named = {row.agent, *(row.get("present") or ()), *(row.get("absent") or ())} - {None}
    return named or (None,)
