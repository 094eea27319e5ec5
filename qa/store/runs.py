"""Reading the ledger: runs with what replays them, entries, and the walk along the chain. It writes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from qa.store import chain
from qa.store.canon import loads, storable
from qa.store.chain import Break, Head
from qa.store.pool import Row, Tx

STRETCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One scoring of one subject. ``facts`` and ``card`` are the bytes as they were; packs come by ``packs.get``."""

    id: UUID
    seq: int
    subject: str
    inputs: str
    engine: int
    pack: str
    pack_version: str
    pack_sha: str
    overlay_sha: str
    facts_sha: str
    day: date | None
    at: datetime | None
    agent: str | None
    seat: str | None
    facts: bytes
    card: bytes
    automatic: Decimal
    counted: Decimal
    assumed: bool
    unknown: int
    flagged: int
    actor: str
    made_at: datetime
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the ledger; ``reverses`` names the entry that it undoes."""

    id: UUID
    seq: int
    run: UUID
    subject: str
    agent: str | None
    rule: str
    event: str
    cite: str
    outcome: str
    decide: str
    counts: bool
    points: Decimal
    assumed: bool
    evidence: list[Any]
    day: date | None
    origin: UUID
    reverses: UUID | None
    depth: int
    actor: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk along the chain found: how many rows hold, the first break, pointers that contradict the entries."""

    rows: int
    head: Head
    broken: Break | None
    strayed: tuple[str, ...]

    @property
    def clean(self) -> bool:
        return self.broken is None and not self.strayed


_RUN = tuple(one.name for one in fields(Run))
_ENTRY = tuple(one.name for one in fields(Entry))


async def get(tx: Tx, id: UUID) -> Run:
    return _run(await tx.need("ledger.run", f"run {id}", id))


async def current(tx: Tx, subject: str) -> Run | None:
    """The run that counts for a subject now."""
    row = await tx.one("ledger.current", storable(subject))
    return None if row is None else _run(row)


async def every(tx: Tx, subject: str | None = None) -> AsyncIterator[Run]:
    """Runs in the order they were made, read in stretches so that no archive fills memory."""
    after = 0
    while rows := await tx.all("ledger.runs", after, storable(subject), STRETCH):
        for row in rows:
            yield _run(row)
        after = rows[-1]["seq"]


async def entries(tx: Tx, subject: str) -> list[Entry]:
    """All entries of a subject, reversals too."""
    return [_entry(row) for row in await tx.all("ledger.entries", storable(subject))]


def in_force(found: Iterable[Entry]) -> list[Entry]:
    """The scoring entries that are not reversed (or restored since)."""
    last: dict[UUID, Entry] = {}
    for one in sorted(found, key=lambda entry: entry.depth):
        last[one.origin] = one
    return [one for one in last.values() if one.depth % 2 == 0]


async def walk_chain(tx: Tx, known: Sequence[Head] = ()) -> Walk:
    """Along the whole chain of the site to its head; ``known`` are heads that were exported earlier."""
    row = await tx.need("ledger.head", "the chain")
    end = Head(row["seq"], row["hash"])
    reached, broken = await _walk(tx, end, {one.seq: one.hash for one in known})
    if broken is None:
        broken = await _end(tx, reached, end, known)
    strayed = tuple(one["subject"] for one in await tx.all("ledger.strayed"))
    return Walk(reached.seq, end, broken, strayed)


async def _walk(tx: Tx, end: Head, known: dict[int, bytes]) -> tuple[Head, Break | None]:
    reached = Head(0, chain.START)
    while reached.seq < end.seq:
        upto = min(reached.seq + STRETCH, end.seq)
        runs = [("run", row) for row in await tx.all("ledger.chain_runs", reached.seq, upto)]
        found = [*runs, *(("entry", row) for row in await tx.all("ledger.chain_entries", reached.seq, upto))]
        for kind, row in sorted(found, key=lambda one: (one[1]["seq"], one[0])):
            step = chain.check(reached, kind, row)
            if isinstance(step, Break):
                return reached, step
            if known.get(step.seq, step.hash) != step.hash:
                return reached, Break(step.seq, "an exported head names another row here; history was rewritten")
            reached = step
        if reached.seq < upto:
            return reached, Break(reached.seq + 1, f"rows {reached.seq + 1} to {upto} are missing")
    return reached, None


async def _end(tx: Tx, reached: Head, end: Head, known: Sequence[Head]) -> Break | None:
    if reached != end:
        return Break(end.seq, "the last row is not the one that the head names")
    if await tx.value("ledger.beyond", end.seq):
        return Break(end.seq + 1, "rows stand behind the head")
    newest = max(known, key=lambda one: one.seq, default=end)
    if newest.seq > end.seq:
        return Break(end.seq + 1, f"an exported head names row {newest.seq}; the ledger was rolled back")
    return None


def _run(row: Row) -> Run:
    return Run(**{name: row[name] for name in _RUN})


def _entry(row: Row) -> Entry:
    return Entry(**{**{name: row[name] for name in _ENTRY}, "evidence": loads(row["evidence"])})
