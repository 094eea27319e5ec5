"""Notices that leave after their transaction has committed, at least once, each with an id. It sends nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from qa.store.canon import dumps, loads, storable
from qa.store.pool import Tx


@dataclass(frozen=True, slots=True)
class Notice:
    """What a receiver gets; ``id`` lets it drop a second copy."""

    id: UUID
    kind: str
    subject: str
    body: dict[str, Any]
    attempts: int
    made_at: datetime


async def put(tx: Tx, kind: str, subject: str, body: Mapping[str, object]) -> UUID:
    id = uuid4()
    await tx.run("outbox.put", id, kind, storable(subject), dumps(body))
    return id


async def take(tx: Tx, limit: int = 20) -> list[Notice]:
    """Due ones, held by this transaction: send them, then say ``sent`` or ``failed`` of each."""
    return [Notice(**{**row, "body": loads(row["body"])}) for row in await tx.all("outbox.take", limit)]


async def sent(tx: Tx, id: UUID) -> None:
    await tx.run("outbox.sent", id)


async def failed(tx: Tx, id: UUID, fault: str, next_at: datetime) -> None:
    await tx.run("outbox.failed", id, storable(fault[:500]), next_at)


async def waiting(tx: Tx) -> tuple[int, datetime | None]:
    """How many, and since when the oldest."""
    row = await tx.need("outbox.waiting", "outbox")
    return row["notices"], row["since"]
