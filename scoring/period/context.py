"""What an expression of one rule may ask about its month: names, records, other rules, people and months."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from scoring.expr import MISSING, ExprError, Scope
from scoring.facts import Unknown
from scoring.period import subjects
from scoring.period.program import Ready
from scoring.period.subjects import Row
from scoring.records.record import Record
from scoring.scorecard import ZERO
from scoring.values import Known, words

if TYPE_CHECKING:
    from scoring.period.month import Month


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
        if name != "person":  # what is read of it is traced by its field
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
        return sum((self.month.money(one)[0] or ZERO for one in self.month.matching(patterns)), ZERO)

    def fines_of(self, scope: Scope, *patterns: str) -> Decimal:
        rules = self.month.matching(patterns)
        fines = -sum((one.fine for rule in rules for one in self.month.settled(rule) if one.counts), ZERO)
        return fines - sum((self.month.spared(rule) for rule in rules), ZERO)

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


def _breaches(record: Record) -> bool:
    return record.get("outcome") not in ("clear", "met") and record.get("confirmed") is not False


def _given(record: Record, weight: Decimal) -> Decimal:
    """What an observation gives of an item: its points; all of it without points, nothing for a breach."""
    points = record.get("points")
    if points is not None:
        return Decimal(points)
    return ZERO if _breaches(record) else weight
