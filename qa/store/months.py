"""Closed months, decisions about recommendations, adjustments by hand, and the calls of a month as they stood.

A closed month's cards are runs of the ledger with the subject ``month:2026-10/person/Wang``; the row in ``closing``
keeps from what they were made. What a month is worth is decided in ``scoring/period``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, cast

from qa.store.canon import dumps, loads, storable
from qa.store.pool import Row, Tx

State = Literal["reviewed", "approved", "rejected"]


@dataclass(frozen=True, slots=True)
class Pins:
    """The numbers of the last record, move of a pointer, decision and adjustment that are known."""

    records: int
    pointers: int
    decisions: int
    adjustments: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClosing:
    """From what a month is closed; ``now`` is local to the site, ``packs`` and ``overlay`` are fingerprints."""

    month: str
    now: datetime
    engine: int
    site: Mapping[str, Any]
    pack: str
    packs: Mapping[str, str]
    shadow: tuple[str, ...]
    overlay: str
    records: int
    pointers: int
    decisions: int
    cards_sha: str
    cards: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing(NewClosing):
    """A month as it was closed, by whom and when."""

    actor: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Decided:
    """A step of a recommendation; two people share the two steps of a dismissal."""

    n: int
    month: str
    agent: str
    kind: str
    state: State
    reason: str
    actor: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Adjusted:
    """Points and money for a closed month, carried in another, signed from the person's side."""

    n: int
    month: str
    carried: str
    agent: str
    points: Decimal
    pay: Decimal
    reason: str
    actor: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Scored:
    """A call or absence with the facts of the run that counted; ``subject`` like ``call:4711``."""

    subject: str
    agent: str | None
    day: date
    facts: bytes

    @property
    def id(self) -> str:
        return self.subject.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Span:
    """Somebody's first and last day with a call or absence."""

    agent: str | None
    first: date
    last: date


_CLOSING = tuple(one.name for one in fields(NewClosing))


async def lock(tx: Tx) -> None:
    """Until this transaction ends nobody else closes, decides or adjusts here."""
    await tx.run("months.lock")


async def pins(tx: Tx) -> Pins:
    return Pins(**await tx.need("months.pins", "the numbers"))


async def add(tx: Tx, new: NewClosing) -> None:
    """Keep it; a month that is closed already is a Conflict."""
    values = {name: getattr(new, name) for name in _CLOSING}
    for name in ("site", "packs", "shadow"):
        values[name] = dumps(values[name])
    await tx.run("months.add", *values.values())


async def closings(tx: Tx) -> tuple[Closing, ...]:
    """Closed months, the earliest first."""
    return tuple(_closing(row) for row in await tx.all("months.closings"))


def _closing(row: Row) -> Closing:
    read = {name: loads(row[name]) for name in ("site", "packs", "shadow")}
    return Closing(**{**row, **read, "shadow": tuple(read["shadow"])})


async def stand(tx: Tx, closing: str, told: Mapping[str, Mapping[str, Any]]) -> None:
    """Keep what months came to as this closing knew them: kind/name -> month -> points and pay."""
    await tx.run("months.stand", closing, dumps(told))


async def stood(tx: Tx, closing: str) -> Mapping[str, Mapping[str, Any]]:
    """The same again; empty where an older release closed."""
    row = await tx.one("months.stood", closing)
    return {} if row is None else cast(dict[str, Any], loads(row["body"]))


async def cards(tx: Tx, month: str) -> tuple[tuple[str, bytes], ...]:
    """The frozen cards of a month: subject and bytes, in the order of the subjects."""
    return tuple((row["subject"], row["card"]) for row in await tx.all("months.cards", storable(month)))


async def decide(tx: Tx, month: str, agent: str, kind: str, state: State, reason: str) -> None:
    await tx.run("months.decide", month, storable(agent), storable(kind), state, storable(reason))


async def decisions(tx: Tx, upto: int | None = None) -> tuple[Decided, ...]:
    return tuple(Decided(**row) for row in await tx.all("months.decisions", upto))


async def adjust(tx: Tx, month: str, carried: str, agent: str, points: Decimal, pay: Decimal, reason: str) -> None:
    await tx.run("months.adjust", month, carried, storable(agent), points, pay, storable(reason))


async def adjustments(tx: Tx) -> tuple[Adjusted, ...]:
    return tuple(Adjusted(**row) for row in await tx.all("months.adjustments"))


async def calls(tx: Tx, agent: str | None, first: date, last: date, pointers: int) -> tuple[Scored, ...]:
    """The calls and absences of somebody between two days, as they counted when *pointers* was the last move."""
    return tuple(Scored(**row) for row in await tx.all("months.calls", storable(agent), first, last, pointers))


async def call(tx: Tx, id: str, pointers: int) -> Scored | None:
    row = await tx.one("months.call", storable(id), pointers)
    return None if row is None else Scored(**row)


async def known(tx: Tx, ids: Iterable[str], pointers: int) -> frozenset[str]:
    """Which of these ids the ledger has scored."""
    rows = await tx.all("months.known", [cast(str, storable(one)) for one in ids], pointers)
    return frozenset(row["id"] for row in rows)


async def span(tx: Tx, pointers: int) -> tuple[Span, ...]:
    """Everybody with a call or absence; None stands for those that name nobody."""
    return tuple(Span(**row) for row in await tx.all("months.span", pointers))


async def records(tx: Tx, after: int, upto: int) -> list[tuple[int, Any]]:
    """Records as they were taken, with their numbers."""
    return [(row["n"], loads(row["body"])) for row in await tx.all("months.records", after, upto)]
