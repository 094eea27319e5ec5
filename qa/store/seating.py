"""Whose a seat is where no event says it: the log-in in its history, the roster, or who always sits there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from qa.store.canon import storable
from qa.store.pool import Tx


@dataclass(frozen=True, slots=True)
class Assignment:
    """An agent's fixed seat, from a day to a day, both included."""

    seat: str
    agent: str
    from_day: date
    to_day: date | None = None


async def assign(tx: Tx, one: Assignment) -> None:
    """One that begins on the same day is replaced; of two that overlap the later one holds."""
    await tx.run("seating.assign", storable(one.seat), storable(one.agent), one.from_day, one.to_day)


async def forget(tx: Tx, seat: str, from_day: date) -> None:
    await tx.run("seating.forget", storable(seat), from_day)


async def assignments(tx: Tx) -> list[Assignment]:
    return [Assignment(**row) for row in await tx.all("seating.all")]


async def logged_in(tx: Tx, seat: str, at: datetime) -> str | None:
    """Who was logged in at a seat."""
    row = await tx.one("seating.logged_in", storable(seat), at)
    return None if row is None else row["agent"]


async def planned(tx: Tx, seat: str, local: datetime) -> str | None:
    """Whom the roster puts there, or else who always sits there; where the roster names two, it says nothing."""
    named = [row["agent"] for row in await tx.all("seating.roster", storable(seat), local.date(), local)]
    if named:
        return named[0] if len(named) == 1 else None
    row = await tx.one("seating.fixed", storable(seat), local.date())
    return None if row is None else row["agent"]
