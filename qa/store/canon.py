"""JSON in and out of the store: one canonical spelling, no floats made, hostile text made storable. Nothing is read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def dumps(value: object) -> str:
    """Sorted keys, no spaces, decimals and instants as text: equal values, equal text."""
    text = json.dumps(value, default=plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return _UNSTORABLE.sub("\ufffd", text)


def loads(text: str) -> Any:
    """The value; a fraction becomes a Decimal, never a float."""
    return json.loads(text, parse_float=Decimal)


def plain(value: object) -> object:
    """What JSON has no word for."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date | UUID):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence | set | frozenset):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be stored as JSON; turn it into text, a number or a list first")


def instant(at: datetime) -> str:
    """UTC with microseconds, as the ledger hashes it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def storable(text: str | None) -> str | None:
    """Text as PostgreSQL can hold it: NUL and lone surrogates become the replacement character."""
    return None if text is None else _UNSTORABLE.sub("\ufffd", text)
