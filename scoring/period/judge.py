"""The tests of a rule over the subjects of a month: outcome, points, money, deadline. It hears no person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from scoring import engine
from scoring.callexpr import evidence as shown
from scoring.expr import Scope, truth
from scoring.facts import Cause, Unknown
from scoring.period import case as cases
from scoring.period import subjects
from scoring.period.context import RuleContext, subjects_day
from scoring.period.findings import Finding, State
from scoring.period.program import Ready, Test
from scoring.period.subjects import Row
from scoring.period.world import CallItem
from scoring.scorecard import ZERO, Outcome, Signal
from scoring.values import Known

if TYPE_CHECKING:
    from scoring.period.month import Month


ORDER = (Outcome.BREACH, Outcome.MET, Outcome.UNKNOWN, Outcome.CLEAR, Outcome.NA)
CALENDAR = ("month", "week", "day")


@dataclass(frozen=True, slots=True)
class Flag:
    """A finding of a test, and the subject it is about."""

    finding: Finding
    row: Row | None


def flags(month: Month, ready: Ready) -> list[Flag]:
    """What the rule's tests found in this month, before people answered."""
    if not month.on(ready) or not concerns(month, ready):
        return []
    found = [*from_phones(month, ready)]
    for test in ready.tests:
        found += run(month, ready, test)
    return found


def concerns(month: Month, ready: Ready) -> bool:
    """A rule about persons also runs where a record names nobody: under its team, or the whole site."""
    if month.who.kind in ready.rule.of:
        return True
    return "person" in ready.rule.of and any(one.check.each not in CALENDAR for one in ready.tests)


def from_phones(month: Month, ready: Ready) -> list[Flag]:
    if not any(one.that is not None or one.each in ("call", "away") for one in ready.rule.tests):
        return []
    found = []
    for item in month.items:
        if item.facts.kind == "chat":
            continue
        for line in lines_of(month, item).lines:
            if line.rule != ready.id:
                continue
            state: State = "counts" if line.counts else "waits" if line.takes_effect else "told"
            if line.takes_effect and any(one.tell for one in ready.rule.tests):
                state = "told"
            evidence = (Signal("call" if item.facts.call else "away", item.id), *line.evidence)
            finding = Finding(
                ready.id, item.id, item.facts.kind, item.day, line.outcome, state,
                _points_of(ready, line.points), assumed=line.assumed, cause=line.cause,
                evidence=evidence, event=item.id, decided_by="machine",
            )  # fmt: skip
            found.append(Flag(priced(month, ready, finding), None))
    return found


def _points_of(ready: Ready, points: Decimal) -> Decimal | None:
    """What a line of a call proposes; nothing where the clause has no points, or a person sets them in a range."""
    return None if not ready.scores or (ready.rule.range and ready.rule.points is None) else points


def lines_of(month: Month, item: CallItem) -> Any:
    """The call's scorecard under this pack: the one that is known, or scored now."""
    known = item.cards.get(month.pack.id)
    return known if known is not None else engine.score(month.pack, month.world.overlay, item.facts, item.day)


def run(month: Month, ready: Ready, test: Test) -> list[Flag]:
    found = []
    for row in candidates(month, ready, test):
        flag = judge(month, ready, test, row)
        if flag is not None and flag.finding.day in month.period:
            found.append(flag)
    return found


def candidates(month: Month, ready: Ready, test: Test) -> Iterable[Row]:
    """The subjects a test could be about in this month; a moved day is judged after it is known."""
    each = test.check.each
    if each in CALENDAR:
        own = month.who.kind in ready.rule.of
        return subjects.calendar_rows(each, month.period, month.row.agent) if own else ()
    least = month.least_break(RuleContext(month, ready, month.period.last))
    rows = month.evaluator.rows
    moves = "at" in test.parts or "due" in test.parts or each == "case"
    if month.who.kind not in ready.rule.of:
        unnamed = rows.nobodys(each, month.who, least)
        return unnamed if moves else [one for one in unnamed if one.day in month.period]
    return rows.of(each, month.who, least) if moves else rows.within(each, month.who, month.period, least)


def scope_of(month: Month, ready: Ready, test: Test, row: Row, day: date | None = None) -> Scope:
    case = row if row.kind == "case" else None
    return Scope(row, RuleContext(month, ready, day or row.day, case), dict(test.let))


