"""Where in a single recording the answer lies, by its sidecar's times and by what rings in it. Stores nothing.

Most recordings begin with the answer, and that is taken for granted until the call's own times, or rings that are
heard, say otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest.rings import seconds_between
from qa.assemble import MS
from qa.intake.placing import after_rings, begins
from qa.record import CallRecord
from qa.ringing import answer_after, before, listened


@dataclass(frozen=True, slots=True)
class Spot:
    """``answer_ms`` in the recording; ``rung``: nobody says when the answer was, and it lies between these two."""

    answer_ms: int = 0
    begins_at: datetime | None = None
    rings: dict[str, Any] | None = None
    rung: tuple[int, int] | None = None
    warnings: tuple[str, ...] = ()

    def gaps(self, roles: Sequence[str]) -> list[dict[str, Any]]:
        return after_rings(self.rung, roles)[1]


def spot_of(path: Path, record: CallRecord, duration_ms: int, rhythm: str) -> Spot:
    """Of a recording that was heard just now. Raises AudioError."""
    if record.answered_at is None:
        if record.end not in (None, "answered"):
            return Spot()
        rings = listened(path, rhythm, None)
        rung = answer_after(rings)
        return Spot(rung[0] if rung else 0, None, rings, rung, _told(rings))
    since = begins(record, duration_ms) if record.ended_at is not None else None
    answer_ms = (record.answered_at - since) // MS if since is not None else 0
    return Spot(answer_ms, since, listened(path, rhythm, answer_ms))


def _told(rings: dict[str, Any] | None) -> tuple[str, ...]:
    if rings is None or not rings["bursts"]:
        return ()
    count = "rings that keep no cadence are" if rings["count"] is None else f"{rings['count']} rings are"
    return (f"{count} heard in the recording, and no `answered_at` says when it was answered: the seat's own ringing "
            "and what is said at its beginning are unknown",)  # fmt: skip


def beside(record: CallRecord, spot: Spot) -> dict[str, Any]:
    """Measures that no rule asks for: the wait in the queue, and what the caller heard ring."""
    until = record.ringing_at or record.offered_at or record.answered_at or record.ended_at
    queue = None if record.queued_at is None or until is None else float(seconds_between(record.queued_at, until))
    heard = before(spot.rings, spot.answer_ms) if spot.rung is None else None
    rings = heard[0] if heard else spot.rings["count"] if spot.rings and spot.rung else None
    return {"queue_seconds": queue, "heard_rings": rings}
