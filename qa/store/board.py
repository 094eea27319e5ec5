"""What the board reads: what holds now at seats, calls that are going on, time lines. It writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from qa.store.canon import loads
from qa.store.events import AHEAD
from qa.store.pool import Tx
from qa.store.seats import Stretch


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """What holds at a seat now: a state, or whether somebody is there; ``at`` is None where it lies in the future."""

    seat: str
    kind: Literal["status", "presence"]
    at: datetime | None
    value: str
    reason: str | None
    confidence: str
    source: str
    agent: str | None
    excused_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """A call that is going on, as it was folded."""

    id: str
    at: datetime
    direction: str | None
    seat: str | None
    agent: str | None
    queue: str | None
    offered_at: datetime | None
    ringing_at: datetime | None
    answered_at: datetime | None
    folded: dict[str, Any]


async def held(tx: Tx, seats: Sequence[str] | None = None) -> list[Open]:
    """Of all seats, or of these."""
    return [Open(**row) for row in await tx.all("board.open", None if seats is None else list(seats))]


async def ahead(tx: Tx) -> dict[str, datetime]:
    """Seats of which a clock that is ahead told something: since when it is said to hold."""
    return {row["seat"]: row["at"] for row in await tx.all("board.ahead", AHEAD)}


async def going(tx: Tx, calls: Sequence[str] | None = None) -> list[Going]:
    """All calls that are going on, or those of these that still do."""
    rows = await tx.all("board.calls", None if calls is None else list(calls))
    return [Going(**{**row, "folded": loads(row["folded"])}) for row in rows]


async def recent(tx: Tx, since: datetime) -> set[str]:
    """Seats that had a call since then: a site may tell of no other state."""
    return {row["seat"] for row in await tx.all("board.recent", since)}


async def fixed(tx: Tx, day: date) -> dict[str, str]:
    """Seat -> agent, where a seat belongs to somebody on that day."""
    return {row["seat"]: row["agent"] for row in await tx.all("board.fixed", day)}


async def work(tx: Tx, agents: Sequence[str], since: datetime) -> list[Stretch]:
    return [Stretch(**row) for row in await tx.all("board.work", list(agents), since)]


async def lines(tx: Tx, start: datetime, until: datetime) -> list[Stretch]:
    return [Stretch(**row) for row in await tx.all("board.lines", start, until)]


async def heard(tx: Tx) -> datetime | None:
    """When anything last came; None before that."""
    at: datetime | None = await tx.value("board.heard")
    return at
