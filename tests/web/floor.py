"""A floor for the board's tests: seats told by events and folded as the product folds them, at any moment of a call."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from qa.fold import Folder
from qa.store import events
from qa.store.pool import Store
from tests.postgres import SITE
from tests.web.seed import ZONE

_NUMBERS = count(1)


def ago(seconds: float) -> datetime:
    """An instant before now, as a phone would tell it."""
    return datetime.now(UTC) - timedelta(seconds=seconds)


@dataclass(slots=True)
class Floor:
    """Tells events of one site and folds what has news."""

    store: Store
    folder: Path
    site: str = SITE
    _fold: Folder = field(init=False)

    def __post_init__(self) -> None:
        clock = lambda: datetime.now(UTC)  # noqa: E731
        self._fold = Folder(self.store, self.site, ZONE, self.folder / "spool", self.folder / "recordings", clock)

    async def tell(self, *told: dict[str, Any]) -> None:
        """Store events, and fold them."""
        async with self.store.site(self.site, "test") as tx:
            for one in told:
                await _append(tx, one)
        await self._fold.turn()

    async def seat(self, name: str, status: str, at: datetime | None = None, **more: Any) -> None:
        await self.tell(seat(name, status, at, **more))


def seat(name: str, status: str, at: datetime | None = None, **more: Any) -> dict[str, Any]:
    return _event("seat", at, seat=name, status=status, **more)


def present(name: str, value: str, at: datetime | None = None, **more: Any) -> dict[str, Any]:
    return _event("presence", at, seat=name, present=value, **more)


def call(kind: str, id: str, name: str, at: datetime | None = None, **more: Any) -> dict[str, Any]:
    return _event(kind, at, call=id, seat=name, **more)


def _event(kind: str, at: datetime | None, **own: Any) -> dict[str, Any]:
    when = at or datetime.now(UTC)
    return {"source": "pbx1", "id": f"b{next(_NUMBERS)}", "type": kind, "at": when, **own}


async def _append(tx: Any, one: dict[str, Any]) -> None:
    body = {**one, "at": one["at"].isoformat()}
    names = [one.get(name) for name in ("call", "leg", "seat", "agent")]
    await events.append(tx, one["source"], one["id"], one["at"], None, one["type"], *names, body)
