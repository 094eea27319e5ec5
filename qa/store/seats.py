"""Seats as they were folded: stretches of state and presence, episodes in which nobody was there. It folds nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from qa.store import bell, pages
from qa.store.canon import storable
from qa.store.pages import Page
from qa.store.pool import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A seat in one state, or with somebody or nobody there, from ``at`` until ``until_at`` (None = still)."""

    seat: str
    kind: Literal["status", "presence"]
    at: datetime
    value: str
    until_at: datetime | None = None
    reason: str | None = None
    confidence: str = "observed"
    source: str = ""
    agent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AwayEpisode:
    """A stretch in which nobody was seen at a seat; ``id`` is what its subject names after ``away:``."""

    id: str
    seat: str
    at: datetime
    agent: str | None = None
    until_at: datetime | None = None
    day: date | None = None
    away_ms: int | None = None
    ready_ms: int | None = None
    status: str = "unknown"
    source: str = "inferred"
    contradicted: bool = False


async def replace(tx: Tx, seat: str, stretches: Sequence[Stretch], since: datetime | None = None) -> None:
    """Put a new folding in place of the old one, from an instant on or whole."""
    await tx.run("seats.forget", storable(seat), since)
    rows = (
        (one.seat, one.kind, one.at, one.until_at, one.value, one.reason, one.confidence, one.source, one.agent)
        for one in stretches
    )
    await tx.many("seats.keep", rows)
    await bell.ring(tx, "seat", seat)


async def checkpoint(tx: Tx, seat: str) -> datetime | None:
    """Everything of a seat before this instant is in its stretches."""
    row = await tx.one("seats.checkpoint", storable(seat))
    return None if row is None else row["at"]


async def check(tx: Tx, seat: str, at: datetime) -> None:
    """From now on the history is folded from here."""
    await tx.run("seats.check", storable(seat), at)


async def last_before(tx: Tx, seat: str, at: datetime) -> list[Stretch]:
    """The newest stretch of each kind that began before an instant."""
    return [Stretch(**row) for row in await tx.all("seats.last_before", storable(seat), at)]


async def since(tx: Tx, seat: str, at: datetime) -> list[Stretch]:
    """Stretches that began at an instant or after it."""
    return [Stretch(**row) for row in await tx.all("seats.since", storable(seat), at)]


async def history(tx: Tx, seat: str, from_at: datetime, until_at: datetime) -> list[Stretch]:
    return [Stretch(**row) for row in await tx.all("seats.history", storable(seat), from_at, until_at)]


async def wrap_up(tx: Tx, seat: str, ended_at: datetime) -> float | None:
    """Seconds of wrap-up after a call; None while it lasts, and where nobody saw any."""
    row = await tx.one("seats.wrap_up", storable(seat), ended_at)
    return None if row is None or row["until_at"] is None else (row["until_at"] - row["at"]).total_seconds()


async def now(tx: Tx) -> list[Stretch]:
    """Open stretches of all seats."""
    return [Stretch(**row) for row in await tx.all("seats.now")]


async def replace_away(tx: Tx, seat: str, found: Sequence[AwayEpisode], since: datetime | None = None) -> None:
    """A seat's episodes, in place of those that were folded before, from an instant on or all."""
    await tx.run("seats.forget_away", storable(seat), [one.id for one in found], since)
    rows = (
        (
            *(one.id, one.seat, one.agent, one.at, one.until_at, one.day),
            *(one.away_ms, one.ready_ms, one.status, one.source, one.contradicted),
        )
        for one in found
    )
    await tx.many("seats.away", rows)


async def away(tx: Tx, id: str) -> AwayEpisode:
    return AwayEpisode(**await tx.need("seats.get_away", f"away episode {id}", storable(id)))


async def page_away(tx: Tx, seat: str | None = None, after: str | None = None, limit: int = 50) -> Page[AwayEpisode]:
    """Newest first; ``after`` is the cursor of the page before."""
    limit = pages.bounded(limit)
    rows = await tx.all("seats.page_away", *pages.read(after), seat, limit + 1)
    return pages.page([AwayEpisode(**row) for row in rows], limit, lambda one: (one.at, one.id))
