"""Since when a leg carries no voice, by the reports that come with its audio; kept with the call while it goes on.

Only what changes is written, by our own clock: a report says what was heard until now. Nothing waits for it, and what
cannot be written now is written with the next report. Nothing is kept of a call that is over.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.sink import SpoolRow
from qa.store import bell, spools
from qa.store.canon import dumps, loads, storable
from qa.store.pool import Tx

MOST_LEGS = 20_000
Name = tuple[str, str]


@dataclass(slots=True)
class Leg:
    """``quiet_since``: no voice since then, None = there was some in the last span; ``heard_at``: the end of the last
    span with voice; ``told``: it stands in the store."""

    quiet_since: datetime | None = None
    heard_at: datetime | None = None
    told: bool = False

    def report(self, quiet: bool, span: timedelta, now: datetime) -> None:
        before = self.quiet_since
        if not quiet:
            self.heard_at, self.quiet_since = now, None
        elif before is None:
            self.quiet_since = now - span if self.heard_at is None else max(self.heard_at, now - span)
        self.told = self.told and (before is None) == (self.quiet_since is None)

    def as_dict(self) -> dict[str, Any]:
        """Of a leg with voice it does not say when: that changes with every report."""
        if self.quiet_since is None:
            return {"quiet_since": None}
        return {"quiet_since": self.quiet_since.isoformat(), "heard_at": self.heard_at and self.heard_at.isoformat()}


class Levels:
    """The legs whose reports one process carries. ``quiet_dbfs``: a peak below it is no voice."""

    def __init__(self, quiet_dbfs: float, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._quiet_dbfs, self._now = quiet_dbfs, now
        self._legs: OrderedDict[Name, Leg] = OrderedDict()

    def hear(self, rows: Iterable[SpoolRow]) -> set[Name]:
        """Legs of which something must be written."""
        reported = set()
        for row in rows:
            name = (row.call, row.leg)
            if row.kind == "end":
                self._legs.pop(name, None)
            elif row.kind == "clock" and (said := loads(row.payload.decode())).get("peak_dbfs") is not None:
                leg = self._legs.setdefault(name, Leg())
                leg.report(said["peak_dbfs"] < self._quiet_dbfs, _span(said), self._now())
                self._legs.move_to_end(name)
                reported.add(name)
        while len(self._legs) > MOST_LEGS:
            self._legs.popitem(last=False)
        return {name for name in reported if name in self._legs and not self._legs[name].told}

    async def tell(self, tx: Tx, name: Name) -> None:
        """Write it with its call, unless that is not answered yet, is over, or is being folded at this moment."""
        leg = self._legs[name]
        call, own = await spools.bound(tx, name[0]) or name
        said = dumps({own: leg.as_dict()})
        found = await tx.all("calls.level", storable(call), said)
        for row in found:
            await bell.ring(tx, "call", row["id"])
        leg.told = bool(found)


def _span(said: dict[str, Any]) -> timedelta:
    return timedelta(milliseconds=int(said["span_ms"]))
