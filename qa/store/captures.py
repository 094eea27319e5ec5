"""How much of each day was recorded, as a list of its calls showed; and the calls to hold such a list against."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from qa.store.canon import dumps, loads, storable
from qa.store.pool import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """One reconciliation. ``missing``: the calls that are not recorded whole, each with its reason."""

    day: date
    list: str
    listed: int
    recorded: int
    gaps: int
    no_audio: int
    never_seen: int
    nothing: int
    excluded: int
    refused: int
    unlisted: int
    missing: tuple[dict[str, Any], ...]
    actor: str = ""
    made_at: datetime | None = None

    @property
    def wanted(self) -> int:
        return self.recorded + self.gaps + self.no_audio + self.never_seen

    @property
    def rate(self) -> float | None:
        """The share of whole recordings among the calls that should have one."""
        return self.recorded / self.wanted if self.wanted else None


@dataclass(frozen=True, slots=True)
class Known:
    """A call of ours, or a part of one, with its newest recording's measures."""

    id: str
    conversation: str | None
    state: str
    at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    conclusion: str | None
    folded: dict[str, Any]
    duration_ms: int | None
    answer_ms: int | None
    gaps: tuple[dict[str, Any], ...]


_STORED = tuple(field.name for field in fields(Capture) if field.name not in ("missing", "actor", "made_at"))


async def add(tx: Tx, one: Capture) -> None:
    told = [getattr(one, name) for name in _STORED]
    told[1] = storable(told[1])
    await tx.run("captures.add", *told, dumps(one.missing))


async def days(tx: Tx, first: date, last: date) -> list[Capture]:
    """The newest of each day, newest day first."""
    rows = await tx.all("captures.days", first, last)
    return [Capture(**{**row, "missing": tuple(loads(row["missing"]))}) for row in rows]


async def known(tx: Tx, since: datetime, until: datetime) -> list[Known]:
    rows = await tx.all("captures.known", since, until)
    told = ({**row, "folded": loads(row["folded"]), "gaps": tuple(loads(row["gaps"] or "[]"))} for row in rows)
    return [Known(**row) for row in told]
