"""One person's (or team's, or site's) month under one pack: findings, lines, figures and totals, each when asked for.

Everything is computed on demand and remembered, so that rules may rest on one another in any order; a rule that rests
on itself is refused. Earlier months are asked from the world they were closed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from scoring import engine
from scoring.callexpr import evidence as shown
from scoring.errors import PackError
from scoring.expr import MISSING, ExprError, Scope, milliseconds, truth
from scoring.facts import Cause, Unknown
from scoring.pack import Rule, Step
from scoring.period import case as cases
from scoring.period import subjects
from scoring.period.findings import Finding, State
from scoring.period.program import Program, Ready, Test, program
from scoring.period.subjects import Row
from scoring.period.world import REGISTERS, SITE, CallItem, Who, World
from scoring.records.period import Period
from scoring.records.record import Record
from scoring.scorecard import ZERO, Outcome, Signal
from scoring.values import Known, Undated, resolve, words

ORDER = (Outcome.BREACH, Outcome.MET, Outcome.UNKNOWN, Outcome.CLEAR, Outcome.NA)
OF_ALL = ("event", "calendar")  # records that name nobody concern everybody
CALENDAR = ("month", "week", "day")


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


class RuleContext:
    """What an expression of one rule may ask, on one day of one month."""

    __slots__ = ("case", "day", "extra", "month", "rule")

    def __init__(self, month: Month, rule: Ready | None, day: date, case: Row | None = None,
                 extra: Mapping[str, Any] | None = None) -> None:  # fmt: skip
        self.month, self.rule, self.day, self.case, self.extra = month, rule, day, case, extra or {}

    def scope(self, scope: Scope) -> Scope:
        """The same expression in this month: its own trace is not evidence here."""
        return Scope(self.month.row, self, scope.local)

    def name(self, name: str, scope: Scope) -> Any:
        if self.rule is not None:
            known = self.month.settings(self.rule, self.day)
            if known is not None and name in known:
                scope.trace.append((name, known[name]))
                return known[name].number
            choices = words(self.rule.id, self.rule.rule, self.month.world.overlay)
            if name in choices:
                return choices[name]
        if name == "case":
            return self.case
        if name in self.extra:
            return self.extra[name]
        value = self.month.name(name, self.day)
        scope.trace.append((name, value))
        return value

    def select(self, kind: str, within: str | None, whose: str | None, scope: Scope) -> Iterable[Row] | Unknown:
        subject = scope.it if scope.it is not None else scope.subject
        anchor = getattr(subject, "day", None) or self.day
        return self.month.select(kind, within or "month", whose, anchor, self)

    def figure(self, scope: Scope, name: str, whose: str | None) -> Any:
        return self.month.figure(name, whose, "value")

    def figure_target(self, scope: Scope, name: str, whose: str | None = None) -> Any:
        return self.month.figure(name, whose, "target")

    def days_for(self, scope: Scope, word: str) -> Any:
        """Days set by class or stage: the site's, else the pack's setting ``days_WORD``."""
        if self.rule is None:
            return None
        site = self.month.world.overlay.numbers.get(f"{self.rule.id}.days_{word}")
        if site is not None:
            return Decimal(site.values[-1][1] or 0)
        known = (self.month.settings(self.rule, self.day) or {}).get(f"days_{word}")
        return None if known is None else known.number

    def has_days(self, scope: Scope) -> bool:
        """Whether days were set by class or stage at all."""
        own = "" if self.rule is None else f"{self.rule.id}.days_"
        return any(name.startswith(own) for name in self.month.world.overlay.numbers)

    def figure_of(self, scope: Scope, name: str, whose: str | None = None) -> Any:
        return self.month.figure(name, whose, "of")

    def value_of(self, scope: Scope, rule: str) -> Any:
        value, trace = self.month.value(rule)
        scope.trace += [one for one in trace if isinstance(one[1], Known) and one[1].assumed]
        return value

    def points_of(self, scope: Scope, *patterns: str) -> Decimal:
        return sum((self.month.line(one) for one in self._scoring(patterns)), ZERO)

    def _scoring(self, patterns: tuple[str, ...]) -> list[str]:
        own = None if self.rule is None or self.rule.id in patterns else self.rule.id
        found = self.month.matching(patterns or ("*",))
        return [one for one in found if one != own and self.month.program.rules[one].scores]

    def breaches_of(self, scope: Scope, *patterns: str) -> Decimal:
        rules = self.month.matching(patterns)
        return sum((one.n for rule in rules for one in self.month.settled(rule) if one.counts), ZERO)

    def distinct_of(self, scope: Scope, *patterns: str) -> Decimal:
        rules = self.month.matching(patterns)
        return Decimal(sum(any(one.counts for one in self.month.settled(rule)) for rule in rules))

    def outcome_of(self, scope: Scope, rule: str) -> str | None:
        outcome = self.month.outcome(rule)
        return None if outcome is None else str(outcome)

    def money_of(self, scope: Scope, *patterns: str) -> Decimal:
        return sum((self.month.money(one)[0] for one in self.month.matching(patterns)), ZERO)

    def fines_of(self, scope: Scope, *patterns: str) -> Decimal:
        rules = self.month.matching(patterns)
        return -sum((one.fine for rule in rules for one in self.month.settled(rule) if one.counts), ZERO)

    def setting_of(self, scope: Scope, name: str) -> Any:
        rule_id, _, setting = name.partition(".")
        ready = self.month.program.rules.get(rule_id)
        known = None if ready is None else self.month.settings(ready, self.day)
        if ready is None:
            raise ExprError(f"setting({name!r}): there is no rule {rule_id}")
        if known is not None and setting in known:
            scope.trace.append((name, known[setting].number))  # its mark is shown where it is used itself
            return known[setting].number
        return words(rule_id, ready.rule, self.month.world.overlay).get(setting)

    def earned_of(self, scope: Scope, *rules: str) -> Any:
        total = ZERO
        for rule in self.month.matching(rules):
            value, _ = self.month.value(rule)
            if value is None or isinstance(value, Unknown):
                return MISSING
            total += value
        return total

    def observed_of(self, scope: Scope, *rules: str) -> Any:
        found = self._observations(scope, rules)
        if not found:
            return MISSING
        return sum((one.get("n") or Decimal(1) for one in found if _breaches(one)), ZERO)

    def given_of(self, scope: Scope, rule: str) -> Any:
        found = self._observations(scope, (rule,))
        item = self.month.program.rules[rule].rule.item
        weight = Decimal(item.weight) if item is not None else ZERO
        return sum((_given(one, weight) for one in found), ZERO) if found else MISSING

    def noted_of(self, scope: Scope, *rules: str) -> bool:
        return bool(self._observations(scope, rules))

    def _observations(self, scope: Scope, rules: tuple[str, ...]) -> list[Record]:
        named = set(self.month.matching(rules))
        rows = self.select("observation", scope.within, None, scope)
        if isinstance(rows, Unknown):
            return []
        return [row.record for row in rows if row.record is not None and named & set(row.record.get("rule") or ())]

    def on_leave(self, scope: Scope, at: Any, until: Any, by: str) -> Any:
        subject = scope.it if scope.it is not None else scope.subject
        agent = getattr(subject, "agent", None) or (self.month.who.name if self.month.who.kind == "person" else None)
        day = at.date() if isinstance(at, datetime) else at
        start, end = (one if isinstance(one, datetime) else None for one in (at, until))
        return subjects.excused(self.month.world, agent, day, start, by, end)

    def in_register(self, scope: Scope, register: str) -> bool:
        return self.month.world.connected(register, self.day)

    def colleagues(self, among: str) -> list[RuleContext]:
        return [
            RuleContext(one, self.month.sibling(self.rule, one), one.period.last)
            for one in self.month.colleagues(among)
        ]

    def month_back(self, number: int) -> RuleContext | None:
        other = self.month.back(number)
        return None if other is None else RuleContext(other, self.month.sibling(self.rule, other), other.period.last)

    def months(self) -> list[RuleContext]:
        return [
            RuleContext(one, self.month.sibling(self.rule, one), one.period.last) for one in self.month.year_months()
        ]

    def add_workdays(self, day: Any, number: Decimal) -> date:
        return self.month.calendar.add_workdays(subjects_day(day), int(number))

    def last_workday(self, period: Any) -> date | None:
        return self.month.calendar.last_workday(period)

    def is_workday(self, day: Any) -> bool:
        return self.month.calendar.is_workday(subjects_day(day))


def subjects_day(value: Any) -> date:
    """The local day of a moment or a day; the first one of a period."""
    if isinstance(value, datetime):
        return value.date()
    first: date = value if isinstance(value, date) else value.first
    return first


def _given(record: Record, weight: Decimal) -> Decimal:
    """What an observation gives of an item: its points; all of it without points, nothing for a breach."""
    points = record.get("points")
    if points is not None:
        return Decimal(points)
    return ZERO if _breaches(record) else weight


def _breaches(record: Record) -> bool:
    return record.get("outcome") not in ("clear", "met") and record.get("confirmed") is not False


@dataclass(frozen=True, slots=True)
class _Flag:
    """A finding of a test, and the subject it is about."""

    finding: Finding
    row: Row | None


class Month:
    """Findings, lines and totals of one ``who`` in one calendar month, under one pack."""

    def __init__(self, evaluator: Evaluator, pack: str, who: Who, period: Period, certain: bool = False) -> None:
        self.evaluator, self.who, self.period = evaluator, who, period
        self.certain = certain  # without what rests on an assumed number: what may reach pay
        self.world = evaluator.world
        self.pack = self.world.packs[pack]
        self.program: Program = program(self.pack)
        self.calendar = evaluator.calendar
        self.row = next(iter(subjects.calendar_rows("month", period, who.name if who.kind == "person" else None)))
        self._findings: dict[str, tuple[Finding, ...]] = {}
        self._settled: dict[str, tuple[Finding, ...]] = {}
        self._values: dict[str, tuple[Any, list[tuple[str, Any]]]] = {}
        self._lines: dict[str, Decimal] = {}
        self._busy: list[tuple[str, str]] = []

    # names and neighbours -----------------------------------------------------------------------------------------

    def name(self, name: str, day: date) -> Any:
        match name:
            case "now":
                return self.world.now
            case "month":
                return self.period
            case "first_day":
                return self.period.first
            case "last_day":
                return self.period.last
            case "score":
                return self.score[0]
            case "raw":
                return self.raw
            case "rank":
                return self.rank
            case "grade":
                return self.grade
            case "person":
                return self.person
            case "me":
                return self.who.name
            case "team":
                return self.team
            case "employed_month":
                return self._employed_month(day)
            case "served_ms":
                hired = self.person.get("hired") if self.person is not None else None
                return (
                    None
                    if hired is None
                    else milliseconds(datetime.combine(day, time()) - datetime.combine(hired, time()))
                )
            case "money_mode":
                return self.world.site.money
            case "jurisdiction":
                return self.world.site.jurisdiction
            case "pack":
                return self.pack.id
        return None

    @cached_property
    def person(self) -> Record | None:
        if self.who.kind != "person":
            return None
        found = self.world.book.person(self.who.name, self.period.last)
        return found

    @property
    def team(self) -> str:
        if self.who.kind == "person":
            return self.world.book.team(self.who.name, self.period.last)
        return self.who.name

    def _employed_month(self, day: date) -> Decimal | None:
        """1 = the calendar month of joining."""
        hired = self.person.get("hired") if self.person is not None else None
        if hired is None:
            return None
        return Decimal((day.year - hired.year) * 12 + day.month - hired.month + 1)

    def settings(self, ready: Ready, day: date) -> Mapping[str, Known] | None:
        return self.evaluator.settings(self.pack.id, ready.id, ready.rule, day)

    def on(self, ready: Ready) -> bool:
        return self.world.overlay.switches.get(f"{ready.id}.on", ready.rule.on)

    def matching(self, patterns: Iterable[str]) -> list[str]:
        """Rule ids by name or pattern, in the pack's order."""
        wanted = tuple(patterns)
        found = [one for one in self.program.rules if any(one == p or fnmatchcase(one, p) for p in wanted)]
        missing = [p for p in wanted if "*" not in p and p not in self.program.rules]
        if missing:
            raise ExprError(f"there is no rule {missing[0]} in {self.pack.id}; correct the id")
        return found

    def sibling(self, ready: Ready | None, month: Month) -> Ready | None:
        return None if ready is None else month.program.rules.get(ready.id, ready)

    def colleagues(self, among: str) -> list[Month]:
        """The months of all people of the team (of all under this pack; of the whole site), this one with them."""
        book, last = self.world.book, self.period.last
        names = self.evaluator.people(self.period)
        if among != "site":
            names = tuple(one for one in names if self.world.pack_of(one, last) == self.pack.id or one == self.who.name)
        if among == "team":
            team = self.team
            names = tuple(one for one in names if book.team(one, last) == team or one == self.who.name)
        return [self.evaluator.month(self.pack.id, Who("person", one), self.period) for one in names]

    def back(self, number: int) -> Month | None:
        """The same, so many months ago; None before anybody was here."""
        period = self.period.next(-number)
        if self.who.kind == "person":
            hired = self.person.get("hired") if self.person is not None else None
            if hired is not None and period.last < hired:
                return None
        return None if period < self.evaluator.first else self.evaluator.month(self.pack.id, self.who, period)

    def year_months(self) -> list[Month]:
        months = Period.of(self.period.first, "year").months()
        return [self.evaluator.month(self.pack.id, self.who, one) for one in months if one <= self.period]

    # records and figures ------------------------------------------------------------------------------------------

    def select(
        self, kind: str, within: str, whose: str | None, anchor: date, context: RuleContext
    ) -> Iterable[Row] | Unknown:
        if kind in REGISTERS and not self.world.connected(kind, self.period.last):
            return Unknown(Cause.REGISTER)
        who = self._whose(whose)
        if kind in ("month", "week", "day"):
            return tuple(subjects.calendar_rows(kind, self.period, self.row.agent))
        if kind in ("call", "away"):
            rows: Iterable[Row] = self._phone_rows(kind, who, within, anchor)
        else:
            least = self._least_break(context)
            rows = self.evaluator.rows_of(kind, who, least)
        inside = _window(within, anchor, self.period)
        return [one for one in rows if inside(one.day)]

    def _least_break(self, context: RuleContext) -> Decimal:
        if context.rule is None:
            return ZERO
        known = self.settings(context.rule, context.day) or {}
        return (known["break"].number or ZERO) if "break" in known else ZERO

    def _whose(self, whose: str | None) -> Who:
        match whose:
            case "team":
                return Who("team", self.team)
            case "site":
                return Who("site", SITE)
        return self.who

    def _phone_rows(self, kind: str, who: Who, within: str, anchor: date) -> list[Row]:
        months = [self.period]
        if within not in ("month", "week", "day", "shift"):
            back = 12 if within != "quarter" else 2
            months = [self.period.next(-n) for n in range(back, -1, -1)]
        names: Iterable[str | None] = [who.name] if who.kind == "person" else self._names_of(who)
        items = [one for name in names for month in months for one in self.world.calls.of(name, month)]
        return [one for one in subjects.item_rows(items) if one.kind == kind]

    def _names_of(self, who: Who) -> list[str | None]:
        names = self.evaluator.people(self.period)
        if who.kind == "site":
            return [*names, None]
        return [one for one in names if self.world.book.team(one, self.period.last) == who.name]

    def figure(self, name: str, whose: str | None, part: str) -> Any:
        """The figure of this month; without one of the person that of the team, then of the site; else MISSING."""
        asked = [self._whose(whose)]
        if whose is None and self.who.kind == "person":
            asked += [Who("team", self.team), Who("site", SITE)]
        for who in asked:
            value = self._figure(name, who, part)
            if value is not MISSING:
                return value
        return MISSING

    def _figure(self, name: str, who: Who, part: str) -> Any:
        """The figure of this month: one for the whole period, else the sum of daily ones; else MISSING."""
        rows = [one for one in self._figure_rows(who) if one.get("name") == name]
        whole = [one.record for one in rows if one.record is not None and one.record.get("period") == self.period]
        if not whole:
            whole = self._daily(rows)
        if not whole:
            return MISSING
        record = whole[-1]
        if part != "value":
            return record.get(part)
        if len(whole) == 1 or record.get("period") is not None:
            return subjects.figure_value(record)
        total = sum((one.get("value") for one in whole), ZERO)
        of = [one.get("of") for one in whole]
        if any(one is None for one in of):
            return total
        base = sum(of, ZERO)
        return None if base == 0 else total * 100 / base

    def _daily(self, rows: list[Row]) -> list[Record]:
        return [
            one.record
            for one in rows
            if one.record is not None and one.record.get("day") is not None and one.day in self.period
        ]

    def _figure_rows(self, who: Who) -> list[Row]:
        if who.kind == "person":
            return self.evaluator.rows_of("figure", who)
        own = [one for one in self.evaluator.rows("figure") if one.agent is None]
        return [one for one in own if (one.team or SITE) == who.name]

    # findings -----------------------------------------------------------------------------------------------------

    def guarded(self, what: str, rule: str, make: Callable[[], Any]) -> Any:
        key = (what, rule)
        if key in self._busy:
            chain = " -> ".join(name for _, name in self._busy[self._busy.index(key) :])
            raise PackError([f"{self.pack.id}: {chain} -> {rule}: a rule rests on itself; break the circle"])
        self._busy.append(key)
        try:
            return make()
        except ExprError as error:
            raise PackError([f"{self.pack.id}: {rule}: {error}"]) from None
        finally:
            self._busy.pop()

    def findings(self, rule: str) -> tuple[Finding, ...]:
        """All findings of a rule in this month, before clauses exclude one another."""
        if rule not in self._findings:
            self._findings[rule] = self.guarded("findings", rule, lambda: self._find(self.program.rules[rule]))
        return self._findings[rule]

    def _find(self, ready: Ready) -> tuple[Finding, ...]:
        if not self.on(ready) or not self._concerns(ready):
            return ()
        flags = [*self._from_phones(ready)]
        for test in ready.tests:
            flags += self._run(ready, test)
        return tuple(self._with_observations(ready, flags))

    def _concerns(self, ready: Ready) -> bool:
        """A rule about persons also runs where a record names nobody: under its team, or the whole site."""
        if self.who.kind in ready.rule.of:
            return True
        return "person" in ready.rule.of and any(one.check.each not in CALENDAR for one in ready.tests)

    def _from_phones(self, ready: Ready) -> list[_Flag]:
        if not any(one.that is not None or one.each in ("call", "away") for one in ready.rule.tests):
            return []
        found = []
        for item in self._items:
            if item.facts.kind == "chat":
                continue
            for line in self.lines_of(item).lines:
                if line.rule != ready.id:
                    continue
                state: State = "counts" if line.counts else "waits" if line.takes_effect else "told"
                if line.takes_effect and any(one.tell for one in ready.rule.tests):
                    state = "told"
                evidence = (Signal("call" if item.facts.call else "away", item.id), *line.evidence)
                finding = Finding(
                    ready.id, item.id, item.facts.kind, item.day, line.outcome, state,
                    self._points(ready, item.day, line.points), assumed=line.assumed, cause=line.cause,
                    evidence=evidence, event=item.id, decided_by="machine",
                )  # fmt: skip
                found.append(_Flag(self._priced(ready, finding), None))
        return found

    def _points(self, ready: Ready, day: date, points: Decimal) -> Decimal | None:
        return None if ready.rule.range and ready.rule.points is None else points

    @cached_property
    def _items(self) -> tuple[CallItem, ...]:
        if self.who.kind == "person":
            return self.world.calls.of(self.who.name, self.period)
        return ()

    def lines_of(self, item: CallItem) -> Any:
        """The call's scorecard under this pack: the one that is known, or scored now."""
        known = item.cards.get(self.pack.id)
        return known if known is not None else engine.score(self.pack, self.world.overlay, item.facts, item.day)

    def _run(self, ready: Ready, test: Test) -> list[_Flag]:
        found = []
        for row in self._candidates(ready, test):
            flag = self._judge(ready, test, row)
            if flag is not None and flag.finding.day in self.period:
                found.append(flag)
        return found

    def _candidates(self, ready: Ready, test: Test) -> Iterable[Row]:
        """The subjects a test could be about in this month; a moved day is judged after it is known."""
        each = test.check.each
        if each in CALENDAR:
            own = self.who.kind in ready.rule.of
            return subjects.calendar_rows(each, self.period, self.row.agent) if own else ()
        least = self._least_break(RuleContext(self, ready, self.period.last))
        rows = self.evaluator.rows_of(each, self.who, least)
        if self.who.kind not in ready.rule.of:
            rows = [one for one in rows if one.agent is None and (self.who.kind == "team" or one.team is None)]
        if "at" in test.parts or "due" in test.parts or each == "case":
            return rows
        return [one for one in rows if one.day in self.period]

    def scope(self, ready: Ready, test: Test, row: Row, day: date | None = None) -> Scope:
        case = row if row.kind == "case" else None
        return Scope(row, RuleContext(self, ready, day or row.day, case), dict(test.let))

    def _judge(self, ready: Ready, test: Test, row: Row) -> _Flag | None:
        scope = self.scope(ready, test, row)
        parts = test.parts
        if "where" in parts and truth(parts["where"](scope)) is not True:
            return None
        due = self.deadline(test, scope)
        day = self.day_of(test, scope, row, due)
        if day is None or (day not in self.period):
            return None
        if self.settings(ready, day) is None:
            return None  # a number of the rule holds only from a later day: it is not yet in force
        scope.context = RuleContext(self, ready, day, row if row.kind == "case" else None)
        register: str
        for register in test.check.needs_register:
            if not self.world.connected(register, day):
                return self._flag(ready, test, row, day, Unknown(Cause.REGISTER), scope, due)
        if "na" in parts and truth(parts["na"](scope)) is True:
            finding = Finding(ready.id, row.id, row.kind, day, Outcome.NA, "told", evidence=shown(scope.trace))
            return _Flag(finding, row)
        if test.verdict is None and due is not None:
            late = due[2]
            if late is None:
                return None
            return self._flag(ready, test, row, day, late, scope, due)
        verdict = truth(parts[test.verdict](scope)) if test.verdict is not None else False
        return self._flag(ready, test, row, day, verdict, scope, due)

    def deadline(self, test: Test, scope: Scope) -> tuple[str, Any, bool | None] | None:
        """The deadline of a subject: stage, until when, and whether it was missed (None while it still runs)."""
        check = test.check.due
        if check is None:
            return None
        until = test.parts["due"](scope)
        if until is None or isinstance(until, Unknown):
            return check.stage, None, None
        done = test.parts["done"](scope) if "done" in test.parts else _done(check.stage, scope)
        scope.trace += [("due", until), ("done", done)]
        if done is None or isinstance(done, Unknown):
            waits = check.right or check.not_before or self.world.now <= _end(until)
            return check.stage, until, None if waits else True
        return check.stage, until, subjects_day(done) < subjects_day(until) if check.not_before else done > _end(until)

    def day_of(self, test: Test, scope: Scope, row: Row, due: tuple[str, Any, bool | None] | None) -> date | None:
        if "at" in test.parts:
            moved = test.parts["at"](scope)
            return None if moved is None or isinstance(moved, Unknown) else subjects_day(moved)
        if due is not None:
            return None if due[1] is None else subjects_day(due[1])
        return row.day

    def _flag(
        self, ready: Ready, test: Test, row: Row, day: date, verdict: bool | Unknown, scope: Scope,
        due: tuple[str, Any, bool | None] | None,
    ) -> _Flag:  # fmt: skip
        parts, check = test.parts, test.check
        outcome, cause = _outcome(test.verdict, verdict)
        alarm = False
        if "alarm" in parts and (outcome not in (Outcome.BREACH, Outcome.MET) or not ready.scores):
            alarm = truth(parts["alarm"](scope)) is True
        points: Decimal | None = ZERO
        times = Decimal(1)
        if outcome in (Outcome.BREACH, Outcome.MET):
            points, times = self._price(ready, test, scope)
        value = parts["value"](scope) if "value" in parts else None
        named = parts["event"](scope) if "event" in parts else row.get("event")
        about = None if row.kind == "case" else row.get("about")
        effect = outcome in (Outcome.BREACH, Outcome.MET) and check.tell is None
        machine = ready.rule.decide == "auto" and check.decide != "review"
        if ready.rule.needs_text and not self.world.overlay.trusts(ready.id):
            machine = False
        by_person = ready.rule.decide == "manual"
        state: State = "told" if not effect else "counts" if machine or by_person else "waits"
        if state == "counts" and points is None and ready.rule.range:
            state = "waits"  # a person has to set the points inside the printed range
        lost = any(isinstance(one, Known) and one.assumed for _, one in scope.trace)
        finding = Finding(
            ready.id, row.id, row.kind, day, outcome, state, points,
            assumed=lost or (effect and self._points_lost(ready, test, day)), alarm=alarm,
            cause=None if cause is None else cause.cause.value, evidence=shown(scope.trace)[:60],
            event=str(named or about or row.id), words=named is not None and "event" not in parts,
            decided_by="person" if by_person else "machine", value=value, due=due, n=times,
        )  # fmt: skip
        return _Flag(self._priced(ready, finding, scope), row)

    def _points_lost(self, ready: Ready, test: Test, day: date) -> bool:
        known = self.settings(ready, day) or {}
        return "points" not in test.parts and "points" in known and known["points"].assumed

    def _price(self, ready: Ready, test: Test, scope: Scope) -> tuple[Decimal | None, Decimal]:
        times = test.parts["times"](scope) if "times" in test.parts else Decimal(1)
        if not isinstance(times, Decimal):
            times = Decimal(1)
        if "points" in test.parts:
            value = test.parts["points"](scope)
            return (value if isinstance(value, Decimal) else None), times
        known = (self.settings(ready, scope.context.day) or {}).get("points")
        if known is not None and known.number is not None:
            return known.number * times, times
        return (None if ready.rule.range else ZERO), times

    def _priced(self, ready: Ready, finding: Finding, scope: Scope | None = None) -> Finding:
        """What one finding costs or brings in money, and what it recommends."""
        if finding.outcome not in (Outcome.BREACH, Outcome.MET):
            return finding
        asked = scope if scope is not None else self.month_scope(ready)
        recommends = tuple(
            one.kind
            for one, when in zip(ready.rule.recommend, ready.recommends, strict=True)
            if when is None or truth(when(asked)) is True
        )
        if finding.state == "told":
            return replace(finding, recommends=recommends)
        known = self.settings(ready, finding.day) or {}
        fine, amount = known.get("fine"), known.get("amount")
        if any(name in ready.parts for name in ("value", "money", "raw", "pay")):
            amount = None  # an expression of the rule uses it; it is not money of each finding
        return replace(
            finding,
            fine=(-abs(fine.number) if fine is not None and fine.number is not None else ZERO) * finding.n,
            amount=(amount.number if amount is not None and amount.number is not None else ZERO) * finding.n,
            money_assumed=any(one is not None and one.assumed for one in (fine, amount)),
            recommends=recommends,
        )

    def month_scope(self, ready: Ready) -> Scope:
        return Scope(self.row, RuleContext(self, ready, self.period.last), dict(ready.let))

    # what people saw ----------------------------------------------------------------------------------------------

    @cached_property
    def _observed(self) -> list[tuple[date, Record]]:
        """Observations about this person with the day they belong to: a confirmation to the day of what it confirms."""
        found = []
        for row in self.evaluator.rows_of("observation", self.who):
            if row.record is not None:
                found.append((self._day_of_about(row.record) or row.day, row.record))
        return found

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
        case = next((one for one in self.evaluator.rows("case") if one.id == about), None)
        return case.day if case is not None else None

    def _with_observations(self, ready: Ready, flags: list[_Flag]) -> Iterable[Finding]:
        """Flags that a person answered, then what a person saw without a flag."""
        rule = ready.rule
        takes = rule.decide in ("manual", "review") or "observation" in rule.needs
        left = [(day, one) for day, one in self._observed if takes and ready.id in (one.get("rule") or ())]
        for flag in flags:
            finding = flag.finding
            answer = next(((day, one) for day, one in left if _answers(one, finding)), None)
            if answer is None:
                yield finding
                continue
            left.remove(answer)
            yield self._answered(ready, finding, answer[1])
        if rule.item is not None:
            left = [(day, one) for day, one in left if not _gives(one)]
        for day, record in left:
            moved = self._moved(ready, record) or day
            if moved in self.period:
                yield self._seen(ready, record, moved)

    def _moved(self, ready: Ready, record: Record) -> date | None:
        """The day of an answer is that of the finding it answers, deadlines included."""
        about = record.get("about")
        if about is None:
            return None
        for test in ready.tests:
            if "at" not in test.parts and "due" not in test.parts:
                continue
            row = next((one for one in self.evaluator.rows_of(test.check.each, self.who) if one.id == about), None)
            if row is not None:
                scope = self.scope(ready, test, row)
                return self.day_of(test, scope, row, self.deadline(test, scope))
        return None

    def _answered(self, ready: Ready, finding: Finding, record: Record) -> Finding:
        evidence = (*finding.evidence, *_spoken(record))
        if not _says_so(record):
            return replace(finding, outcome=Outcome.CLEAR, state="dismissed", points=ZERO, fine=ZERO, amount=ZERO,
                           recommends=(), evidence=evidence, decided_by=_by(record))  # fmt: skip
        seen = self._seen(ready, record, finding.day)
        proposed = finding.points if finding.outcome in (Outcome.BREACH, Outcome.MET) else seen.points
        points = record.get("points") if record.get("points") is not None else proposed
        return replace(seen, subject=finding.subject, kind=finding.kind, points=points, evidence=evidence,
                       assumed=seen.assumed or finding.assumed, value=finding.value, due=finding.due,
                       event=record.get("event") or finding.event)  # fmt: skip

    def _seen(self, ready: Ready, record: Record, day: date) -> Finding:
        """One observation as one finding."""
        rule = ready.rule
        n = record.get("n") or Decimal(1)
        known = self.settings(ready, day) or {}
        per = known.get("points")
        outcome = Outcome(record.get("outcome") or ("met" if per and per.number and per.number > 0 else "breach"))
        row = subjects.plain_row(self.world, record)
        scope = Scope(row, RuleContext(self, ready, day), dict(ready.let))
        if record.get("confirmed") is False:
            outcome = Outcome.CLEAR
        if "admits" in ready.parts and truth(ready.parts["admits"](scope)) is False:
            outcome = Outcome.NA
        effect = outcome in (Outcome.BREACH, Outcome.MET)
        points: Decimal | None = ZERO
        if effect:
            points = record.get("points")
            if points is None:
                points = per.number * n if per is not None and per.number is not None else None if rule.range else ZERO
            elif rule.range:
                points *= n  # what is set inside the printed range is for each
        state: State = "counts" if effect else "told"
        named = tuple(record.get("rule") or ())
        finding = Finding(
            ready.id, record.id, "observation", day, outcome, state, points,
            assumed=effect and per is not None and per.assumed and record.get("points") is None,
            evidence=_spoken(record), event=str(record.get("event") or record.get("about") or record.id),
            words=record.get("event") is not None or len(named) > 1, decided_by=_by(record), n=n,
        )  # fmt: skip
        return self._priced(ready, finding, scope)

    # one event, one effect; ladders -------------------------------------------------------------------------------

    @cached_property
    def _overlaps(self) -> dict[str, set[str]]:
        """Rules that can meet in one event: declared groups, and clauses a person named together."""
        groups: list[set[str]] = [set(group.rules) for group in self.pack.head.groups]
        groups += [{one, *ready.rule.not_with} for one, ready in self.program.rules.items() if ready.rule.not_with]
        by_word: dict[str, set[str]] = {}
        for _, record in self._observed:
            named = [one for one in record.get("rule") or () if one in self.program.rules]
            if len(named) > 1:
                groups.append(set(named))
            if record.get("event") is not None:
                by_word.setdefault(str(record.get("event")), set()).update(named)
        groups += [{*found, *self._tests_on_cases} for found in by_word.values()]
        table: dict[str, set[str]] = {}
        for group in groups:
            whole = set(group).union(*(table.get(one, set()) for one in group))
            for one in whole:
                table[one] = whole
        return table

    @cached_property
    def _tests_on_cases(self) -> set[str]:
        named = any(row.get("event") for row in self.evaluator.rows_of("case", self.who))
        if not named:
            return set()
        return {one for one, ready in self.program.rules.items() if any(t.check.each == "case" for t in ready.tests)}

    def settled(self, rule: str) -> tuple[Finding, ...]:
        """The findings after each event was left to its heaviest clause, and after the ladder."""
        if rule not in self._settled:
            self._settled[rule] = self.guarded("settled", rule, lambda: self._settle(self.program.rules[rule]))
        return self._settled[rule]

    def _settle(self, ready: Ready) -> tuple[Finding, ...]:
        found = list(self.findings(ready.id))
        rivals = self._overlaps.get(ready.id, set()) - {ready.id}
        if rivals:
            found = [self._against(ready, one, rivals) for one in found]
        if ready.rule.once == "month":
            found = _once(found)
        if ready.rule.ladder is not None:
            found = self._climb(ready, found)
        return tuple(found)

    def _against(self, ready: Ready, finding: Finding, rivals: set[str]) -> Finding:
        """Superseded when a heavier clause (or an equal one that stands earlier) takes the same event."""
        if not finding.counts:
            return finding
        order = list(self.program.rules)
        for rival in sorted(rivals, key=order.index):
            for other in self.findings(rival):
                if other.counts and self._same_event(finding, other) and _heavier(other, finding, order):
                    note = (*finding.evidence, Signal("taken by", rival))
                    return replace(finding, state="superseded", outcome=Outcome.NA, points=ZERO, fine=ZERO, amount=ZERO,
                                   recommends=(), evidence=note)  # fmt: skip
        return finding

    def _same_event(self, one: Finding, other: Finding) -> bool:
        if one.words and other.words and one.event == other.event:
            return True
        if one.subject == other.subject and one.kind == other.kind == "observation":
            return True
        for group in self.pack.head.groups:
            if one.rule in group.rules and other.rule in group.rules and _key(one, group.per) == _key(other, group.per):
                return True
        pairs = self.program.rules[one.rule].rule.not_with, self.program.rules[other.rule].rule.not_with
        return (other.rule in pairs[0] or one.rule in pairs[1]) and one.event == other.event

    def _climb(self, ready: Ready, found: list[Finding]) -> list[Finding]:
        """Each finding that counts takes the step of its number within the window; the last step repeats."""
        ladder = ready.rule.ladder
        assert ladder is not None
        earlier = self._earlier(ready, ladder.window)
        out = []
        done: list[date] = []
        for one in sorted(found, key=lambda each: (each.day, each.subject)):
            if not one.counts:
                out.append(one)
                continue
            steps = next(steps for since, steps in sorted(ladder.values.items(), reverse=True) if since <= one.day)
            stepped = replace(one, fine=ZERO, amount=ZERO) if any(step.fine or step.amount for step in steps) else one
            for _ in range(max(1, int(one.n))):
                number = sum(1 for day in (*earlier, *done) if _in_window(ladder.window, day, one.day)) + 1
                done.append(one.day)
                stepped = _stepped(stepped, steps[min(number, len(steps)) - 1], number)
            out.append(stepped)
        return out

    def _earlier(self, ready: Ready, window: str) -> list[date]:
        if window == "month":
            return []
        first = date(self.period.first.year, 1, 1)
        if window != "year":
            first = self.period.first - timedelta(days=int(window))
        days: list[date] = []
        number = 1
        while (month := self.back(number)) is not None and month.period.last >= first:
            if ready.id in month.program.rules:
                days += [one.day for one in month.findings(ready.id) if one.counts for _ in range(max(1, int(one.n)))]
            number += 1
        return days

    # lines, figures, totals ---------------------------------------------------------------------------------------

    def line(self, rule: str) -> Decimal:
        """The rule's points in this month after groups and item caps; of a sheet item what was lost."""
        if rule not in self._lines:
            self._lines[rule] = self.guarded("line", rule, lambda: self._line(self.program.rules[rule]))
        return self._lines[rule]

    def _line(self, ready: Ready) -> Decimal:
        if ready.rule.item is not None:
            value = self.value(ready.id)[0]
            return value - Decimal(ready.rule.item.weight) if isinstance(value, Decimal) else ZERO
        counted = [one for one in self.settled(ready.id) if one.counts and not (self.certain and one.assumed)]
        total = sum((one.points or ZERO for one in counted), ZERO)
        most = self._at_most(ready)
        if most is not None and total < -most:
            return -most
        return total

    def _at_most(self, ready: Ready) -> Decimal | None:
        named = ready.rule.at_most
        if named is None:
            return None
        known = (self.settings(ready, self.period.last) or {}).get(named)
        if known is not None:
            return known.number
        return Decimal(named) if named.replace(".", "", 1).isdigit() else None

    def cap_assumed(self, ready: Ready) -> bool:
        """A lost item weight that cut the deductions."""
        most = self._at_most(ready)
        known = (self.settings(ready, self.period.last) or {}).get(ready.rule.at_most or "")
        total = sum((one.points or ZERO for one in self.settled(ready.id) if one.counts), ZERO)
        return most is not None and known is not None and known.assumed and total < -most

    def value(self, rule: str) -> tuple[Any, list[tuple[str, Any]]]:
        """What an indicator, item or total rule computed, and what it read."""
        if rule not in self._values:
            self._values[rule] = self.guarded("value", rule, lambda: self._value(self.program.rules[rule]))
        return self._values[rule]

    def _value(self, ready: Ready) -> tuple[Any, list[tuple[str, Any]]]:
        if not self.on(ready) or self.who.kind not in ready.rule.of:
            return None, []
        scope = self.month_scope(ready)
        if "value" in ready.parts:
            return ready.parts["value"](scope), scope.trace
        if ready.rule.item is not None:
            return self._item(ready, scope), scope.trace
        if ready.id == self.pack.head.score:
            return self._total(ready, scope), scope.trace
        return None, []

    def _total(self, ready: Ready, scope: Scope) -> Any:
        """base + points, kept between floor and cap, where the pack says no more than that."""
        raw = self._raw_of(ready, scope)
        if not isinstance(raw, Decimal):
            return raw
        known = self.settings(ready, self.period.last) or {}
        floor, cap = known.get("floor"), known.get("cap")
        if floor is not None and floor.number is not None and raw < floor.number:
            scope.trace.append(("floor", floor))
            return floor.number
        if cap is not None and cap.number is not None and raw > cap.number:
            scope.trace.append(("cap", cap))
            return cap.number
        return raw

    def _raw_of(self, ready: Ready, scope: Scope) -> Any:
        if "raw" in ready.parts:
            return ready.parts["raw"](scope)
        known = self.settings(ready, self.period.last) or {}
        base = known.get("base")
        if base is None or base.number is None:
            return None
        scope.trace.append(("base", base))
        return base.number + scope.context.points_of(scope)

    def _item(self, ready: Ready, scope: Scope) -> Any:
        """What a sheet item earned: given by a person, or its weight less what was lost, never below nothing."""
        item = ready.rule.item
        assert item is not None
        weight = Decimal(item.weight)
        if "zero_if" in ready.parts and truth(ready.parts["zero_if"](scope)) is True:
            return ZERO
        given = self._given(ready)
        if given is not None:
            return max(ZERO, min(weight, given))
        found = self.settled(ready.id)
        if any(one.outcome is Outcome.UNKNOWN for one in found):
            return MISSING
        if item.starts == "nothing" and not any(one.outcome is not Outcome.NA for one in found):
            return MISSING
        if any(one.counts and one.outcome is Outcome.BREACH and one.points is None for one in found):
            return MISSING
        lost = sum((one.points or ZERO for one in found if one.counts), ZERO)
        if (
            item.starts == "nothing"
            and any(one.counts and one.outcome is Outcome.BREACH for one in found)
            and lost == 0
        ):
            return ZERO
        return max(ZERO, weight + min(ZERO, lost))

    def _given(self, ready: Ready) -> Decimal | None:
        """Points that a person gave for an item of the sheet in this month."""
        found = [
            one.get("points")
            for day, one in self._observed
            if ready.id in (one.get("rule") or ()) and _gives(one) and one.get("points") is not None
            and day in self.period
        ]  # fmt: skip
        return sum(found, ZERO) if found else None

    def pay(self) -> tuple[Any, list[tuple[str, Any]]]:
        """The pay rule's result, from a month without what rests on assumed numbers."""
        rule = self.pack.head.pay
        if rule is None:
            return None, []
        sure = Month(self.evaluator, self.pack.id, self.who, self.period, certain=True)
        ready = sure.program.rules[rule]
        if "pay" not in ready.parts:
            return sure.value(rule)
        scope = sure.month_scope(ready)
        return sure.guarded("pay", rule, lambda: ready.parts["pay"](scope)), scope.trace

    @cached_property
    def score(self) -> tuple[Any, list[tuple[str, Any]]]:
        head = self.pack.head
        return (None, []) if head.score is None else self.value(head.score)

    @cached_property
    def raw(self) -> Any:
        head = self.pack.head
        if head.score is None:
            return None
        ready = self.program.rules[head.score]
        if "raw" in ready.parts or ready.rule.base is not None:
            return self._raw_of(ready, self.month_scope(ready))
        return self.score[0]

    @cached_property
    def rank(self) -> Any:
        head = self.pack.head
        if head.rank is None or not isinstance(self.score[0], Decimal):
            return None
        others = [one.score[0] for one in self.colleagues(head.rank.among)]
        return Decimal(1 + sum(isinstance(one, Decimal) and one > self.score[0] for one in others))

    @cached_property
    def grade(self) -> Any:
        head = self.pack.head
        return None if head.grade is None else self.value(head.grade)[0]

    def outcome(self, rule: str) -> Outcome | None:
        found = {one.outcome for one in self.settled(rule)}
        return next((one for one in ORDER if one in found), None)

    def money(self, rule: str) -> tuple[Decimal, bool]:
        """The rule's money in this month, signed from the person's side, and whether an assumed value is in it."""
        ready = self.program.rules[rule]
        if not self.on(ready) or self.who.kind not in ready.rule.of:
            return ZERO, False
        total, assumed = ZERO, False
        for one in self.settled(rule):
            if one.counts:
                total += one.fine + one.amount
                assumed = assumed or one.money_assumed
        if "money" in ready.parts:
            scope = self.month_scope(ready)
            value = self.guarded("money", rule, lambda: ready.parts["money"](scope))
            if isinstance(value, Decimal):
                total += value
            assumed = assumed or any(isinstance(one, Known) and one.assumed for _, one in scope.trace)
        return total, assumed


