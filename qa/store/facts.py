"""The archive of stored facts in stretches of the chain, and which kinds of facts have come in. It reads only.

A stretch is bounded by numbers of the chain, so that several processes share the archive without speaking to one
another, and so that what was read is said by two numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal

from qa.store.pool import Tx


@dataclass(frozen=True, slots=True)
class Archive:
    """The current runs of a range of days: first and last number in the chain, how many, of how many agents."""

    first: int
    last: int
    subjects: int
    agents: int


@dataclass(frozen=True, slots=True)
class Stored:
    """One subject as it counts now: what its run came to, and, unless only totals were asked for, its facts."""

    seq: int
    subject: str
    agent: str | None
    day: date | None
    engine: int
    pack_sha: str
    overlay_sha: str
    automatic: Decimal
    counted: Decimal
    assumed: bool
    unknown: int
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A kind of facts that has come in: how many, and the day of the last."""

    count: int
    last: date | None


_STORED = tuple(one.name for one in fields(Stored))


async def archive(tx: Tx, first: date | None, last: date | None) -> Archive:
    """What there is to read between two days, both included; None does not bound."""
    row = await tx.need("facts.archive", "the archive", first, last)
    return Archive(row["first"], row["last"], row["subjects"], row["agents"])


async def stretch(
    tx: Tx, after: int, upto: int, first: date | None, last: date | None, *, bodies: bool = True
) -> list[Stored]:
    """The subjects whose current run stands in ``(after, upto]`` of the chain."""
    rows = await tx.all("facts.stretch" if bodies else "facts.totals", after, upto, first, last)
    return [Stored(*row.values()) for row in rows]


async def kinds(tx: Tx) -> Mapping[str, Seen]:
    """Every kind that has come in at this site."""
    return {row["kind"]: Seen(row["seen"], row["last"]) for row in await tx.all("facts.kinds") if row["seen"]}
