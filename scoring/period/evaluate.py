"""All months of one world: subjects by person, settings by day, months by name; everything is remembered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from scoring.pack import Rule
from scoring.period.month import Month
from scoring.period.rows import Rows
from scoring.period.world import Who, World
from scoring.records.period import Period
from scoring.values import Known, Undated, resolve


class Shelves:
    """What evaluators of related worlds share: the subjects of each book, and the worlds that were closed."""

    def __init__(self) -> None:
        self._rows: dict[tuple[int, int, int], Rows] = {}
        self._evaluators: dict[int, Evaluator] = {}

    def rows(self, world: World) -> Rows:
        """By identity; what is kept holds its world, so that no other can take its place."""
        key = (id(world.book), id(world.calls), id(world.site))
        if key not in self._rows:
            self._rows[key] = Rows(world)
        return self._rows[key]

    def evaluator(self, world: World) -> Evaluator:
        if id(world) not in self._evaluators:
            self._evaluators[id(world)] = Evaluator(world, self)
        return self._evaluators[id(world)]


class Evaluator:
    """Months of one world, remembered."""

    def __init__(self, world: World, shelves: Shelves | None = None) -> None:
        self.world = world
        self.shelves = shelves if shelves is not None else Shelves()
        self.rows = self.shelves.rows(world)
        self._months: dict[tuple[str, Who, Period], Month] = {}
        self._settings: dict[tuple[str, str, date | None], Mapping[str, Known] | None] = {}
        self.calendar = world.calendar()

    def month(self, pack: str, who: Who, period: Period) -> Month:
        key = (pack, who, period)
        found = self._months.get(key)
        if found is None:
            found = self._months[key] = Month(self.of_world(self.world.as_of(period)), pack, who, period)
        return found

    def of_world(self, world: World) -> Evaluator:
        return self if world is self.world else self.shelves.evaluator(world)

    @property
    def first(self) -> Period:
        return self.rows.first

    def people(self, month: Period) -> tuple[str, ...]:
        return self.rows.people(month)

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