def _window(within: str, anchor: date, period: Period) -> Callable[[date], bool]:
    if within == "all":
        return lambda day: True
    if within == "month":
        return lambda day: day in period
    if within in ("day", "shift"):
        return lambda day: day == anchor
    if within == "week":
        week = Period.of(anchor, "week")
        return lambda day: day in week
    if within == "quarter":
        quarter = Period.of(anchor, "quarter")
        return lambda day: day in quarter
    if within == "year":
        first = date(period.first.year, 1, 1)
        return lambda day: first <= day <= period.last
    span = timedelta(days=int(within))
    return lambda day: anchor - span < day <= anchor


def _in_window(window: str, day: date, now: date) -> bool:
    if window == "month":
        return (day.year, day.month) == (now.year, now.month) and day <= now
    if window == "year":
        return day.year == now.year and day <= now
    return now - timedelta(days=int(window)) < day <= now


def _end(until: Any) -> datetime:
    """The last moment of a deadline: a day runs to 24:00 of it."""
    if isinstance(until, datetime):
        return until
    return datetime.combine(until, time()) + timedelta(days=1) - timedelta(microseconds=1)


def _done(stage: str, scope: Scope) -> Any:
    row = scope.subject
    if row.kind == "case":
        return cases.at_stage(row, stage)
    return row.get("submitted_at") if row.kind == "report" else row.get(f"{stage}_at")


