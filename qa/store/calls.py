"""Calls as they were folded, and the list of them that the screens page through. It folds and scores nothing."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from qa.store import bell, pages
from qa.store.canon import dumps, loads, storable
from qa.store.pages import Page
from qa.store.pool import Row, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call as it was folded last. ``at`` is its first event; ``folded`` is all that the fold found, as JSON.

    ``conversation`` is the call that this is a later part of. ``orphan`` says what never came, ``concluded`` why it was
    taken for over although nobody said so.
    """

    id: str
    state: str
    at: datetime
    direction: str | None = None
    agent: str | None = None
    seat: str | None = None
    queue: str | None = None
    number: str | None = None
    day: date | None = None
    offered_at: datetime | None = None
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    conclusion: str | None = None
    hung_up_by: str | None = None
    conversation: str | None = None
    orphan: str | None = None
    concluded: str | None = None
    folded: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Score:
    """The totals of a call's current run."""

    run: UUID
    automatic: Decimal
    counted: Decimal
    assumed: bool
    unknown: int
    flagged: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A call in a list; without a score it has not been scored yet."""

    call: Call
    score: Score | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which calls to list; None asks nothing."""

    agent: str | None = None
    day: date | None = None
    state: str | None = None
    flagged: bool | None = None
    seat: str | None = None
    direction: str | None = None


EVERY = Filter()
_CALL = tuple(field.name for field in fields(Call))
_SCORE = tuple(field.name for field in fields(Score))


async def upsert(tx: Tx, call: Call) -> None:
    """Put it in place of what was folded before."""
    texts = [
        storable(one) for one in (call.id, call.state, call.direction, call.agent, call.seat, call.queue, call.number)
    ]
    times = [call.at, call.day, call.offered_at, call.ringing_at, call.answered_at, call.ended_at]
    over = (call.conclusion, call.hung_up_by, storable(call.conversation), call.orphan, call.concluded)
    await tx.run("calls.upsert", *texts, *times, *over, dumps(call.folded))
    await bell.ring(tx, "call", call.id)


async def get(tx: Tx, id: str) -> Call:
    """One call, or NotFound."""
    return _call(await tx.need("calls.get", f"call {id}", storable(id)))


async def find(tx: Tx, id: str) -> Call | None:
    row = await tx.one("calls.get", storable(id))
    return None if row is None else _call(row)


async def parts(tx: Tx, conversation: str) -> list[Call]:
    """Every part of a conversation, its first one first; withdrawn ones too."""
    return [_call(row) for row in await tx.all("calls.parts", storable(conversation))]


async def at_seat(tx: Tx, seat: str, since: datetime) -> list[str]:
    """Conversations that a seat had a part in since an instant."""
    return [row["id"] for row in await tx.all("calls.at_seat", storable(seat), since)]


async def page(tx: Tx, only: Filter = EVERY, after: str | None = None, limit: int = 50) -> Page[Listed]:
    """Newest first; ``after`` is the cursor of the page before."""
    limit = pages.bounded(limit)
    asked = (only.agent, only.day, only.state, only.flagged, only.seat, only.direction)
    rows = await tx.all("calls.page", *pages.read(after), *asked, limit + 1)
    return pages.page([_listed(row) for row in rows], limit, lambda one: (one.call.at, one.call.id))


async def count(tx: Tx) -> dict[str, int]:
    """How many calls stand in each state."""
    return {row["state"]: row["calls"] for row in await tx.all("calls.count")}


def _call(row: Row) -> Call:
    return Call(**{name: row[name] for name in _CALL if name != "folded"}, folded=loads(row["folded"]))


def _listed(row: Row) -> Listed:
    score = None if row["run"] is None else Score(**{name: row[name] for name in _SCORE})
    return Listed(_call(row), score)
