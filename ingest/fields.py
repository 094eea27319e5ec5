"""Reads single fields of what a stranger sent, with their limits. Knows no event types, raises ``FieldFault`` only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

NAME_CHARS = 128  # ids, sources, seats, agents
LINE_CHARS = 512  # reasons, numbers, tokens
EXTRA_DEPTH = 8
EXTRA_ITEMS = 256
YEARS = (2000, 2100)
_TURNS = frozenset("\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
INT64 = 1 << 63
PART = re.compile(r"~\d+$")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d([.,]\d{1,9})?(Z|z|[+-]\d\d(:?\d\d)?)")


class FieldFault(ValueError):
    """One field that cannot be taken: its name, and a reason that says what to send instead."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


def text(raw: Mapping[str, Any], field: str, limit: int = NAME_CHARS) -> str:
    """A required line of text."""
    value = raw.get(field)
    if value is None:
        raise FieldFault(field, "is missing")
    if not isinstance(value, str):
        raise FieldFault(field, f"must be a string, not {_kind(value)}")
    return line(value, field, limit)


def optional_text(raw: Mapping[str, Any], field: str, limit: int = NAME_CHARS) -> str | None:
    return None if raw.get(field) is None else text(raw, field, limit)


def call(raw: Mapping[str, Any], field: str = "call") -> str | None:
    """A call's own name, None where there is none: never the name of a part of another call, which would be written
    over."""
    value = optional_text(raw, field)
    if value is not None and PART.search(value):
        raise FieldFault(field, "ends in ~ and a number, as parts of calls are named here; name it otherwise")
    return value


def line(value: str, field: str, limit: int) -> str:
    """Non-empty, within *limit*, printable, and encodable as UTF-8."""
    if not value.strip():
        raise FieldFault(field, "is empty")
    if len(value) > limit:
        raise FieldFault(field, f"has {len(value)} characters; at most {limit} are taken")
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise FieldFault(field, "contains a control character; send one line of plain text")
    return _encodable(value, field)


def plain(value: str, field: str) -> None:
    """Nothing in it that a screen would show as something else, or not at all."""
    for char in value:
        if char in _TURNS or 0x80 <= ord(char) < 0xA0:
            raise FieldFault(field, f"contains the control character U+{ord(char):04X}, which is not shown; send it "
                             "without")  # fmt: skip


def moment(raw: Mapping[str, Any], field: str) -> datetime:
    """An instant with its offset, such as 2026-03-01T09:00:14.990+08:00."""
    value = text(raw, field, 40)
    if not _MOMENT.fullmatch(value):
        raise FieldFault(field, "must be date, time and offset, such as 2026-03-01T09:00:14.990+08:00")
    try:
        at = datetime.fromisoformat(value.upper().replace(",", "."))
        at.utctimetuple()
    except (ValueError, OverflowError) as error:
        raise FieldFault(field, f"is no date of the calendar ({error})") from None
    if not YEARS[0] <= at.year < YEARS[1]:
        raise FieldFault(field, f"must lie between the years {YEARS[0]} and {YEARS[1]}; set the sender's clock")
    return at


def choice(raw: Mapping[str, Any], field: str, allowed: tuple[str, ...]) -> str:
    value = text(raw, field)
    if value not in allowed:
        raise FieldFault(field, f"must be one of {', '.join(allowed)}")
    return value


def optional_choice(raw: Mapping[str, Any], field: str, allowed: tuple[str, ...]) -> str | None:
    return None if raw.get(field) is None else choice(raw, field, allowed)


def optional_count(raw: Mapping[str, Any], field: str, limit: int) -> int | None:
    """A whole number from 0 to *limit*; true and false are no numbers."""
    value = raw.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= limit:
        raise FieldFault(field, f"must be a whole number from 0 to {limit}")
    return value


def count(raw: Mapping[str, Any], field: str, limit: int) -> int:
    value = optional_count(raw, field, limit)
    if value is None:
        raise FieldFault(field, "is missing")
    return value


def mapping(raw: object, field: str) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise FieldFault(field, f"must be an object, not {_kind(raw)}")
    return raw


def keep(raw: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """The keys that nobody here knows: kept as they came, if they are sane JSON."""
    extra = {key: value for key, value in raw.items() if key not in known}
    left = [EXTRA_ITEMS]
    for key, value in extra.items():
        _encodable(key, "key")
        if len(key) > NAME_CHARS:
            raise FieldFault("key", f"a key has {len(key)} characters; at most {NAME_CHARS} are taken")
        _sane(value, key, EXTRA_DEPTH, left)
    return extra


def _sane(value: object, field: str, depth: int, left: list[int]) -> None:
    left[0] -= 1
    if depth == 0 or left[0] < 0:
        raise FieldFault(field, f"is nested deeper than {EXTRA_DEPTH} levels or holds more than {EXTRA_ITEMS} values")
    if isinstance(value, str):
        _encodable(value, field)
    elif isinstance(value, int | float | Decimal) and not -INT64 < value < INT64:  # so is none, and so is infinity
        raise FieldFault(field, "is a number beyond 64 bits; send it as a string")
    elif isinstance(value, list):
        for item in value:
            _sane(item, field, depth - 1, left)
    elif isinstance(value, dict):
        for key, item in value.items():
            _encodable(key, field)
            _sane(item, field, depth - 1, left)


def _encodable(value: str, field: str) -> str:
    if "\0" in value:
        raise FieldFault(field, "contains a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise FieldFault(field, "contains half of a surrogate pair; send whole characters") from None
    return value


def masked(number: str) -> str:
    """The other party's number with nothing but its last four digits; an extension stays, anything else is hidden."""
    digits = "".join(char for char in number if char in "0123456789")
    if len(digits) > 4:
        return "*" * (len(digits) - 4) + digits[-4:]
    return number if number.isdecimal() else "*"


def _kind(value: object) -> str:
    return {"NoneType": "null", "dict": "an object", "list": "a list", "str": "a string", "bool": "true or false"}.get(
        type(value).__name__, "a number"
    )