def _outcome(verdict: str | None, value: bool | Unknown) -> tuple[Outcome, Unknown | None]:
    if isinstance(value, Unknown):
        return Outcome.UNKNOWN, value
    if verdict == "keep":
        value = not value
    if verdict in ("met", "tell"):
        return (Outcome.MET if value else Outcome.CLEAR), None
    return (Outcome.BREACH if value else Outcome.CLEAR), None


def _key(finding: Finding, per: str) -> str:
    return finding.day.isoformat() if per == "shift" else finding.event


def _heavier(other: Finding, one: Finding, order: list[str]) -> bool:
    a, b = abs(other.points or ZERO), abs(one.points or ZERO)
    a, b = a + abs(other.fine), b + abs(one.fine)
    return a > b or (a == b and order.index(other.rule) < order.index(one.rule))


def _once(found: list[Finding]) -> list[Finding]:
    out: list[Finding] = []
    taken = False
    for one in sorted(found, key=lambda each: (each.day, each.subject)):
        if one.counts and taken:
            one = replace(one, state="superseded", points=ZERO, fine=ZERO, amount=ZERO, recommends=())
        taken = taken or one.counts
        out.append(one)
    return out


def _stepped(finding: Finding, step: Step, number: int) -> Finding:
    points = finding.points if step.points is None else Decimal(step.points)
    return replace(
        finding,
        points=points,
        fine=finding.fine - abs(Decimal(step.fine or 0)),
        amount=finding.amount + Decimal(step.amount or 0),
        recommends=(*finding.recommends, *([step.recommend] if step.recommend else [])),
        evidence=(*finding.evidence, Signal("occurrence", str(number))),
    )


def _answers(record: Record, finding: Finding) -> bool:
    about = record.get("about")
    if about is None:
        return finding.kind in CALENDAR
    return about in (finding.subject, finding.event, finding.subject.partition("#")[0])


def _gives(record: Record) -> bool:
    """Points of an item as what was earned; a deduction of its printed range is negative."""
    points = record.get("points")
    return record.get("outcome") == "met" or (points is not None and points >= 0)


def _says_so(record: Record) -> bool:
    return record.get("confirmed") is not False and record.get("outcome") != "clear"


def _by(record: Record) -> str:
    return str(record.get("reviewer") or record.get("entered_by") or "person")


def _spoken(record: Record) -> tuple[Signal, ...]:
    said = [Signal("observation", record.id), Signal("reason", str(record.get("reason") or ""))]
    said += [Signal("seen by", _by(record))]
    if record.get("start_ms") is not None:
        said.append(Signal("clip", f"{record.get('about')} {record.get('start_ms')}-{record.get('end_ms')} ms"))
    return (*said, *(Signal("evidence", str(one)) for one in record.get("evidence") or ()))