def judge(month: Month, ready: Ready, test: Test, row: Row) -> Flag | None:
    scope = scope_of(month, ready, test, row)
    parts = test.parts
    if "where" in parts and truth(parts["where"](scope)) is not True:
        return None
    due = deadline(month, test, scope)
    day = day_of(month, test, scope, row, due)
    if day is None or (day not in month.period):
        return None
    if month.settings(ready, day) is None:
        return None  # a number of the rule holds only from a later day: it is not yet in force
    scope.context = RuleContext(month, ready, day, row if row.kind == "case" else None)
    register: str
    for register in test.check.needs_register:
        if not month.world.connected(register, day):
            return flagged(month, ready, test, row, day, Unknown(Cause.REGISTER), scope, due)
    if "na" in parts and truth(parts["na"](scope)) is True:
        finding = Finding(ready.id, row.id, row.kind, day, Outcome.NA, "told", evidence=shown(scope.trace))
        return Flag(finding, row)
    if test.verdict is None and due is not None:
        late = due[2]
        if late is None:
            return None
        return flagged(month, ready, test, row, day, late, scope, due)
    verdict = truth(parts[test.verdict](scope)) if test.verdict is not None else False
    return flagged(month, ready, test, row, day, verdict, scope, due)


def deadline(month: Month, test: Test, scope: Scope) -> tuple[str, Any, bool | None] | None:
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
        waits = check.right or check.not_before or month.world.now <= _end(until)
        return check.stage, until, None if waits else True
    return check.stage, until, subjects_day(done) < subjects_day(until) if check.not_before else done > _end(until)


def day_of(month: Month, test: Test, scope: Scope, row: Row, due: tuple[str, Any, bool | None] | None) -> date | None:
    if "at" in test.parts:
        moved = test.parts["at"](scope)
        return None if moved is None or isinstance(moved, Unknown) else subjects_day(moved)
    if due is not None:
        return None if due[1] is None else subjects_day(due[1])
    return row.day


def flagged(month: Month, ready: Ready, test: Test, row: Row, day: date, verdict: bool | Unknown, scope: Scope,
    due: tuple[str, Any, bool | None] | None,
) -> Flag:  # fmt: skip
    parts, check = test.parts, test.check
    outcome, cause = _outcome(test.verdict, verdict)
    alarm = False
    if "alarm" in parts and (outcome not in (Outcome.BREACH, Outcome.MET) or not ready.scores):
        alarm = truth(parts["alarm"](scope)) is True
    points: Decimal | None = ZERO
    times = Decimal(1)
    if outcome in (Outcome.BREACH, Outcome.MET):
        points, times = price(month, ready, test, scope)
    value = parts["value"](scope) if "value" in parts else None
    word = None if row.kind == "event" else row.get("event")  # of something held it is the sort, not a name
    named = parts["event"](scope) if "event" in parts else word
    about = None if row.kind == "case" else row.get("about")
    effect = outcome in (Outcome.BREACH, Outcome.MET) and check.tell is None
    machine = ready.rule.decide == "auto" and check.decide != "review"
    if ready.rule.needs_text and not month.world.overlay.trusts(ready.id):
        machine = False
    by_person = ready.rule.decide == "manual" and check.decide != "review"
    state: State = "told" if not effect else "counts" if machine or by_person else "waits"
    if state == "counts" and points is None and ready.rule.range:
        state = "waits"  # a person has to set the points inside the printed range
    if state == "waits" and not ready.scores:
        points = None  # nothing is proposed
    lost = any(isinstance(one, Known) and one.assumed for _, one in scope.trace)
    finding = Finding(
        ready.id, row.id, row.kind, day, outcome, state, points,
        assumed=lost or (effect and points_lost(month, ready, test, day)), alarm=alarm,
        cause=None if cause is None else cause.cause.value, evidence=shown(scope.trace)[:60],
        event=str(named or about or row.id), words=named is not None and "event" not in parts,
        decided_by="person" if by_person else "machine", value=value, due=due, n=times,
    )  # fmt: skip
    return Flag(priced(month, ready, finding, scope), row)


def points_lost(month: Month, ready: Ready, test: Test, day: date) -> bool:
    known = month.settings(ready, day) or {}
    return "points" not in test.parts and "points" in known and known["points"].assumed


def price(month: Month, ready: Ready, test: Test, scope: Scope) -> tuple[Decimal | None, Decimal]:
    times = test.parts["times"](scope) if "times" in test.parts else Decimal(1)
    if not isinstance(times, Decimal):
        times = Decimal(1)
    if "points" in test.parts:
        value = test.parts["points"](scope)
        return (value if isinstance(value, Decimal) else None), times
    known = (month.settings(ready, scope.context.day) or {}).get("points")
    if known is not None and known.number is not None:
        return known.number * times, times
    return (None if ready.rule.range else ZERO), times


def priced(month: Month, ready: Ready, finding: Finding, scope: Scope | None = None) -> Finding:
    """What one finding costs or brings in money, and what it recommends."""
    if finding.outcome not in (Outcome.BREACH, Outcome.MET):
        return finding
    asked = scope if scope is not None else month.month_scope(ready)
    recommends = tuple(
        one.kind
        for one, when in zip(ready.rule.recommend, ready.recommends, strict=True)
        if when is None or truth(when(asked)) is True
    )
    if finding.state == "told":
        return replace(finding, recommends=recommends)
    known = month.settings(ready, finding.day) or {}
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
