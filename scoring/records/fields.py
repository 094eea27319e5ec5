"""The types of the record contract as pydantic types: strict, bounded, with a letter for what does not fit. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainValidator

from scoring.records.period import Period


@dataclass(frozen=True, slots=True)
class Is:
    """The name a type has in the contract; stands beside the type and is what expressions are checked against."""

    name: str


_NUMBER = re.compile(r"[+-]?(\d{1,18}(\.\d{0,18})?|\.\d{1,18})")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(?:[.,](\d{1,12}))?(Z|[+-]\d\d:?\d\d)?")
_LONG = re.compile(r"(\d{1,4}):([0-5]\d):([0-5]\d)(?:\.(\d{1,3}))?")
_SHORT = re.compile(r"(\d{1,5}):([0-5]\d)(?:\.(\d{1,3}))?")


def number(value: object) -> Decimal:
    """An exact number; whole ones may come unquoted, a float never."""
    if isinstance(value, Decimal) and value.is_finite():
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return Decimal(value)
    if isinstance(value, float):
        raise ValueError(f'write the number as a quoted string: "{value}"')
    raise ValueError(f'{value!r} is no number; write it as a quoted string like "-0.5"')


def _moment(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    found = _MOMENT.fullmatch(value) if isinstance(value, str) and value.isascii() else None
    if found is not None:
        day, minute, second, fraction, offset = found.groups()
        micro = (fraction or "0")[:6].ljust(6, "0")
        try:
            return datetime.fromisoformat(f"{day}T{minute}{second or ':00'}.{micro}{offset or ''}")
        except ValueError:
            raise ValueError(f"{value} is no moment of the calendar; correct it") from None
    raise ValueError(
        "write a date and time like 2026-03-01T09:00:14.990, local to the site unless it carries an offset"
    )


def _day(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value} is no day of the calendar; correct it") from None
    raise ValueError("write a day like 2026-03-01, without a time")


def span(value: object) -> Decimal:
    """Milliseconds of ``h:mm:ss[.fff]`` or ``m:ss``."""
    if isinstance(value, str) and value.isascii():
        if found := _LONG.fullmatch(value):
            hours, minutes, seconds, part = found.groups()
            return Decimal((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + _thousandths(part)
        if found := _SHORT.fullmatch(value):
            minutes, seconds, part = found.groups()
            return Decimal(int(minutes) * 60 + int(seconds)) * 1000 + _thousandths(part)
    raise ValueError('write a duration as a quoted string "h:mm:ss" or "m:ss", like "0:05:00"')


def _thousandths(part: str | None) -> int:
    return int((part or "0").ljust(3, "0"))


def _period(value: object) -> Period:
    if isinstance(value, Period):
        return value
    if isinstance(value, str) and value.isprintable():
        return Period(value)
    raise ValueError(f'{value!r} is no period; write "2026-03", "2026-W10", "2026Q1" or "2026", always quoted')


def _words(value: object) -> object:
    """One word stands for a list of one."""
    return [value] if isinstance(value, str) else value


# One line of at most 256 characters; that it is neither empty nor broken is asked of what is imported (admit.py).
Line = Annotated[str, Field(max_length=256), Is("str")]
Text = Annotated[str, Field(max_length=10_000), Is("text")]
Ref = Annotated[str, Field(max_length=256), Is("ref")]
Word = Annotated[str, Field(max_length=256), Is("enum")]  # an open list: a site may use further words
Flag = Annotated[bool, Field(strict=True), Is("bool")]
Count = Annotated[int, Field(strict=True, ge=0, le=1_000_000_000), Is("int")]
Milliseconds = Annotated[int, Field(strict=True, ge=-86_400_000, le=86_400_000), Is("int")]
Exact = Annotated[Decimal, PlainValidator(number), Is("decimal")]
Moment = Annotated[datetime, BeforeValidator(_moment), Is("datetime")]
Day = Annotated[date, BeforeValidator(_day), Is("date")]
Span = Annotated[Decimal, PlainValidator(span), Is("duration")]
Term = Annotated[Period, PlainValidator(_period), Is("period")]
Lines = Annotated[tuple[Line, ...], Field(max_length=1000)]
Rules = Annotated[tuple[Line, ...], Field(min_length=1, max_length=100), BeforeValidator(_words)]

Role = Literal["agent", "customer", "unknown"]
Source = Literal[
    "telephony", "presence", "attendance", "roster", "work_orders", "crm", "chat", "complaints", "survey", "exam",
    "hr", "payroll", "audit", "person",
]  # fmt: skip
