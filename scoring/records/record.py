"""One record as a value: what another system or a person said, checked and typed. Reads nothing, judges nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from scoring.records.period import Period


class Refusal(NamedTuple):
    """Why a record is not taken: the field, and a small letter with what is wrong and what to do."""

    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Record:
    """A record of one kind. ``fields`` holds all that was given, the envelope with it, each value typed:

    text, bool, Decimal (whole and decimal numbers), date, datetime (naive, local to the site), Decimal milliseconds
    (durations), Period, tuple (lists) and dict (parts).
    """

    kind: str
    id: str
    fields: Mapping[str, Any]

    def get(self, name: str) -> Any:
        """A field's value; None when it was not given."""
        return self.fields.get(name)

    @property
    def start(self) -> datetime | None:
        """The moment it begins, where it has one: ``at``, of a call ``offered_at``."""
        found: datetime | None = self.fields.get("offered_at" if self.kind == "call" else "at")
        return found

    @property
    def local_day(self) -> date | None:
        """The day it belongs to; None for a record of a period."""
        start = self.start
        day: date | None = start.date() if start else self.fields.get("day")
        return day

    @property
    def period(self) -> Period | None:
        found: Period | None = self.fields.get("period")
        return found

    def __hash__(self) -> int:
        return hash((self.kind, self.id))


def order(record: Record) -> tuple[date, str, str]:
    """Where a record stands among others: by day, then moment (a whole day first), then id."""
    period, start = record.period, record.start
    day = record.local_day or (period.first if period else date.min)
    return day, start.isoformat() if start else "", record.id
