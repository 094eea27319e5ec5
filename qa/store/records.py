"""Records with all their versions, who delivered them, and which registers a site has connected.

What fits is decided by the book of ``scoring/records``, over the records that a new one touches; here it is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID, uuid4

from qa.store.canon import dumps, loads, storable
from qa.store.errors import BadCursor
from qa.store.pages import Page, bounded
from qa.store.pool import Row, Tx
from scoring.records.admit import plain, restored
from scoring.records.book import Book
from scoring.records.record import Record, Refusal

REGISTERS: tuple[Literal["leave", "attendance", "case"], ...] = ("leave", "attendance", "case")


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a list of records. ``refused``: place in the list, and why."""

    new: tuple[Record, ...]
    duplicates: int
    refused: tuple[tuple[int, Refusal], ...]
    delivery: UUID | None

    @property
    def accepted(self) -> int:
        return len(self.new)


@dataclass(frozen=True, slots=True)
class Kept:
    """A record as it stands, with who entered it and when."""

    n: int
    record: Record
    version: int
    actor: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """One import or request, by whom and with what outcome."""

    id: UUID
    name: str
    accepted: int
    duplicates: int
    refused: int
    actor: str
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which records to list; None asks nothing."""

    kind: str | None = None
    agent: str | None = None
    case: str | None = None
    from_day: date | None = None
    to_day: date | None = None
    source: str | None = None
    withdrawn: bool = False


async def add_records(
    tx: Tx, records: Sequence[Record], *, name: str, partial: bool = False, refused_before: int = 0
) -> Added:
    """Take a list: all of it or, with ``partial``, what fits. What stands already is skipped.

    ``name`` says where it came from; ``refused_before`` counts what was no record at all, and stops a whole list too.
    """
    await tx.run("records.lock")
    stands = await _related(tx, records)
    book, refused = await asyncio.to_thread(stands.take, records)  # a large file must not hold up the others
    told = tuple((at, why) for at, _, why in refused)
    if (told or refused_before) and not partial:
        return Added((), 0, told, None)
    new = book.all()[len(stands.all()) :]
    delivery, known = uuid4(), len(records) - len(new) - len(told)
    await tx.run("records.deliver", delivery, storable(name), len(new), known, len(told) + refused_before)
    await tx.many("records.add", await asyncio.to_thread(_rows, book, new, delivery))
    return Added(new, known, told, delivery)


async def _related(tx: Tx, records: Iterable[Record]) -> Book:
    """The book of what the new records touch: their ids, what they replace, their cases."""
    listed = tuple(records)
    ids = {one.id for one in listed} | {one.fields["supersedes"] for one in listed if "supersedes" in one.fields}
    cases = {one.fields["case"] for one in listed if "case" in one.fields}
    rows = await tx.all("records.related", sorted(ids), sorted(cases))
    return Book.of(restored(loads(row["body"])) for row in rows)


def _rows(book: Book, records: Sequence[Record], delivery: UUID) -> list[tuple[object, ...]]:
    return [_row(book, one, delivery) for one in records]


def _row(book: Book, record: Record, delivery: UUID) -> tuple[object, ...]:
    versions = book.versions(record.id)
    dated = next((one for one in (record, *reversed(versions)) if _day(one)), record)
    return (
        record.id,
        versions[0].id,
        next(n for n, one in enumerate(versions, 1) if one is record),
        record.kind,
        record.get("agent") or dated.get("agent"),
        record.get("team") or dated.get("team"),
        _day(dated),
        record.get("case") or dated.get("case"),
        bool(record.get("void")),
        dumps(plain(record)),
        delivery,
    )


def _day(record: Record) -> date | None:
    return record.local_day or (record.period.first if record.period else None)


async def current_records(tx: Tx, upto: int | None = None) -> Book:
    """The book of the site, or as it stood when ``upto`` was the number of the newest record."""
    return Book.of(restored(loads(row["body"])) for row in await tx.all("records.all", upto))


async def newest(tx: Tx) -> int:
    """The number of the last record; a closed month keeps it, so that what comes later is known as late."""
    number: int = await tx.value("records.newest")
    return number


async def page(tx: Tx, only: Wanted, cursor: str | None = None, limit: int = 50) -> Page[Kept]:
    """Records that hold now, or withdrawals that do, the last taken first."""
    size = bounded(limit)
    wanted = (storable(only.kind), storable(only.agent), storable(only.case), only.from_day, only.to_day)
    more = (storable(only.source), only.withdrawn)
    rows = await tx.all("records.page", *wanted, _number(cursor), size + 1, *more)
    found = tuple(_kept(row) for row in rows[:size])
    return Page(found, str(found[-1].n) if len(rows) > size else None)


def _number(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise BadCursor(BadCursor.__doc__)
    return int(cursor)


async def people(tx: Tx) -> tuple[str, ...]:
    """Everybody who stands in a call or a record, by name."""
    return tuple(row["agent"] for row in await tx.all("records.people"))


async def versions(tx: Tx, id: str) -> tuple[Kept, ...]:
    """A record with all that replaced or preceded it, oldest first; nothing for an id that is not known."""
    return tuple(_kept(row) for row in await tx.all("records.versions", storable(id)))


def _kept(row: Row) -> Kept:
    return Kept(row["n"], restored(loads(row["body"])), row["version"], row["actor"], row["made_at"])


async def deliveries(tx: Tx, limit: int = 50) -> tuple[Delivery, ...]:
    """The last imports, newest first."""
    return tuple(Delivery(**row) for row in await tx.all("records.deliveries", bounded(limit)))


async def connect(tx: Tx, register: str, since: date | None) -> None:
    """From that day on what is not in the register did not happen; None takes the word back."""
    if register not in REGISTERS:
        raise ValueError(f"{register!r} is no register; name one of {', '.join(REGISTERS)}")
    await tx.run("records.connect", register, since)


async def registers(tx: Tx) -> Mapping[str, date]:
    """The registers that are connected, each with its first day."""
    return {row["name"]: row["since"] for row in await tx.all("records.registers")}
