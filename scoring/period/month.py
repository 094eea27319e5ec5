"""One person's (or team's, or site's) month under one pack: lines, figures and totals, each when asked for.

Everything is computed on demand and remembered, so that rules may rest on one another in any order; a rule that rests
on itself is refused. Earlier months are asked from the world they were closed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from scoring.errors import PackError
from scoring.expr import MISSING, ExprError, Scope, milliseconds, truth
from scoring.facts import Cause, Unknown
from scoring.period import judge, observed, settle, subjects
from scoring.period.context import RuleContext
from scoring.period.findings import Finding
from scoring.period.judge import ORDER
from scoring.period.program import Program, Ready, program
from scoring.period.subjects import Row
from scoring.period.world import REGISTERS, SITE, CallItem, Who
from scoring.records.period import Period
from scoring.records.record import Record
from scoring.scorecard import ZERO, Outcome
from scoring.values import Known

if TYPE_CHECKING:
    from scoring.period.evaluate import Evaluator

CENT = Decimal("0.01")
T = TypeVar("T")


class Month:
    """Findings, lines and totals of one ``who`` in one calendar month, under one pack."""

    def __init__(self, evaluator: Evaluator, pack: str, who: Who, period: Period, whole: Month | None = None) -> None:
        self.evaluator, self.who, self.period = evaluator, who, period
        self._whole = whole  # given: this is that month without what rests on an assumed number, which may reach pay
        self.world = evaluator.world
        self.pack = self.world.packs[pack]
        self.program: Program = program(self.pack)
        self.calendar = evaluator.calendar
        self.row = next(iter(subjects.calendar_rows("month", period, who.name if who.kind == "person" else None)))
        self._findings: dict[str, tuple[Finding, ...]] = {}
        self._taken: dict[str, tuple[Finding, ...]] = {}
        self._settled: dict[str, tuple[Finding, ...]] = {}
        self._values: dict[str, tuple[Any, list[tuple[str, Any]]]] = {}
        self._lines: dict[str, Decimal] = {}
        self._rivalries: dict[str, dict[int, Finding]] = {}
        self._busy: list[tuple[str, str]] = []
        self._weighed: set[tuple[str, str]] = set()  # what was computed from lines

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
            case "score" | "raw" | "rank" | "grade":
                self._weighed.update(self._busy)
                return self.score[0] if name == "score" else getattr(self, name)
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
        return self.program.matching(tuple(patterns))

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
            least = self.least_break(context)
            if within == "month":
                return self.evaluator.rows.within(kind, who, self.period, least)
            rows = self.evaluator.rows.of(kind, who, least)
        inside = _window(within, anchor, self.period)
        return [one for one in rows if inside(one.day)]

    def least_break(self, context: RuleContext) -> Decimal:
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
        rows = self.evaluator.rows.figures(who, name)
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

    def _daily(self, rows: Iterable[Row]) -> list[Record]:
        return [
            one.record
            for one in rows
            if one.record is not None and one.record.get("day") is not None and one.day in self.period
        ]

    # findings ---------------------------------------------------------------------------------------------------

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
        return self._kept("findings", rule, self._findings, self._find)

    def _kept(self, what: str, rule: str, kept: dict[str, T], make: Callable[[Ready], T]) -> T:
        """Computed once; what no line went into is the same without assumed numbers, and is not computed again."""
        key = (what, rule)
        if rule not in kept:
            same: T | None = getattr(self._whole, what)(rule) if self._whole is not None and what != "line" else None
            if same is None or self._whole is None or key in self._whole._weighed:
                same = self.guarded(what, rule, lambda: make(self.program.rules[rule]))
            kept[rule] = same
        if what == "line" or key in self._weighed:
            self._weighed.update((key, *self._busy))
        return kept[rule]

    @cached_property
    def items(self) -> tuple[CallItem, ...]:
        if self.who.kind == "person":
            return self.world.calls.of(self.who.name, self.period)
        return ()

    def month_scope(self, ready: Ready) -> Scope:
        return Scope(self.row, RuleContext(self, ready, self.period.last), dict(ready.let))

    @property
    def observations(self) -> tuple[tuple[date, Record], ...]:
        """Observations about this person with the day they belong to: a confirmation to the day of what it confirms."""
        return self.evaluator.rows.observations(self.who)

    def rivalry(self, rule: str) -> dict[int, Finding]:
        """How the clauses that can meet this one leave each event to the heaviest; settled once for all of them."""
        rules = self.overlaps[rule]
        key = min(rules)
        if key not in self._rivalries:
            self._rivalries[key] = settle.rivalry(self, rules)
        return self._rivalries[key]

    @cached_property
    def overlaps(self) -> dict[str, set[str]]:
        """Rules that can meet in one event: declared groups, and clauses a person named together."""
        groups: list[set[str]] = [set(group.rules) for group in self.pack.head.groups]
        groups += [{one, *ready.rule.not_with} for one, ready in self.program.rules.items() if ready.rule.not_with]
        by_word: dict[str, set[str]] = {}
        for _, record in self.observations:
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
        named = any(row.get("event") for row in self.evaluator.rows.of("case", self.who))
        if not named:
            return set()
        return {one for one, ready in self.program.rules.items() if any(t.check.each == "case" for t in ready.tests)}

    def _find(self, ready: Ready) -> tuple[Finding, ...]:
        if not self.on(ready):
            return ()
        return tuple(observed.with_observations(self, ready, judge.flags(self, ready)))

    def taken(self, rule: str) -> tuple[Finding, ...]:
        """The findings after each event was left to its heaviest clause."""
        return self._kept("taken", rule, self._taken, lambda ready: settle.take(self, ready))

    def settled(self, rule: str) -> tuple[Finding, ...]:
        """The findings after each event was left to its heaviest clause, and after the ladder."""
        return self._kept("settled", rule, self._settled, lambda ready: settle.settle(self, ready))

    # lines, figures, totals ---------------------------------------------------------------------------------------

    def line(self, rule: str) -> Decimal:
        """The rule's points in this month after groups and item caps; of a sheet item what was lost."""
        return self._kept("line", rule, self._lines, self._line)

    def _line(self, ready: Ready) -> Decimal:
        if ready.rule.item is not None:
            value = self.value(ready.id)[0]
            return value - Decimal(ready.rule.item.weight) if isinstance(value, Decimal) else ZERO
        counted = [one for one in self.settled(ready.id) if one.counts and (self._whole is None or not one.assumed)]
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
        return self._kept("value", rule, self._values, self._value)

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
        if item.starts == "nothing" and any(one.outcome is Outcome.UNKNOWN for one in found):
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
            for day, one in self.observations
            if ready.id in (one.get("rule") or ()) and observed.gives(one)
            and day in self.period
        ]  # fmt: skip
        return sum(found, ZERO) if found else None

    def pay(self) -> tuple[Any, list[tuple[str, Any]]]:
        """The pay rule's result, from a month without what rests on assumed numbers."""
        rule = self.pack.head.pay
        if rule is None:
            return None, []
        sure = Month(self.evaluator, self.pack.id, self.who, self.period, whole=self)
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
        """The first of breach, met, unknown, clear, na that occurs; without a record nobody knows, unless the only
        register that could say so is connected and silent."""
        found = {one.outcome for one in self.settled(rule)}
        if self.unheard(rule):
            found.add(Outcome.UNKNOWN)
        if found:
            return next(one for one in ORDER if one in found)
        ready = self.program.rules[rule]
        if not self._asks(ready):
            return None
        asked = {test.check.each for test in ready.tests}
        if not ready.rule.tests and "observation" not in ready.rule.needs:
            return None  # it only computes
        return Outcome.CLEAR if asked and asked <= set(REGISTERS) else Outcome.UNKNOWN

    def unheard(self, rule: str) -> bool:
        """Whether a register that the rule looks into is not connected: what it holds nobody can say."""
        ready = self.program.rules[rule]
        asked = {test.check.each for test in ready.tests} & set(REGISTERS)
        return self._asks(ready) and any(not self.world.connected(one, self.period.last) for one in asked)

    def _asks(self, ready: Ready) -> bool:
        return self.on(ready) and ready.rule.decide != "norm" and self.who.kind in ready.rule.of

    def money(self, rule: str) -> tuple[Decimal | None, bool]:
        """The rule's money in this month, signed from the person's side (None while its expression is unknown),
        and whether an assumed value is in it."""
        ready = self.program.rules[rule]
        if not self.on(ready) or self.who.kind not in ready.rule.of:
            return ZERO, False
        total, assumed = ZERO, False
        for one in self.settled(rule):
            if one.counts:
                total += one.fine + one.amount
                assumed = assumed or one.money_assumed
        total += self.spared(rule)
        if "money" in ready.parts:
            scope = self.month_scope(ready)
            value = self.guarded("money", rule, lambda: ready.parts["money"](scope))
            if isinstance(value, Unknown):
                return None, False
            total += value if isinstance(value, Decimal) else ZERO
            assumed = assumed or any(isinstance(one, Known) and one.assumed for _, one in scope.trace)
        return total, assumed

    def cuts(self, amounts: list[Decimal], taken: Decimal = ZERO) -> list[Decimal] | None:
        """Korea: one cut at most half a day's average wage, all of a month at most a tenth of its wages (caution L10);
        `taken` of it already; None while the wages are unknown."""
        if self.world.site.jurisdiction != "KR" or not amounts:
            return amounts
        daily, wage = self.figure("wage_daily_average", None, "value"), self.figure("wage", None, "value")
        if not isinstance(daily, Decimal) or not isinstance(wage, Decimal):
            return None
        left = max(ZERO, wage / 10 - taken)
        out = []
        for amount in amounts:
            cut = min(amount, daily / 2, left)
            left -= cut
            out.append(cut.quantize(CENT, ROUND_HALF_UP))
        return out

    @cached_property
    def fined(self) -> tuple[tuple[Finding, Decimal | None], ...]:
        """The findings with a fine, and what the law leaves of it (None while that is unknown)."""
        found = [one for rule in self.program.rules for one in self.settled(rule)]
        fines = [one for one in found if one.counts and one.fine and not one.money_assumed and not one.assumed]
        left = self.cuts([-one.fine for one in fines])
        return tuple((one, None if left is None else left[place]) for place, one in enumerate(fines))

    def spared(self, rule: str) -> Decimal:
        """What the law takes off the fines of a rule."""
        if self.world.site.jurisdiction != "KR":
            return ZERO
        return sum((-one.fine - left for one, left in self.fined if one.rule == rule and left is not None), ZERO)


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
