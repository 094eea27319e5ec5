"""Spool files as Postgres knows them: how far each was carried, which legs it holds, the marks of legs; where machines
share a database, who has each file and whether it was handed over. No audio."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from qa.store.canon import loads, storable
from qa.store.pool import Tx


@dataclass(frozen=True, slots=True)
class LegMark:
    """The start, a gap or the end of a leg; ``n`` is its row in the spool file."""

    spool: str
    n: int
    kind: str
    source: str
    call: str
    leg: str
    seq: int | None
    at: datetime | None
    body: dict[str, Any]
    home: str | None = None  # machine/process that wrote it; None where files are not handed over


@dataclass(frozen=True, slots=True)
class Handed:
    """A file that lies where all machines find it, or, once released, is about to go."""

    home: str
    released: bool


@dataclass(frozen=True, slots=True)
class RefusedAudio:
    """A stretch of audio that no recording has; ``home`` is the process that took it in."""

    leg: str
    home: str
    began_at: datetime
    why: str


async def cursor(tx: Tx, spool: str) -> int:
    """The last row carried; 0 for a file that is new."""
    return await tx.value("spools.cursor", spool) or 0


async def hold(tx: Tx, spool: str, home: str | None = None) -> int:
    """The same, and nobody else moves it until this transaction ends; *home* is whose file it is."""
    upto: int = await tx.value("spools.hold", spool, home)
    return upto


async def move(tx: Tx, spool: str, upto: int) -> None:
    await tx.run("spools.move", spool, upto)


async def mark(tx: Tx, row: LegMark, text: str) -> None:
    """Keep a mark; ``text`` is its body as it was written."""
    names = [storable(one) for one in (row.source, row.call, row.leg)]
    await tx.run("spools.mark", row.spool, row.n, row.kind, *names, row.seq, row.at, text)


async def holds(tx: Tx, spool: str, call: str, leg: str) -> None:
    """Remember that a file has rows of this leg."""
    await tx.run("spools.holds", spool, storable(call), storable(leg))


async def marks(tx: Tx, call: str) -> list[LegMark]:
    rows = await tx.all("spools.marks", storable(call))
    return [LegMark(**{**row, "body": loads(row["body"])}) for row in rows]


async def bind(tx: Tx, name: str, call: str, leg: str) -> None:
    """A one-time UUID or token stands for this leg; the first word keeps it."""
    await tx.run("spools.bind", storable(name), storable(call), storable(leg))


async def call_of(tx: Tx, name: str) -> str | None:
    """The call whose audio came under a one-time name; None while no event has said it."""
    row = await tx.one("spools.bound", storable(name))
    return None if row is None else row["call"]


async def bound(tx: Tx, name: str) -> tuple[str, str] | None:
    """The call and the leg that a one-time name stands for; None while no event has said it."""
    row = await tx.one("spools.bound", storable(name))
    return None if row is None else (row["call"], row["leg"])


async def unassembled(tx: Tx, spool: str) -> list[str]:
    """Calls that still need the file."""
    return [row["call"] for row in await tx.all("spools.unassembled", spool)]


async def of_call(tx: Tx, call: str) -> list[str]:
    return [row["spool"] for row in await tx.all("spools.of_call", storable(call))]


async def known(tx: Tx) -> dict[str, int]:
    return {row["spool"]: row["upto"] for row in await tx.all("spools.known")}


async def handed(tx: Tx, spools: Iterable[str]) -> dict[str, Handed]:
    """Those of the files that were handed over."""
    rows = await tx.all("spools.stands", sorted(spools))
    return {row["spool"]: Handed(row["home"], row["released"]) for row in rows}


async def hand(tx: Tx, spool: str, home: str, legs: Collection[tuple[str, str]]) -> None:
    """Say that a file lies where all machines find it, and what is in it; before that nothing of it may go."""
    names = [(storable(call), storable(leg)) for call, leg in legs]
    await tx.run("spools.holds_all", spool, [call for call, _ in names], [leg for _, leg in names])
    await tx.run("spools.hand", spool, home)


async def awaited(tx: Tx, home: str, first: str, last: str | None) -> list[str]:
    """The files of one process, from one to another (None: to its newest), that are not handed over yet."""
    return [row["spool"] for row in await tx.all("spools.awaited", home, first, last)]


async def gone(tx: Tx, spools: Iterable[str]) -> set[str]:
    """Of files that are not to be seen, those that nobody will hand over any more."""
    return {row["spool"] for row in await tx.all("spools.gone", sorted(spools))}


async def calls_in(tx: Tx, spool: str) -> list[str]:
    """The calls that have rows in a file; all of them, once it was handed over."""
    return [row["call"] for row in await tx.all("spools.calls_in", spool)]


async def read(tx: Tx, call: str, spools: Collection[str]) -> None:
    """Say that a call was assembled with these files at hand."""
    if spools:
        await tx.run("spools.read", storable(call), sorted(spools))


async def readers(tx: Tx, spool: str) -> set[str]:
    """The calls that were assembled with this file at hand."""
    return {row["call"] for row in await tx.all("spools.readers", spool)}


async def release(tx: Tx, spool: str) -> None:
    """Nobody needs a file any more; from here on its copies may go."""
    await tx.run("spools.release", spool)
    await tx.run("spools.forget_readers", spool)


async def refuse(tx: Tx, call: str, one: RefusedAudio) -> bool:
    """Note audio that was kept out of a call; False when that was known."""
    names = [storable(name) for name in (call, one.leg, one.home)]
    return await tx.value("spools.refuse", *names, one.began_at, one.why) is not None


async def refused(tx: Tx, call: str) -> list[RefusedAudio]:
    """The audio that was kept out of a call."""
    return [RefusedAudio(**row) for row in await tx.all("spools.refused", storable(call))]
