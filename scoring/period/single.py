"""One call, one case, one record with a deadline: what the clauses say about it, beside the month it belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scoring.expr import truth
from scoring.facts import Unknown
from scoring.period import judge
from scoring.period.evaluate import Evaluator
from scoring.period.findings import Finding
from scoring.period.judge import ORDER
from scoring.period.month import Month
from scoring.period.program import Ready, Test
from scoring.period.subjects import Row
from scoring.period.world import SITE, Who
from scoring.records.period import Period
from scoring.scorecard import Outcome


@dataclass(frozen=True, slots=True)
class SubjectCard:
    """``due``: a day (to 24:00) or a moment by stage, None without a deadline; ``in_time``: None while it runs."""

    id: str
    state: str | None = None
    approver: Any = None
    due: Mapping[str, Any] = field(default_factory=dict)
    in_time: Mapping[str, bool | None] = field(default_factory=dict)
    outcome: Mapping[str, Outcome] = field(default_factory=dict)
    value: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def who_of(row: Row) -> Who:
    """Under whom a subject stands: its person, else its team, else the whole site."""
    if row.agent is not None:
        return Who("person", row.agent)
    return Who("team", row.team) if row.team is not None else Who("site", SITE)


def subject_card(evaluator: Evaluator, packs: Iterable[str], row: Row) -> SubjectCard:
    """What the packs say about one case or record."""
    due: dict[str, Any] = {}
    in_time: dict[str, bool | None] = {}
    value: dict[str, Any] = {}
    approver: Any = None
    found: list[Finding] = []
    for pack in packs:
        month = Month(evaluator, pack, who_of(row), Period.of(row.day, "month"))  # as of now, closed or not
        for ready in month.program.rules.values():
            if not month.on(ready):
                continue
            for test in ready.tests:
                if test.check.each == row.kind:
                    said = _about(month, ready, test, row, due, in_time, value)
                    approver = said if said is not None else approver
            found += _findings(evaluator, month, ready, row)
        head = month.pack.head
        if head.approver is not None and value.get(head.approver) is not None:
            approver = value[head.approver]
    state = row.get("stage") if row.kind == "case" else None
    return SubjectCard(row.id, state, approver, due, in_time, outcomes(found), value, tuple(found))


def _about(
    month: Month, ready: Ready, test: Test, row: Row,
    due: dict[str, Any], in_time: dict[str, bool | None], value: dict[str, Any],
) -> Any:  # fmt: skip
    scope = judge.scope_of(month, ready, test, row)
    if "where" in test.parts and truth(test.parts["where"](scope)) is not True:
        return None
    deadline = judge.deadline(month, test, scope)
    if deadline is not None:
        stage, until, late = deadline
        due[stage], in_time[stage] = until, None if late is None else not late
    if "value" in test.parts:
        made = test.parts["value"](scope)
        value[ready.id] = None if isinstance(made, Unknown) else made
    return test.parts["approver"](scope) if "approver" in test.parts else None


def _findings(evaluator: Evaluator, month: Month, ready: Ready, row: Row) -> list[Finding]:
    """The rule's findings about this subject, in whatever month they fall."""
    days = {month.period}
    for test in ready.tests:
        if test.check.each == row.kind:
            scope = judge.scope_of(month, ready, test, row)
            day = judge.day_of(month, test, scope, row, judge.deadline(month, test, scope))
            if day is not None:
                days.add(Period.of(day, "month"))
    months = [Month(evaluator, month.pack.id, month.who, one) for one in sorted(days)]
    return [one for each in months for one in each.settled(ready.id) if one.subject == row.id]


def outcomes(found: Iterable[Finding]) -> dict[str, Outcome]:
    """By rule, the first of breach, met, unknown, clear, na that occurs."""
    by_rule: dict[str, set[Outcome]] = {}
    for one in found:
        by_rule.setdefault(one.rule, set()).add(one.outcome)
    return {rule: next(one for one in ORDER if one in have) for rule, have in by_rule.items()}


def subject_cards(evaluator: Evaluator, packs: Iterable[str] | None = None) -> dict[str, SubjectCard]:
    """Every case, and every record that a clause gives a deadline or an outcome, by its id."""
    world = evaluator.world
    named = tuple(packs) if packs is not None else (world.pack, *world.shadow)
    kinds = {
        test.check.each
        for pack in named
        for ready in evaluator.month(
            pack, Who("site", SITE), Period.of(world.now.date(), "month")
        ).program.rules.values()
        for test in ready.tests
    } - {"month", "week", "day", "call", "away"}
    rows = {row.id: row for kind in sorted(kinds | {"case"}) for row in evaluator.rows.all(kind)}
    return {name: subject_card(evaluator, named, row) for name, row in rows.items()}


def call_findings(evaluator: Evaluator, call: str, packs: Iterable[str] | None = None) -> tuple[Finding, ...]:
    """What the packs found in one call or absence, with reviewers' answers: from its lines and from its record."""
    world = evaluator.world
    item = world.calls.get(call)
    if item is None or item.agent is None:
        return ()
    out: list[Finding] = []
    for pack in tuple(packs) if packs is not None else (world.pack, *world.shadow):
        month = evaluator.month(pack, Who("person", item.agent), Period.of(item.day, "month"))
        for ready in month.program.rules.values():
            out += [one for one in month.settled(ready.id) if one.subject == call]
    return tuple(out)
