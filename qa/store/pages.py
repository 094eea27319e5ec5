"""Cursors of long lists: where the next page begins, as a token that a client hands back unread. No SQL."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from qa.store.errors import BadCursor

T = TypeVar("T")
MOST = 200


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows, and the cursor of the next page; None at the end."""

    items: tuple[T, ...]
    next: str | None


def bounded(limit: int) -> int:
    """At least one row, at most as many as a page may have."""
    return max(1, min(limit, MOST))


def page(found: Sequence[T], limit: int, key: Callable[[T], tuple[datetime, str]]) -> Page[T]:
    """A page from one row more than it shows."""
    items = tuple(found[:limit])
    return Page(items, token(*key(items[-1])) if len(found) > limit else None)


def token(at: datetime, id: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([at.isoformat(), id]).encode()).decode().rstrip("=")


def read(cursor: str | None) -> tuple[datetime | None, str | None]:
    """Where a page begins; (None, None) for the first."""
    if cursor is None:
        return None, None
    try:
        at, id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        begins = datetime.fromisoformat(at)
    except (ValueError, TypeError, binascii.Error) as error:
        raise BadCursor(BadCursor.__doc__) from error
    if not isinstance(id, str) or begins.tzinfo is None or "\x00" in id:
        raise BadCursor(BadCursor.__doc__)
    return begins, id
