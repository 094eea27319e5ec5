"""The result of a month (or year) for a person, a team or the site: what is shown, printed, frozen and compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from scoring.canonical import decimal_text
from scoring.facts import Unknown
from scoring.period.findings import Finding
from scoring.period.world import Who
from scoring.records.period import Period
from scoring.scorecard import Outcome

UNDECIDED = "not_decided"


@dataclass(frozen=True, slots=True)
class Recommendation:
    """An effect that only a person can approve; ``rules`` are the clauses that lead to it."""

    kind: str
    state: str
    rules: tuple[str, ...]
    caution: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "state": self.state, "rules": list(self.rules), "caution": list(self.caution)}


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What this month carries for months that were closed before: signed points and pay, by month."""

    points: Decimal = Decimal(0)
    pay: Decimal = Decimal(0)
    months: tuple[Period, ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """A month's result. Amounts are decimals, signed from the person's side; ``fine`` is positive; None = no value."""

    who: Who
    period: Period
    pack: str
    score: Any = None
    raw: Any = None
    grade: Any = None
    rank: Any = None
    state: str = "complete"
    pay: Decimal | None = None
    pay_note: str | None = None
    fine: Decimal | None = Decimal(0)
    ledger: Decimal | None = None
    money: Mapping[str, Decimal | None] = field(default_factory=dict)
    lines: Mapping[str, Decimal] = field(default_factory=dict)
    count: Mapping[str, Decimal] = field(default_factory=dict)
    value: Mapping[str, Any] = field(default_factory=dict)
    outcome: Mapping[str, Outcome] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()
    review: Mapping[str, Decimal | None] = field(default_factory=dict)
    recommendations: tuple[Recommendation, ...] = ()
    shadow: Mapping[str, Decimal] = field(default_factory=dict)
    adjusted: Adjustment = Adjustment()
    findings: tuple[Finding, ...] = ()
    closed: bool = False


def plain(value: Any) -> Any:
    """A value as JSON knows it: decimals as text, what is unknown or has no value as null."""
    if isinstance(value, Unknown) or value is None:
        return None
    if isinstance(value, Decimal):
        return decimal_text(value)
    return value if isinstance(value, bool | str) else str(value)


def to_json(card: Card, findings: bool = True) -> dict[str, Any]:
    """The machine-readable form of a card."""
    out: dict[str, Any] = {
        "who": card.who.name,
        "kind": card.who.kind,
        "period": str(card.period),
        "pack": card.pack,
        "closed": card.closed,
        "state": card.state,
    }
    for name in ("score", "raw", "grade", "rank", "pay", "pay_note", "fine", "ledger"):
        out[name] = plain(getattr(card, name))
    for name in ("money", "lines", "count", "value", "review", "shadow"):
        out[name] = {rule: plain(one) for rule, one in getattr(card, name).items()}
    out["outcome"] = {rule: str(one) for rule, one in card.outcome.items()}
    for name in ("unknown", "assumed", "alarms"):
        out[name] = list(getattr(card, name))
    out["recommendations"] = [one.to_json() for one in card.recommendations]
    out["adjusted"] = {"points": plain(card.adjusted.points), "pay": plain(card.adjusted.pay)}
    if findings:
        out["findings"] = [one.to_json() for one in card.findings]
    return out
