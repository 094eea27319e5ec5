"""The forms in which the API speaks of months: one pydantic model per answer."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from qa.web.models import Decide, Shape, Titles

Text = Annotated[str, Field(min_length=1, max_length=2000)]
Amounts = Annotated[str, Field(pattern=r"^-?\d{1,9}(\.\d{1,4})?$")]


class ClosedBy(Shape):
    """Who closed a month, when by the site's clocks, and the fingerprint over all of its cards."""

    by: str
    at: str
    cards_sha: str
    engine: int


class Advice(Shape):
    """An effect that only a person can approve, and where it stands."""

    kind: str
    state: Literal["proposed", "reviewed", "approved", "rejected"]


class MonthRow(Shape):
    """One person's, team's or the site's month in a list; amounts are null where money is off."""

    who: str
    kind: Literal["person", "team", "site"]
    team: str
    pack: str
    score: str | None
    grade: str | None
    rank: str | None
    state: str
    pay: str | None
    fine: str | None
    waiting: int = Field(description="findings that wait for a reviewer")
    unknown: int
    assumed: int
    recommendations: list[Advice]


class Month(Shape):
    """A month as it stands or as it was closed."""

    month: str
    money: Literal["off", "record_only", "payroll_export"]
    signed_off_by: str | None
    closed: ClosedBy | None
    over: bool = Field(description="its last day is past, so it may be closed")
    skips: list[str] = Field(description="earlier months with calls or records that closing this one leaves open")
    as_of: str = Field(description="when it was worked out, by the site's clocks")
    items: list[MonthRow]


class MonthName(Shape):
    month: str
    closed: bool


class MonthNames(Shape):
    """Closed months, then the one that is assessed now."""

    items: list[MonthName]


class Clause(Shape):
    rule: str
    cite: str
    title: Titles


class MonthFinding(Shape):
    """One time that a clause was met, with what it rests on."""

    subject: str
    kind: str
    day: str
    outcome: str
    state: Literal["counts", "waits", "dismissed", "superseded", "told"]
    points: str | None
    fine: str | None
    amount: str | None
    assumed: bool
    alarm: bool
    decided_by: str | None
    evidence: list[dict[str, Any]]


class MonthLine(Clause):
    """A clause that found something this month."""

    quote: str
    decide: Decide
    points: str | None
    count: str
    assumed: bool
    findings: list[MonthFinding]


class Amount(Clause):
    amount: str


class Figure(Clause):
    value: str | bool


class Undecided(Clause):
    causes: dict[str, int]


class Climb(Clause):
    """How often a clause with steps took effect, and the window in which its steps are counted."""

    window: str
    count: str
    steps: list[dict[str, Any]]


class Decided(Shape):
    state: str
    by: str
    at: str
    reason: str


class Recommended(Advice):
    rules: list[str]
    caution: list[str]
    clauses: list[Clause]
    steps: list[Decided]


class Late(Shape):
    """What late news of closed months changes."""

    points: str | None
    pay: str | None


class ByHand(Shape):
    """An adjustment that a person signed for."""

    n: int = Field(description="its number at the site; `undo` names it")
    month: str
    carried: str
    points: str
    pay: str | None
    reason: str
    by: str
    at: str


class MonthSheet(Shape):
    """One card with all of its lines."""

    month: str
    money: Literal["off", "record_only", "payroll_export"]
    closed: ClosedBy | None
    who: str
    kind: Literal["person", "team", "site"]
    team: str
    pack: str
    pack_version: str
    pack_title: Titles
    score: str | None
    raw: str | None
    grade: str | None
    rank: str | None
    state: str
    pay: str | None
    pay_note: str | None
    fine: str | None
    ledger: str | None
    amounts: list[Amount]
    lines: list[MonthLine]
    values: list[Figure]
    unknown: list[Undecided]
    assumed: list[Clause]
    alarms: list[Clause]
    ladders: list[Climb]
    recommendations: list[Recommended]
    adjusted: Late
    adjustments: list[ByHand]
    waiting: int


class Decision(Shape):
    """What a person does with a recommendation, and why."""

    kind: Text
    step: Literal["review", "approve", "reject"]
    reason: Text


class Adjustment(Shape):
    """Points or money for a closed month, signed from the person's side; or the number of one to take back."""

    points: Amounts = "0"
    pay: Amounts = "0"
    undo: int | None = Field(None, ge=1, description="adds the opposite of this adjustment; give no points and pay")
    reason: Text


class AdjustmentTaken(Shape):
    """What was entered, and the month that carries it."""

    n: int
    month: str
    carried: str
    agent: str
    points: str
    pay: str
    reason: str
    by: str


class DecisionTaken(Shape):
    """Where the recommendation stands now, and the laws that a person should think of."""

    state: str
    caution: list[str]
