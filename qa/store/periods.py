"""Months that are assessed, and their closing, once, by a person. What a closed one forbids the database enforces."""

from __future__ import annotations

from datetime import date

from qa.store.errors import NotFound
from qa.store.pool import Tx


async def add(tx: Tx, id: str, from_day: date, to_day: date) -> None:
    """Make a period; one that stands is left as it is."""
    await tx.run("ledger.add_period", id, from_day, to_day)


async def close(tx: Tx, id: str) -> None:
    """Close it with the chain's head noted; from then on the database refuses any entry dated into it."""
    if not await tx.run("ledger.shut_period", id):
        raise NotFound(f"period {id}: not at this site; add it before you close it")
