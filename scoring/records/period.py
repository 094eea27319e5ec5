"""A stretch of the calendar that is assessed as one: a month, an ISO week, a quarter or a year. Knows no clock."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache, total_ordering
from typing import Literal

Kind = Literal["week", "month", "quarter", "year"]

_FORMS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("month", re.compile(r"(\d{4})-(\d\d)")),
    ("week", re.compile(r"(\d{4})-W(\d\d)")),
    ("quarter", re.compile(r"(\d{4})Q([1-4])")),
    ("year", re.compile(r"(\d{4})")),
)
_DAY = timedelta(days=1)


@total_ordering
class Period:
    """One period by its name: ``2026-03`` month, ``2026-W10`` ISO week, ``2026Q1`` quarter, ``2026`` year."""

    __slots__ = ("first", "kind", "last")
    kind: Kind
    first: date
    last: date

    def __init__(self, text: str) -> None:
        kind, first, last = _read(text)
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "first", first)
        object.__setattr__(self, "last", last)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a period does not change: {name}")

    @staticmethod
    @lru_cache(maxsize=8192)
    def of(day: date, kind: Kind = "month") -> Period:
        """The period of that kind that holds the day."""
        match kind:
            case "week":
                year, week, _ = day.isocalendar()
                return Period(f"{year:04}-W{week:02}")
            case "month":
                return Period(f"{day.year:04}-{day.month:02}")
            case "quarter":
                return Period(f"{day.year:04}Q{(day.month + 2) // 3}")
            case "year":
                return Period(f"{day.year:04}")

    def __str__(self) -> str:
        match self.kind:
            case "week":
                year, week, _ = self.first.isocalendar()
                return f"{year:04}-W{week:02}"
            case "month":
                return f"{self.first.year:04}-{self.first.month:02}"
            case "quarter":
                return f"{self.first.year:04}Q{(self.first.month + 2) // 3}"
            case "year":
                return f"{self.first.year:04}"

    def __repr__(self) -> str:
        return f"Period({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Period) and (self.first, self.last) == (other.first, other.last)

    def __lt__(self, other: object) -> bool:
        """By first day; of two that begin together the shorter comes first."""
        if not isinstance(other, Period):
            return NotImplemented
        return (self.first, self.last) < (other.first, other.last)

    def __hash__(self) -> int:
        return hash((self.first, self.last))

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def __reduce__(self) -> tuple[type[Period], tuple[str]]:
        return Period, (str(self),)

    @property
    def days(self) -> tuple[date, ...]:
        """Every calendar day of it, in order."""
        return tuple(self.first + _DAY * n for n in range((self.last - self.first).days + 1))

    def next(self, n: int = 1) -> Period:
        """The n-th period after it; a negative n counts back."""
        year, month = self.first.year, self.first.month
        match self.kind:
            case "week":
                return Period.of(self.first + timedelta(weeks=n), "week")
            case "month":
                return Period.of(_month(year, month + n), "month")
            case "quarter":
                return Period.of(_month(year, month + 3 * n), "quarter")
            case "year":
                return Period(f"{year + n:04}")

    def months(self) -> tuple[Period, ...]:
        """The calendar months that begin in it; a month is its own only one."""
        begin = self.first if self.first.day == 1 else _month(self.first.year, self.first.month + 1)
        found = []
        while begin <= self.last:
            found.append(Period.of(begin, "month"))
            begin = _month(begin.year, begin.month + 1)
        return tuple(found)

    def weeks(self) -> tuple[Period, ...]:
        """The ISO weeks whose Monday lies in it."""
        monday = self.first + _DAY * (-self.first.weekday() % 7)
        count = max(0, (self.last - monday).days // 7 + 1)
        return tuple(Period.of(monday + timedelta(weeks=n), "week") for n in range(count))


def _month(year: int, month: int) -> date:
    """The first day of a month whose number may run past the year's end, both ways."""
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)


def _read(text: str) -> tuple[Kind, date, date]:
    for kind, form in _FORMS:
        found = form.fullmatch(text) if text.isascii() else None
        if found is None:
            continue
        year, part = int(found[1]), int(found[2]) if found.lastindex == 2 else 1
        try:
            return _span(kind, year, part)
        except (ValueError, OverflowError):
            break
    raise ValueError(f'"{text}" is no period; write "2026-03", "2026-W10", "2026Q1" or "2026", always quoted')


def _span(kind: Kind, year: int, part: int) -> tuple[Kind, date, date]:
    if kind == "week":
        monday = date.fromisocalendar(year, part, 1)
        return kind, monday, monday + _DAY * 6
    if kind == "month":
        first, months = date(year, part, 1), 1
    elif kind == "quarter":
        first, months = date(year, 3 * part - 2, 1), 3
    else:
        first, months = date(year, 1, 1), 12
    if year == 9999 and first.month + months > 12:
        return kind, first, date.max
    return kind, first, _month(year, first.month + months) - _DAY
