"""Stored events, and which calls and seats must be folded again. It folds nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from qa.store import spools
from qa.store.canon import dumps, loads, storable
from qa.store.pool import Row, Tx

Kind = Literal["call", "seat"]
AHEAD = timedelta(minutes=1)  # clocks differ by so much without a doubt


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as it came, with ``n``, its number of arrival.

    ``taken_back``: it lay in the future when it came, and later news say otherwise; known of the events of a seat only.
    """

    source: str
    id: str
    n: int
    at: datetime
    seq: int | None
    type: str
    call: str | None
    leg: str | None
    seat: str | None
    agent: str | None
    body: dict[str, Any]
    taken_back: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """A call or a seat with news since it was last folded; ``from_at``: the oldest of them, None = of any time."""

    kind: Kind
    id: str
    since: datetime
    from_at: datetime | None = None


async def append(
    tx: Tx,
    source: str,
    id: str,
    at: datetime,
    seq: int | None,
    type: str,
    call: str | None,
    leg: str | None,
    seat: str | None,
    agent: str | None,
    body: Mapping[str, object] | str,
) -> bool:
    """Keep one event and mark its call and seat as due; False when it stands already."""
    if at.tzinfo is None:
        raise ValueError(f"event {id} of {source}: its instant has no offset; pass an aware datetime")
    text = body if isinstance(body, str) else dumps(body)
    told = loads(body) if isinstance(body, str) else body
    names = [storable(one) for one in (type, call, leg, seat, agent)]
    n = await tx.value("events.append", storable(source), storable(id), at, seq, *names, text)
    if n is None:
        return False
    for kind, name in (("call", names[1]), ("seat", names[3])):
        if name is not None:
            await tx.run("events.due", kind, name, at)
    audio = told.get("audio") if type == "leg" else None
    if isinstance(audio, Mapping) and call is not None and leg is not None:
        for once in audio.values():
            await spools.bind(tx, str(once), call, leg)
    return True


async def mark_due(tx: Tx, kind: Kind, id: str) -> None:
    """Have it folded again."""
    await tx.run("events.due", kind, storable(id), None)


async def take_due(tx: Tx, limit: int = 100) -> list[Due]:
    """Claim what must be folded again; a rollback gives it back, news that come meanwhile mark it anew."""
    return [Due(**row) for row in await tx.all("events.take_due", limit)]


async def count_due(tx: Tx) -> int:
    count: int = await tx.value("events.count_due")
    return count


async def for_call(tx: Tx, call: str) -> list[StoredEvent]:
    return [_event(row) for row in await tx.all("events.for_call", storable(call))]


async def for_seat(tx: Tx, seat: str, since: datetime | None = None) -> list[StoredEvent]:
    return [_event(row) for row in await tx.all("events.for_seat", storable(seat), since, AHEAD)]


async def newest(tx: Tx, limit: int = 50) -> list[StoredEvent]:
    return [_event(row) for row in await tx.all("events.newest", limit)]


def _event(row: Row) -> StoredEvent:
    return StoredEvent(**{**row, "body": loads(row["body"])})
