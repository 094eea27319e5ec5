"""Every case, report or order with a deadline as its clauses see it: due days, in time, state, outcomes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scoring.expr import truth
from scoring.facts import Unknown
from scoring.period.close import Closing
from scoring.period.month import ORDER, Month
from scoring.period.subjects import Row
from scoring.period.world import SITE, Who
from scoring.records.period import Period
from scoring.scorecard import Outcome

KINDS = ("case", "report", "work_order", "order", "call_record", "trip")


@dataclass(slots=True)
class CaseCard:
    """One process: until when each stage is due, whether it was in time (None = open), and what its clauses say."""

    state: str | None = None
    approver: Any = None
    due: dict[str, Any] = field(default_factory=dict)
    in_time: dict[str, bool | None] = field(default_factory=dict)
    outcome: dict[str, Any] = field(default_factory=dict)
    value: dict[str, Any] = field(default_factory=dict)


def case_cards(closing: Closing) -> Mapping[str, CaseCard]:
    found: dict[str, CaseCard] = {}
    world = closing.world
    for name, pack in world.packs.items():
        for kind in ("case", "report", "work_order", "order"):
            for row in closing.evaluator.rows(kind):
                who = (
                    Who("person", row.agent) if row.agent else Who("team", row.team) if row.team else Who("site", SITE)
                )
                month = closing.evaluator.month(name, who, Period.of(row.day, "month"))
                card = found.setdefault(row.id, CaseCard(row.get("stage") if kind == "case" else None))
                _judged(card, month, row, kind, pack.head)
    return found


def _judged(card: CaseCard, month: Month, row: Row, kind: str, head: Any) -> None:
    for rule, ready in month.program.rules.items():
        if not month.on(ready):
            continue
        have: set[Outcome] = set()
        for test in ready.tests:
            if test.check.each != kind:
                continue
            scope = month.scope(ready, test, row)
            if "where" in test.parts and truth(test.parts["where"](scope)) is not True:
                continue
            due = month._deadline(test, scope)
            if due is not None:
                card.due[due[0]] = due[1]
                card.in_time[due[0]] = None if due[2] is None else not due[2]
            if "value" in test.parts:
                value = test.parts["value"](scope)
                card.value[rule] = None if isinstance(value, Unknown) else value
                if head.approver == rule:
                    card.approver = card.value[rule]
            if test.check.alarm and test.verdict is None:
                continue
            if "na" in test.parts and truth(test.parts["na"](scope)) is True:
                have.add(Outcome.NA)
            elif test.verdict is not None:
                said = truth(test.parts[test.verdict](scope))
                have.add(_outcome(test.verdict, said))
            elif due is not None and due[2] is not None:
                have.add(Outcome.BREACH if due[2] else Outcome.CLEAR)
        if have:
            card.outcome[rule] = next(str(one) for one in ORDER if one in have)


def _outcome(verdict: str, said: Any) -> Outcome:
    if isinstance(said, Unknown):
        return Outcome.UNKNOWN
    if verdict == "keep":
        return Outcome.CLEAR if said else Outcome.BREACH
    if verdict == "breach":
        return Outcome.BREACH if said else Outcome.CLEAR
    return Outcome.MET if said else Outcome.CLEAR
