"""A rule applied to one subject of a month: outcome, what it costs or brings, whether it counts, and its evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from scoring.canonical import decimal_text
from scoring.scorecard import Evidence, Outcome

State = Literal["counts", "waits", "dismissed", "superseded", "told"]


@dataclass(frozen=True, slots=True)
class Finding:
    """``state``: counts (takes effect), waits (for a reviewer), dismissed, superseded (another clause took the event),
    told (an outcome without effect). ``event``: the key under which clauses exclude each other. Points and money are
    signed from the person's side; ``points`` None = a person has to set them within the printed range.
    """

    rule: str
    subject: str
    kind: str
    day: date
    outcome: Outcome
    state: State
    points: Decimal | None = Decimal(0)
    fine: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)
    assumed: bool = False
    money_assumed: bool = False
    alarm: bool = False
    cause: str | None = None
    evidence: tuple[Evidence, ...] = ()
    event: str = ""
    words: bool = False  # the event was named by a word, or several clauses were named at once
    recommends: tuple[str, ...] = ()
    decided_by: str | None = None
    value: Any = None
    due: tuple[str, Any, bool | None] | None = None
    n: Decimal = field(default=Decimal(1))
    clip: tuple[int, int] | None = None  # the stretch of a call a person named, ms from the answer

    @property
    def counts(self) -> bool:
        return self.state == "counts" and self.outcome in (Outcome.BREACH, Outcome.MET)

    @property
    def waits(self) -> bool:
        return self.state == "waits" and self.outcome in (Outcome.BREACH, Outcome.MET)

    def to_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "subject": self.subject,
            "kind": self.kind,
            "day": self.day.isoformat(),
            "outcome": str(self.outcome),
            "state": self.state,
            "points": None if self.points is None else decimal_text(self.points),
            "fine": decimal_text(self.fine),
            "amount": decimal_text(self.amount),
            "assumed": self.assumed,
            "alarm": self.alarm,
            "cause": self.cause,
            "evidence": [one.to_json() for one in self.evidence],
            "decided_by": self.decided_by,
        }
