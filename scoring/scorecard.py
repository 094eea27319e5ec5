"""What scoring says of one subject: lines with evidence, totals, and their one canonical form. It decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from scoring.canonical import canonical, decimal_text

ZERO = Decimal(0)


class Outcome(StrEnum):
    NA = "na"  # the clause does not apply to this subject
    CLEAR = "clear"  # it applies and was kept
    BREACH = "breach"  # a deduction applies
    MET = "met"  # a bonus is earned
    UNKNOWN = "unknown"  # the facts cannot decide; never counted as clear, never deducted


@dataclass(frozen=True, slots=True)
class Signal:
    """A fact from signalling or counting that the rule used, and its value as text."""

    fact: str
    value: str

    def to_json(self) -> dict[str, Any]:
        return {"kind": "signal", "fact": self.fact, "value": self.value}


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one party's audio that the rule looked at, and why; with the words heard where there are some."""

    role: str
    start_ms: int
    end_ms: int
    why: str
    text: str | None = None
    entry: str | None = None
    turn: int | None = None

    def to_json(self) -> dict[str, Any]:
        plain: dict[str, Any] = {"kind": "span", "role": self.role, "start_ms": self.start_ms, "end_ms": self.end_ms}
        plain["why"] = self.why
        extra = (("text", self.text), ("entry", self.entry), ("turn", self.turn))
        plain.update((name, value) for name, value in extra if value is not None)
        return plain


@dataclass(frozen=True, slots=True)
class Setting:
    """A number or policy of the pack or the site that the outcome rests on."""

    name: str
    value: str
    unit: str
    source: str  # printed | lost | reading | site

    def to_json(self) -> dict[str, Any]:
        return {"kind": "setting", "name": self.name, "value": self.value, "unit": self.unit, "source": self.source}


@dataclass(frozen=True, slots=True)
class Superseded:
    """The same event already takes effect under another clause of an exclusive group."""

    rule: str
    per: str

    def to_json(self) -> dict[str, Any]:
        return {"kind": "group", "rule": self.rule, "per": self.per}


Evidence = Signal | Span | Setting | Superseded


class Line(NamedTuple):
    """One rule applied to the subject. ``decide``: who decides here; ``machine``: the pack lets a machine decide.

    A subject has dozens of these: a named tuple is made in a sixth of the time that a frozen dataclass takes.
    """

    rule: str
    cite: str
    outcome: Outcome
    decide: str
    counts: bool
    points: Decimal
    assumed: bool
    quote: str
    evidence: tuple[Evidence, ...]
    event: str
    title: dict[str, str]
    cause: str | None
    machine: bool

    @property
    def takes_effect(self) -> bool:
        return self.outcome is Outcome.BREACH or self.outcome is Outcome.MET

    def to_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "cite": self.cite,
            "outcome": str(self.outcome),
            "decide": self.decide,
            "counts": self.counts,
            "points": decimal_text(self.points),
            "assumed": self.assumed,
            "quote": self.quote,
            "evidence": [one.to_json() for one in self.evidence],
            "event": self.event,
            "title": self.title,
            "cause": self.cause,
            "decided_by": "machine" if self.decide == "auto" else None,
        }


@dataclass(frozen=True, slots=True)
class Scorecard:
    """All lines of one subject. ``automatic``: what the machine's rules say; ``counted``: what trust let through."""

    subject: str
    agent: str | None
    pack: str
    pack_version: str
    engine: int
    day: date | None
    lines: tuple[Line, ...]
    automatic: Decimal
    counted: Decimal
    assumed: bool
    unknown: int


def to_json(card: Scorecard) -> dict[str, Any]:
    """The machine-readable form: plain values only, points as decimal strings."""
    kind, _, name = card.subject.partition(":")
    return {
        "subject": card.subject,
        kind: name,
        "agent": card.agent,
        "pack": card.pack,
        "pack_version": card.pack_version,
        "engine": card.engine,
        "day": card.day.isoformat() if card.day else None,
        "lines": [line.to_json() for line in card.lines],
        "total": {
            "automatic": decimal_text(card.automatic),
            "counted": decimal_text(card.counted),
            "assumed": card.assumed,
            "unknown": card.unknown,
        },
    }


def dump(card: Scorecard) -> bytes:
    """Canonical bytes; what the ledger stores and a replay compares."""
    return canonical(to_json(card))
